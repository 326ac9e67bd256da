"""Joint problems in which each problem has few of many shared parameters."""

import pickle

import numpy as np
import pytest

import lmoo
from lmoo._core.arrow import ArrowLinear

STATIONS, LINKS = 40, 4


class Path(lmoo.Problem):
    """Signals through some stations: gains that others have too, an amplitude and an offset."""

    def __init__(self, seen, y, derivatives):
        self.y, self.gives = y, derivatives
        self.t = np.linspace(0.0, 1.0, y.size)
        self.parameter_names = (*(f"gain{k}" for k in seen), "size", "level")
        if not derivatives:
            self.jacobian = None

    def weights(self):
        """Return how much each gain counts at each point."""
        j = np.arange(len(self.parameter_names) - 2)
        return np.cos((j[:, None] + 1) * self.t)

    def growth(self, x):
        return np.exp(x[:-2] @ self.weights() + self.t)

    def values(self, x):
        return x[-2] * self.growth(x) + x[-1]

    def residual(self, x):
        return self.values(x) - self.y

    def jacobian(self, x):
        growth = self.growth(x)
        return np.vstack([x[-2] * growth * self.weights(), growth, np.ones_like(growth)]).T


def network(seed=0, count=60, derivatives=True, noise=0.01, unused=(), stations=STATIONS):
    """Return problems and the true parameters of the joint problem, by name."""
    rng = np.random.default_rng(seed)
    gains = 0.3 * rng.normal(size=stations)
    used = np.setdiff1d(np.arange(stations), unused)
    parts, true = [], {f"gain{k}": gains[k] for k in range(stations)}
    for i in range(count):
        # One that has no shared parameter, and one with more rows than any other.
        links = 0 if i == 5 else LINKS
        seen = rng.permutation(used)[:links]
        part = Path(seen.tolist(), np.zeros(60 if i == 7 else 9), derivatives)
        own = rng.uniform(1, 2), rng.normal()
        clean = part.values(np.array([*gains[seen], *own]))
        part.y = clean + noise * rng.normal(size=clean.size)
        parts.append(part)
        true |= {f"size[{i}]": own[0], f"level[{i}]": own[1]}
    return parts, true


def start(problem, true, seed=1):
    rng = np.random.default_rng(seed)
    return np.array([true[name] + 0.02 * rng.normal() for name in problem.parameter_names])


def names():
    return [f"gain{k}" for k in range(STATIONS)]


def whole(problem):
    """Return the same problem with one dense Jacobian."""

    def jacobian(x):
        rows = []
        for part, index in zip(problem.problems, problem.indices, strict=True):
            block = np.zeros((part.y.size, x.size))
            block[:, index] = Path.jacobian(part, x[index])
            rows.append(block)
        return np.concatenate(rows)

    one = lmoo.FunctionProblem(problem.residual, jacobian)
    one.parameter_names = problem.parameter_names
    return one


