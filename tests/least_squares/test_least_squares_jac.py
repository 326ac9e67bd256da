"""`jac` of `least_squares`: differences, kinds of matrices, sparsity, workers."""

from __future__ import annotations

from multiprocessing.pool import ThreadPool
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from least_squares_cases import (
    START,
    TIGHT,
    Array,
    curve,
    curve_jacobian,
    rosenbrock,
    rosenbrock_jacobian,
)
from scipy.sparse import coo_matrix, csr_array, issparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from lmoo import least_squares
from lmoo.scipy_api import least_squares_run


@pytest.mark.parametrize("jac", ["2-point", "3-point", "cs"])
@pytest.mark.parametrize("diff_step", [None, 1e-6, [1e-6, 1e-5, 1e-6]])
def test_differences(jac: str, diff_step: Any) -> None:
    result = least_squares(curve, [2, 1, 0.2], jac, diff_step=diff_step, **TIGHT)
    theirs = scipy.optimize.least_squares(curve, [2, 1, 0.2], curve_jacobian, **TIGHT)
    np.testing.assert_allclose(result.x, theirs.x, rtol=1e-7)
    tolerance = 1e-10 if jac == "cs" else 1e-4
    np.testing.assert_allclose(result.jac, curve_jacobian(result.x), rtol=1e-5, atol=tolerance)


@pytest.mark.parametrize("part", [np.abs, np.real])
def test_a_complex_step_needs_complex_values(part: Any) -> None:
    """All derivatives of a function that leaves the imaginary parts out would be 0."""
    with pytest.raises(TypeError, match=r"must return complex numbers .* with jac='cs'"):
        least_squares(lambda x: part(x) - 1.0, [2.0, 3.0], "cs")


@pytest.mark.parametrize("jac", ["2-point", "3-point"])
def test_steps_are_relative_to_x(jac: str) -> None:
    seen: list[Array] = []

    def fun(x: Array) -> Array:
        seen.append(x.copy())
        return rosenbrock(x)

    least_squares(fun, [4.0, -2.0], jac, diff_step=[0.125, 0.25], max_nfev=1)
    points = {tuple(x) for x in seen[1:5]}
    assert (4.5, -2.0) in points
    assert (4.0, -2.5) in points
    if jac == "3-point":
        assert (3.5, -2.0) in points
        assert (4.0, -1.5) in points


@pytest.mark.parametrize("jac", ["2-point", "3-point"])
@pytest.mark.parametrize("diff_step", [None, 0.5])
def test_differences_stay_within_bounds(jac: str, diff_step: Any) -> None:
    def fun(x: Array) -> Array:
        assert (x >= 1.0).all()
        assert (x <= 3.0).all()
        return rosenbrock(x)

    for x0 in ([1.0, 3.0], [3.0, 1.0], [2.9, 1.1]):
        result = least_squares(fun, x0, jac, (1.0, 3.0), diff_step=diff_step, max_nfev=30)
        assert result.cost < 0.5 * float(rosenbrock(np.array(x0)) @ rosenbrock(np.array(x0)))


@pytest.mark.parametrize("kind", [csr_array, coo_matrix, aslinearoperator, np.matrix, list])
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_jacobians_of_every_kind(kind: Any) -> None:
    result = least_squares(rosenbrock, START, lambda x: kind(rosenbrock_jacobian(x)))
    assert result.success
    np.testing.assert_allclose(result.x, [1.0, 1.0], rtol=1e-7)
    # As scipy: what is sparse stays sparse, and an operator an operator.
    assert issparse(result.jac) == (kind in (csr_array, coo_matrix))
    assert isinstance(result.jac, LinearOperator) == (kind is aslinearoperator)
    np.testing.assert_allclose(result.jac @ np.eye(2), rosenbrock_jacobian(result.x), rtol=1e-12)


