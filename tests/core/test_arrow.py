"""The operations of the arrow linear model against those of the whole matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmoo._core.arrow import ArrowLinear

RELATIVE = 1e-10


def make(shared, own, rows, seed, touched=None, scaled=True):
    """Return an arrow model with a random matrix, the matrix and its right side.

    touched: the shared columns of each group; None: all
    """
    rng = np.random.default_rng(seed)
    n = shared + sum(own)
    first = shared + np.concatenate([[0], np.cumsum(own)])
    blocks = []
    for k, m in enumerate(rows):
        block = np.zeros((m, n))
        where = np.arange(shared) if touched is None or k >= len(own) else touched[k]
        block[:, where] = rng.normal(size=(m, len(where)))
        if k < len(own):
            block[:, first[k] : first[k + 1]] = rng.normal(size=(m, own[k]))
        blocks.append(block)
    jac = np.concatenate(blocks)
    if scaled:
        jac *= 10.0 ** rng.uniform(-3, 3, size=n)
    f = rng.normal(size=len(jac))
    model = ArrowLinear(shared, own, None if touched is None else spans(touched))
    model.begin()
    assert model.fill(jac, f)
    return model, jac, f, rng


def spans(touched):
    """Return lists of columns as the model takes them."""
    ends = np.concatenate([[0], np.cumsum([len(where) for where in touched])])
    return ends, np.concatenate([np.asarray(where, dtype=int) for where in touched])


@st.composite
def shapes(draw):
    """Return the arguments of make: all columns shared by all, or few columns, or few of many."""
    kind = draw(st.sampled_from(["all", "some", "few of many"]))
    shared = draw(st.integers(1, 3) if kind != "few of many" else st.integers(32, 40))
    own = draw(st.lists(st.integers(0, 3), min_size=1, max_size=5))
    seed = draw(st.integers(0, 2**31))
    rows = [p + draw(st.integers(1, 5)) for p in own] + [shared + draw(st.integers(0, 3))]
    if kind == "all":
        return shared, own, rows, seed
    # More rows than touched columns in some of the groups.
    widths = [draw(st.integers(0, min(shared, 6))) for _ in own]
    rng = np.random.default_rng(seed)
    touched = [np.sort(rng.choice(shared, w, replace=False)) for w in widths]
    rows[:-1] = [m + draw(st.integers(0, 2)) * w for m, w in zip(rows, widths, strict=False)]
    return shared, own, rows, seed, touched


def close(found, expected, scale=None):
    size = np.abs(expected).max(initial=0.0) if scale is None else scale
    np.testing.assert_allclose(found, expected, rtol=RELATIVE, atol=RELATIVE * size)


@given(shapes())
@settings(max_examples=150, deadline=None)
def test_products_are_those_of_the_matrix(shape):
    model, jac, f, rng = make(*shape)
    norms = np.linalg.norm(jac, axis=0)
    p = rng.normal(size=model.n) / norms
    fnorm = np.linalg.norm(f)
    close(model.gradient(None, fnorm) / norms, jac.T @ f / fnorm / norms, 1.0)
    close(model.gradient(p, 2.0) / norms, jac.T @ (f + jac @ p) / 2.0 / norms, 1.0)
    close(model.gram(p) / norms, jac.T @ (jac @ p) / norms, 1.0)
    norm, slope = model.predict(p, True, fnorm)
    close(norm, np.linalg.norm(jac @ p) / fnorm)
    close(slope, f @ jac @ p / fnorm**2, 1.0)


@given(shapes())
@settings(max_examples=150, deadline=None)
def test_steps_and_solutions_are_those_of_the_matrix(shape):
    model, jac, f, rng = make(*shape)
    n = model.n
    norms = np.linalg.norm(jac, axis=0)
    diag = norms * 10.0 ** rng.uniform(-1, 1, size=n)
    rank, newton, error = model.truncate(np.full(n, 1e-14), np.linalg.norm(f))
    assert rank == n
    assert error == 1e-14
    step = -np.linalg.lstsq(jac / norms, f, rcond=None)[0] / norms
    close(newton, np.linalg.norm(jac @ step) / np.linalg.norm(f))
    condition = np.linalg.cond(jac / norms)
    close(model.damped(0.0, diag) * norms, step * norms, condition * np.linalg.norm(f))
    g = rng.normal(size=n) * norms
    for par in (1e-3, 1.0, 1e3):
        stacked = np.concatenate([jac, np.sqrt(par) * np.diag(diag)])
        right = np.concatenate([f, np.zeros(n)])
        expected = -np.linalg.lstsq(stacked / norms, right, rcond=None)[0]
        close(model.damped(par, diag) * norms, expected, np.linalg.norm(f))
        gram = (stacked / norms).T @ (stacked / norms)
        close(model.solve(par, diag, g) * norms, np.linalg.solve(gram, g / norms),
              np.linalg.norm(g / norms) * np.linalg.cond(gram))  # fmt: skip
    gram = (jac / norms).T @ (jac / norms)
    close(model.solve(0.0, diag, g) * norms, np.linalg.solve(gram, g / norms),
          np.linalg.norm(g / norms) * np.linalg.cond(gram) ** 1.5)  # fmt: skip


@given(shapes(), st.integers(0, 2**31))
@settings(max_examples=150, deadline=None)
def test_columns_that_are_left_out_do_not_count(shape, seed):
    model, jac, f, rng = make(*shape)
    n = model.n
    norms = np.linalg.norm(jac, axis=0)
    active = np.random.default_rng(seed).integers(0, 2, size=n).astype(np.int32)
    free = active == 0
    model.leave_out(active)
    diag = norms.copy()
    rank, _, _ = model.truncate(np.full(n, 1e-14), np.linalg.norm(f))
    assert rank == free.sum()
    p = np.where(free, rng.normal(size=n) / norms, 0.0)
    norm, slope = model.predict(p, False, 1.0)
    close(norm, np.linalg.norm(jac @ p))
    close(slope, f @ jac @ p, np.linalg.norm(f) * np.linalg.norm(jac @ p))
    stacked = np.concatenate([jac, np.diag(diag)])[:, free]
    right = np.concatenate([f, np.zeros(n)])
    expected = np.zeros(n)
    expected[free] = -np.linalg.lstsq(stacked / norms[free], right, rcond=None)[0]
    close(model.damped(1.0, diag) * norms, expected, np.linalg.norm(f))
    moved = np.where(free, 0.0, rng.normal(size=n) / norms)
    right = np.concatenate([f + jac @ moved, np.zeros(n)])
    expected[free] = -np.linalg.lstsq(stacked / norms[free], right, rcond=None)[0]
    expected[~free] = (moved * norms)[~free]
    found = model.damped_on_face(active, moved, 1.0, diag)
    close(found * norms, expected, np.linalg.norm(right))
    # Of all columns still.
    close(model.gradient(None, 1.0) / norms, jac.T @ f / norms, np.linalg.norm(f))


@given(shapes())
@settings(max_examples=60, deadline=None)
def test_the_triangle_is_a_factor_of_the_matrix(shape):
    model, jac, f, _ = make(*shape)
    norms = np.linalg.norm(jac, axis=0)
    model.truncate(np.full(model.n, 1e-14), 1.0)
    r, ipvt, qtf = model.triangle()
    assert sorted(ipvt.tolist()) == list(range(model.n))
    assert np.array_equal(np.triu(r), r)
    scaled = r / norms[ipvt]
    close(scaled.T @ scaled, (jac[:, ipvt] / norms[ipvt]).T @ (jac[:, ipvt] / norms[ipvt]), 1.0)
    close(scaled.T @ qtf, (jac[:, ipvt] / norms[ipvt]).T @ f, np.linalg.norm(f))


def test_a_group_that_is_not_determined_leaves_the_others_alone():
    """Group 1 has two equal columns, group 2 fewer rows than parameters."""
    rng = np.random.default_rng(5)
    jac = np.zeros((15, 7))
    jac[:, 0] = rng.normal(size=15)
    jac[:6, 1:3] = rng.normal(size=(6, 2))
    jac[6:12, 3] = rng.normal(size=6)
    jac[6:12, 4] = 3.0 * jac[6:12, 3]
    jac[12:13, 5:7] = rng.normal(size=(1, 2))
    jac[13:, :] = 0.0
    jac[13:, 0] = rng.normal(size=2)
    f = rng.normal(size=15)
    model = ArrowLinear(1, [2, 2, 2])
    model.begin()
    assert model.fill(jac, f)
    rank, newton, _ = model.truncate(np.full(7, 1e-12), np.linalg.norm(f))
    assert rank == np.linalg.matrix_rank(jac) == 5
    step = model.damped(0.0, np.ones(7))
    best = np.linalg.lstsq(jac, -f, rcond=None)[0]
    # Those that are determined, and the fit of all rows.
    close(step[:3], best[:3])
    close(jac @ step, jac @ best)
    close(newton, np.linalg.norm(jac @ best) / np.linalg.norm(f))
    assert np.count_nonzero(step[3:5]) == np.count_nonzero(step[5:]) == 1
    assert model.solve(0.0, np.ones(7), np.ones(7)) is None


def test_many_groups_in_parts_are_the_same():
    """More groups than one part has; the parts are worked on by threads."""
    rng = np.random.default_rng(2)
    groups = 5000
    model = ArrowLinear(2, np.full(groups, 1))
    single = rng.normal(size=(groups, 3, 4))
    model.begin()
    model.fill_groups(list(single))
    gram = np.einsum("kij,kil->jl", single[:, :, 1:3], single[:, :, 1:3])
    own = np.einsum("kij,kij->k", single[:, :, :1], single[:, :, :1])
    cross = np.einsum("ki,kil->kl", single[:, :, 0], single[:, :, 1:3])
    right = np.einsum("ki,kij->kj", single[:, :, 3], single[:, :, :3])
    schur = gram - np.einsum("kl,kj,k->lj", cross, cross, 1 / own)
    reduced = right[:, 1:].sum(axis=0) - (cross * (right[:, 0] / own)[:, None]).sum(axis=0)
    shared = -np.linalg.solve(schur, reduced)
    expected = -(right[:, 0] + cross @ shared) / own
    rank, _, _ = model.truncate(np.full(model.n, 1e-14), 1.0)
    assert rank == model.n
    step = model.damped(0.0, np.ones(model.n))
    close(step[:2], shared)
    close(step[2:], expected)


@pytest.mark.parametrize(("shared", "own"), [(0, [1]), (1, []), (1, [-1]), (1, [[1, 2]])])
def test_impossible_shapes_are_refused(shared, own):
    with pytest.raises(ValueError, match="arrow model"):
        ArrowLinear(shared, np.array(own, dtype=int))


def test_a_row_in_two_groups_is_refused():
    model = ArrowLinear(1, [1, 1])
    model.begin()
    assert not model.fill(np.ones((3, 3)), np.ones(3))


def scattered(seed, own=2, groups=60, shared=40, each=5):
    """Return a generator, few of many shared columns for each group, and their model."""
    rng = np.random.default_rng(seed)
    touched = [np.sort(rng.choice(shared, each, replace=False)) for _ in range(groups)]
    return rng, touched, ArrowLinear(shared, np.full(groups, own), spans(touched))


def filled(model, jac, f):
    model.begin()
    assert model.scattered
    assert model.fill(jac, f)


def sparse_rows(rng, touched, shared, own, rows):
    """Return a random matrix with rows of each group."""
    jac = np.zeros((rows * len(touched), shared + own * len(touched)))
    for k, where in enumerate(touched):
        here = slice(rows * k, rows * (k + 1))
        jac[here, where] = rng.normal(size=(rows, where.size))
        jac[here, shared + own * k : shared + own * (k + 1)] = rng.normal(size=(rows, own))
    return jac


@pytest.mark.parametrize("apart", [0.0, 1e-12, 1e-9, 1e-6, 1e-3])
def test_scattered_columns_that_nearly_agree(apart):
    """A Gram matrix does not show what is below 1e-8 of its columns; the model does, as QR."""
    rng, touched, model = scattered(3)
    jac = sparse_rows(rng, touched, 40, 2, 6)
    # Two columns in the same rows, of units of their own.
    touched = [np.unique(np.concatenate([w, [7, 23]])) if {7, 23} & {*w} else w for w in touched]
    noise = apart * rng.normal(size=len(jac)) * (jac[:, 7] != 0.0)
    jac[:, 23] = 1e4 * (jac[:, 7] + noise)
    model = ArrowLinear(40, np.full(60, 2), spans(touched))
    f = rng.normal(size=len(jac))
    filled(model, jac, f)
    norms = np.linalg.norm(jac, axis=0)
    rank, newton, _ = model.truncate(np.full(model.n, 1e-14), 1.0)
    assert rank == model.n - (apart == 0.0)
    step = model.damped(0.0, np.ones(model.n))
    best = np.linalg.lstsq(jac / norms, -f, rcond=1e-14)[0] / norms
    # As near as rounding of the step, which is as long as 1 / apart, and of QR allows.
    limit = 0.0 if apart == 0.0 else 1e-17 / apart
    np.testing.assert_allclose(
        np.linalg.norm(jac @ step + f), np.linalg.norm(jac @ best + f), rtol=1e-13 + limit
    )
    np.testing.assert_allclose(newton, np.linalg.norm(jac @ best), rtol=1e-12 + limit)
    if apart:
        error = np.abs((step - best) * norms).max() / np.abs(best * norms).max()
        assert error < 1e-14 / apart


def test_scattered_columns_that_no_group_touches():
    """A shared column that no group has, one that one group has, a group without any."""
    rng, touched, model = scattered(4)
    touched = [w[(w != 11) & (w != 12)] for w in touched]
    touched[17] = np.sort(np.append(touched[17], 12))
    touched[30] = np.zeros(0, dtype=int)
    model = ArrowLinear(40, np.full(60, 2), spans(touched))
    jac = sparse_rows(rng, touched, 40, 2, 6)
    f = rng.normal(size=len(jac))
    filled(model, jac, f)
    rank, _, _ = model.truncate(np.full(model.n, 1e-14), 1.0)
    assert rank == model.n - 1
    step = model.damped(0.0, np.ones(model.n))
    assert step[11] == 0.0
    close(step, np.linalg.lstsq(jac, -f, rcond=1e-14)[0])
    diag = np.ones(model.n)
    stacked = np.concatenate([jac, 0.1 * np.diag(diag)])
    right = np.concatenate([f, np.zeros(model.n)])
    close(model.damped(0.01, diag), np.linalg.lstsq(stacked, -right, rcond=None)[0])


def test_scattered_groups_of_many_parts():
    """Parts have sums and rows of their own; many rows of a group are folded first."""
    rng, touched, model = scattered(5, groups=1500, own=1)
    assert model.parts > 1
    jac_blocks, gram = [], np.zeros((40, 40))
    lengths = rng.integers(2, 12, size=1500)
    reduced = np.zeros(40)
    kept = []
    for k, where in enumerate(touched):
        block = rng.normal(size=(lengths[k], 1 + where.size + 1))
        jac_blocks.append(block)
        q = np.linalg.qr(block[:, :1], mode="complete")[0]
        rest = q[:, 1:].T @ block[:, 1:]
        gram[np.ix_(where, where)] += rest[:, :-1].T @ rest[:, :-1]
        reduced[where] += rest[:, :-1].T @ rest[:, -1]
        kept.append(block)
    model.begin()
    model.fill_groups(jac_blocks)
    rank, _, _ = model.truncate(np.full(model.n, 1e-14), 1.0)
    assert rank == model.n
    shared = -np.linalg.solve(gram, reduced)
    step = model.damped(0.0, np.ones(model.n))
    close(step[:40], shared)
    for k, block in enumerate(kept):
        left = block[:, -1] + block[:, 1:-1] @ shared[touched[k]]
        own = -block[:, 0] @ left / (block[:, 0] @ block[:, 0])
        np.testing.assert_allclose(step[40 + k], own, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("power", [-600, -200, 200, 500])
def test_units_of_scattered_columns_change_nothing(power):
    rng, touched, model = scattered(6)
    jac = sparse_rows(rng, touched, 40, 2, 5)
    f = rng.normal(size=len(jac))
    filled(model, jac, f)
    model.truncate(np.full(model.n, 1e-14), 1.0)
    step = model.damped(0.0, np.ones(model.n))
    unit = np.where(rng.random(model.n) < 0.3, 2.0**power, 1.0)
    other = ArrowLinear(40, np.full(60, 2), spans(touched))
    filled(other, jac * unit, f)
    other.truncate(np.full(model.n, 1e-14), 1.0)
    close(other.damped(0.0, np.ones(model.n)) * unit, step)


def test_columns_of_groups_that_are_not_ascending_are_refused():
    for columns in ([1, 0], [0, 0], [0, 2]):
        with pytest.raises(ValueError, match="ascending"):
            ArrowLinear(2, [1], ([0, 2], columns))
    with pytest.raises(ValueError, match="ascending"):
        ArrowLinear(2, [1, 1], ([0, 2], [0, 1]))