def agree(found, expected, rtol=1e-7):
    assert found.success
    assert expected.success
    np.testing.assert_allclose(found.cost, expected.cost, rtol=1e-10)
    np.testing.assert_allclose(found.x, expected.x, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(found.standard_errors, expected.standard_errors, rtol=1e-5)


def case(**options):
    parts, true = network(**options)
    problem = lmoo.JointProblem(parts, names())
    return problem, start(problem, true)


@pytest.mark.parametrize("derivatives", [True, False])
def test_the_joint_fit_is_that_of_the_whole_problem(derivatives):
    problem, x0 = case(derivatives=derivatives)
    solver = lmoo.Solver()
    found = solver.solve(problem, x0)
    agree(found, solver.solve(whole(problem), x0), 1e-6)
    assert found.factor.columns is not None
    which = [0, 3, STATIONS, STATIONS + 3]
    expected = solver.solve(whole(problem), x0)
    np.testing.assert_allclose(
        found.covariance_of(which), expected.covariance()[np.ix_(which, which)], rtol=1e-4,
        atol=1e-5 * expected.covariance().max(),
    )  # fmt: skip


@pytest.mark.parametrize("loss", ["huber", "cauchy"])
def test_losses(loss):
    problem, x0 = case()
    solver = lmoo.Solver(loss=loss, f_scale=0.02)
    agree(solver.solve(problem, x0), solver.solve(whole(problem), x0), 1e-6)


def test_bounds_and_fixed_parameters():
    problem, x0 = case()
    free = lmoo.Solver().solve(problem, x0)
    bounds = {"gain3": (None, free["gain3"].value - 0.05), "gain8": (-5.0, 5.0)}
    bounds |= {
        "size[2]": (None, free["size[2]"].value - 0.02),
        "level[5]": (free["level[5]"].value + 0.01, None),
    }
    x0 = np.clip(x0, -4.0, 4.0)
    fixed = {name: free[name].value + 0.01 for name in ("gain11", "level[9]")}
    for name, value in (("gain3", -9.0), ("size[2]", -9.0), ("level[5]", 9.0)):
        x0[problem.parameter_names.index(name)] = value
    solver = lmoo.Solver(bounds=bounds, fixed=fixed)
    found = solver.solve(problem, x0)
    agree(found, solver.solve(whole(problem), x0), 1e-6)
    assert np.count_nonzero(found.active_mask) >= 2


def test_relations():
    problem, x0 = case()
    solver = lmoo.Solver(
        ties={"gain4": "gain2"}, priors={"gain1": (0.0, 0.1)}, derived={"both": "gain1 + gain6"}
    )
    found = solver.solve(problem, x0)
    expected = solver.solve(whole(problem), x0)
    agree(found, expected, 1e-6)
    np.testing.assert_allclose(found["both"].stderr, expected["both"].stderr, rtol=1e-5)


@pytest.mark.parametrize("step", [lmoo.Nielsen(), lmoo.More()], ids=["nielsen", "more"])
def test_step_strategies(step):
    problem, x0 = case()
    agree(lmoo.Solver(step=step).solve(problem, x0), lmoo.Solver().solve(problem, x0), 1e-6)


def test_a_shared_parameter_that_one_problem_has_and_one_that_none_determines():
    parts, true = network(unused=(12,))
    parts[20] = Path([12, 1, 2, 3], parts[20].y, True)
    problem = lmoo.JointProblem(parts, names())
    x0 = start(problem, true)
    agree(lmoo.Solver().solve(problem, x0), lmoo.Solver().solve(whole(problem), x0), 1e-5)
    # Its gain and its size are then one number.
    parts[20] = Path([12], np.full(1, 2.0), True)
    problem = lmoo.JointProblem(parts, names())
    found = lmoo.Solver().solve(problem, start(problem, true))
    assert found.success
    assert "gain12" in found.undetermined or "size[20]" in found.undetermined
    others = np.array([name[-4:] != "[20]" and name != "gain12" for name in found.parameter_names])
    assert np.isfinite(found.standard_errors[others]).all()


def test_a_direction_that_no_problem_determines():
    """Gains that all problems have in pairs: only their sums count."""
    parts, true = network(count=80)
    for part in parts:
        part.weights = lambda part=part: np.ones((len(part.parameter_names) - 2, part.t.size))
        part.y = part.values(np.array([true.get(name, 0.0) for name in part.parameter_names]))
        part.y = part.y + 1.0 + 0.01 * np.sin(40 * part.t)
    problem = lmoo.JointProblem(parts, names())
    found = lmoo.Solver().solve(problem, start(problem, true))
    expected = lmoo.Solver().solve(whole(problem), start(problem, true))
    assert found.rank == expected.rank < len(problem.parameter_names)
    np.testing.assert_allclose(found.cost, expected.cost, rtol=1e-9)


def test_results_are_stored_with_the_columns_of_each_problem():
    problem, x0 = case()
    found = lmoo.Solver().solve(problem, x0)
    for again in (
        lmoo.Result.from_dict(found.to_dict()),
        pickle.loads(pickle.dumps(found)),
    ):
        assert np.array_equal(again.standard_errors, found.standard_errors)
        assert np.array_equal(again.covariance_of([0, 50]), found.covariance_of([0, 50]))
    part = found.part(3)
    index = problem.indices[3]
    assert np.allclose(part.covariance(), found.covariance_of(index), rtol=1e-12)
    stored = found.to_dict()
    stored["factor"]["columns"][0] = STATIONS
    with pytest.raises(ValueError, match="span and columns"):
        lmoo.Result.from_dict(stored)
    # Each problem has 2 (2 + 4 + 1) numbers, not 2 (2 + 40 + 1).
    assert found.factor.blocks.size <= 60 * 2 * (2 + LINKS + 1)


def test_results_stored_without_columns_have_all_shared_parameters():
    parts, true = network(stations=4, count=6)
    problem = lmoo.JointProblem(parts, [f"gain{k}" for k in range(4)])
    parts[5].parameter_names = parts[4].parameter_names
    found = lmoo.Solver().solve(
        lmoo.JointProblem(parts[:5], [f"gain{k}" for k in range(4)]),
        start(problem, true)[: 4 + 2 * 5],
    )
    assert found.factor.columns is None
    stored = found.to_dict()
    del stored["factor"]["span"], stored["factor"]["columns"]
    again = lmoo.Result.from_dict(stored)
    assert np.array_equal(again.standard_errors, found.standard_errors)


def test_few_columns_of_few_are_stored_as_such_too():
    """Below 32 shared parameters rows are folded, in the columns of all."""
    parts, true = network(stations=8, count=30)
    problem = lmoo.JointProblem(parts, [f"gain{k}" for k in range(8)])
    x0 = start(problem, true)
    found = lmoo.Solver().solve(problem, x0)
    agree(found, lmoo.Solver().solve(whole(problem), x0), 1e-6)
    assert found.factor.blocks.size <= 30 * 2 * (2 + LINKS + 1)
    span, columns = found.factor.span, found.factor.columns
    assert not ArrowLinear(8, np.full(30, 2), (span, columns)).scattered