@pytest.mark.parametrize("kind", [csr_array, coo_matrix])
@pytest.mark.parametrize("loss", ["linear", "huber", "cauchy"])
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (-5.0, 1.0)])
def test_a_sparse_jacobian_gives_what_a_dense_one_does(kind: Any, loss: str, bounds: Any) -> None:
    options: dict[str, Any] = {"loss": loss, "f_scale": 0.1, "bounds": bounds, **TIGHT}
    sparse = least_squares(curve, [0.9, 0.8, 0.2], lambda x: kind(curve_jacobian(x)), **options)
    dense = least_squares(curve, [0.9, 0.8, 0.2], curve_jacobian, **options)
    np.testing.assert_allclose(sparse.x, dense.x, rtol=1e-6)
    np.testing.assert_allclose(sparse.jac.toarray(), dense.jac, rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(sparse.grad, dense.grad, atol=1e-6)
    assert sparse.status == dense.status
    # With these tolerances the last steps follow rounding errors.
    assert sparse.nfev <= 2 * dense.nfev
    assert dense.nfev <= 2 * sparse.nfev
    assert sparse.active_mask.tolist() == dense.active_mask.tolist()


def test_a_sparse_jacobian_with_fewer_residuals_than_parameters() -> None:
    result = least_squares(
        lambda x: np.array([x[0] + x[1] - 3.0, x[2] ** 2 - 4.0]),
        np.ones(3),
        lambda x: csr_array(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 2.0 * x[2]]])),
    )
    assert result.success
    assert result.cost < 1e-18
    assert issparse(result.jac)


def test_a_large_operator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(least_squares_run, "LARGEST_OPERATOR", 3)
    with pytest.raises(ValueError, match=r"LinearOperator .* shape \(2, 2\) is too large"):
        least_squares(rosenbrock, START, lambda x: aslinearoperator(rosenbrock_jacobian(x)))


def test_a_jacobian_with_one_row_may_be_flat() -> None:
    result = least_squares(lambda x: x[0] + 2 * x[1] - 3.0, [0.0, 0.0], lambda x: [1.0, 2.0])
    assert result.cost < 1e-20


@pytest.mark.parametrize("jac", ["2-point", "3-point", "cs"])
def test_sparsity_groups_columns(jac: str) -> None:
    n, calls = 60, 0

    def broyden(x: Array) -> Array:
        nonlocal calls
        calls += 1
        f = (3.0 - x) * x + 1.0
        f[1:] -= x[:-1]
        f[:-1] -= 2.0 * x[1:]
        return np.asarray(f)

    pattern = np.eye(n) + np.eye(n, k=1) + np.eye(n, k=-1)
    result = least_squares(broyden, -np.ones(n), jac, jac_sparsity=csr_array(pattern))
    assert result.cost < 1e-15
    assert calls <= result.nfev + 6 * result.njev
    theirs = scipy.optimize.least_squares(broyden, -np.ones(n), jac_sparsity=pattern)
    np.testing.assert_allclose(result.x, theirs.x, atol=1e-6)
    assert result.jac[0, 5] == 0.0


@pytest.mark.parametrize("options", [{}, {"diff_step": 1e-6}, {"workers": map}])
def test_sparsity_gives_a_sparse_jacobian(options: dict[str, Any]) -> None:
    result = least_squares(rosenbrock, START, jac_sparsity=[[1, 1], [1, 0]], **options)
    assert issparse(result.jac)
    np.testing.assert_allclose(result.jac.toarray(), rosenbrock_jacobian(result.x), atol=1e-4)


def test_workers_evaluate_differences() -> None:
    sizes = []

    def mapped(function: Any, points: Any) -> Any:
        points = list(points)
        sizes.append(len(points))
        with ThreadPool(2) as pool:
            return pool.map(function, points)

    result = least_squares(curve, [2, 1, 0.2], workers=mapped, loss="huber", f_scale=0.1)
    assert result.success
    assert set(sizes) == {3}
    plain = least_squares(curve, [2, 1, 0.2], loss="huber", f_scale=0.1)
    np.testing.assert_allclose(result.x, plain.x, rtol=1e-5)
    with pytest.raises(TypeError, match="`workers` must be a callable such as map"):
        least_squares(curve, [2, 1, 0.2], workers=2)


def test_a_line_over_unix_times() -> None:
    # The columns are parallel within the errors of forward differences, not within those of
    # central ones; scipy's trf fits this line, too.
    random = np.random.default_rng(0)
    t = 1.7e9 + np.sort(random.uniform(0, 86400, 60))
    y = 0.01 * (t - 1.7e9) + 5 + 5 * random.standard_normal(60)

    def fun(x: np.ndarray) -> np.ndarray:
        return np.asarray(x[0] + x[1] * t - y)

    found = least_squares(fun, [1, 1])
    assert found.success
    slope, level = np.polyfit(t - t.mean(), y, 1)
    least = 0.5 * np.sum((level + slope * (t - t.mean()) - y) ** 2)
    assert found.cost == pytest.approx(least, rel=1e-4)
