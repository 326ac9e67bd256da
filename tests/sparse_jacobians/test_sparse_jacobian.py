"""Problems whose Jacobian is a sparse matrix: every kind of matrix, every option of a solver."""

from __future__ import annotations

import builtins
import pickle
import sys
from typing import Any

import numpy as np
import pytest
from sparse_cases import Array, Counting, chained, chained_jacobian

import lmoo
from lmoo import Solver, SparseCholesky
from lmoo.results.sparsefactor import SparseFactor

sparse = pytest.importorskip("scipy.sparse")

KINDS = ["csr_array", "csc_array", "coo_array", "dia_array", "csr_matrix", "coo_matrix"]


def doubled(matrix: Array) -> Any:
    """Return a matrix in which each entry is there twice, with half of its value."""
    rows, columns = np.nonzero(matrix)
    half = 0.5 * matrix[rows, columns]
    index = np.tile(rows, 2), np.tile(columns, 2)
    return sparse.coo_array((np.tile(half, 2), index), shape=matrix.shape)


def unsorted(matrix: Array) -> Any:
    """Return a matrix whose columns are not in order."""
    found = sparse.csr_array(matrix)
    for first, last in zip(found.indptr[:-1], found.indptr[1:], strict=True):
        for part in (found.indices, found.data):
            part[first:last] = part[first:last][::-1].copy()
    found.has_sorted_indices = False
    return found


@pytest.mark.parametrize("kind", [*(getattr(sparse, k) for k in KINDS), doubled, unsorted])
def test_every_kind_of_matrix(kind: Any) -> None:
    problem, dense = Counting(5, kind), Counting(5, np.asarray)
    found, wanted = (Solver().solve(p, p.start) for p in (problem, dense))
    assert isinstance(found.factor, SparseFactor)
    np.testing.assert_allclose(found.x, wanted.x, rtol=1e-10)
    assert (found.status, found.nfev, found.njev) == (wanted.status, wanted.nfev, wanted.njev)
    # The first Jacobian tells which loop it takes; nothing is evaluated twice.
    assert (problem.calls, problem.jacobians) == (dense.calls, dense.jacobians)
    assert found.nfev == problem.calls


STEPS = [lmoo.More(), lmoo.More(accelerate=False), lmoo.Nielsen(), lmoo.GeodesicAcceleration()]


@pytest.mark.parametrize("step", STEPS, ids=repr)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bounds": ([0.9, *[-np.inf] * 5], np.inf)},
        {"fixed": {"rate": 0.7}},
        {"fixed": ["a1"], "bounds": {"a2": (0.0, 1.5)}},
        {"diag": [1.0, 2.0, 3.0, 1.0, 1.0, 1.0]},
        {"loss": "huber", "f_scale": 0.005},
        {"loss": "cauchy", "f_scale": "mad"},
    ],
    ids=lambda options: "-".join(options),
)
def test_options_give_what_they_give_with_a_dense_one(
    step: lmoo.Step, options: dict[str, Any]
) -> None:
    results = []
    for kind in (sparse.csr_array, np.asarray):
        problem = Counting(5, kind)
        start = np.clip(problem.start, 0.9, 1.5)
        results.append(Solver(step=step, **options).solve(problem, start))
    found, wanted = results
    assert found.success
    np.testing.assert_allclose(found.x, wanted.x, rtol=1e-7)
    np.testing.assert_allclose(found.standard_errors, wanted.standard_errors, rtol=1e-5)
    np.testing.assert_allclose(found.gradient, wanted.gradient, atol=1e-6)
    assert found.active_mask.tolist() == wanted.active_mask.tolist()
    assert found.rank == wanted.rank
    assert found.degrees_of_freedom == wanted.degrees_of_freedom


@pytest.mark.parametrize(
    "options",
    [
        {"ties": {"a1": "a0 + 0.1"}},
        {"priors": {"rate": (1.0, 1e-3)}},
        {"derived": {"tau": "1/rate"}},
        {"constraints": ["a0 <= a1", "rate <= 0.75"]},
    ],
    ids=lambda options: "-".join(options),
)
def test_relations_work(options: dict[str, Any]) -> None:
    results = []
    for kind in (sparse.csr_array, np.asarray):
        problem = Counting(4, kind)
        names = problem.parameter_names or ()
        start = dict(zip(names, [0.7, 1.0, 1.1, 1.0, 1.0], strict=True))
        results.append(Solver(**options).solve(problem, start))
    found, wanted = results
    assert found.success
    np.testing.assert_allclose(found.x, wanted.x, rtol=1e-8)
    np.testing.assert_allclose(found.standard_errors, wanted.standard_errors, rtol=1e-6)


def test_a_joint_problem_and_blocks_turn_it_into_an_array() -> None:
    parts = [Counting(2, sparse.csr_array), Counting(2, sparse.csr_array)]
    problem = lmoo.JointProblem(parts, shared=["rate"])
    start = dict.fromkeys(problem.parameter_names, 1.0)
    assert Solver().solve(problem, start).success


@pytest.mark.parametrize("separable", [True, "auto"])
def test_linear_parameters_are_eliminated_with_an_array(separable: Any) -> None:
    problem = Counting(3, sparse.csr_array)
    problem.linear_parameters = ("a0", "a1", "a2")
    found = Solver(separable=separable).solve(problem, problem.start)
    np.testing.assert_allclose(found.x, Solver().solve(problem, problem.start).x, rtol=1e-8)


def test_many_parameters_take_no_dense_matrix() -> None:
    n = 20_000
    target = np.linspace(1.0, 9.0, n)
    problem = lmoo.FunctionProblem(
        lambda x: x**2 - target, lambda x: sparse.diags_array(2.0 * x, format="csr")
    )
    result = Solver().solve(problem, np.full(n, 3.0))
    assert result.success
    np.testing.assert_allclose(result.x, np.sqrt(target), rtol=1e-12)


def test_fewer_residuals_than_parameters() -> None:
    problem = lmoo.FunctionProblem(
        lambda x: np.array([x[0] + x[1] - 3.0]), lambda x: sparse.csr_array([[1.0, 1.0, 0.0]])
    )
    result = Solver().solve(problem, [0.5, 0.5, 1.0])
    assert result.success
    assert result.cost < 1e-20
    assert result.undetermined == ("x[0]", "x[1]", "x[2]")


def test_a_parameter_without_effect_and_dependent_columns_are_undetermined() -> None:
    inner = Counting(3, sparse.csr_array)

    def residual(x: Array) -> Array:
        return inner.residual(np.array([x[0], x[1], x[2] + x[3], x[4]]))

    def jacobian(x: Array) -> Any:
        found = inner.dense(np.array([x[0], x[1], x[2] + x[3], x[4]]))
        return sparse.csr_array(np.append(found[:, [0, 1, 2, 2, 3]], 0 * found[:, :1], axis=1))

    problem = lmoo.FunctionProblem(residual, jacobian)
    result = Solver().solve(problem, np.ones(6))
    assert result.success
    assert result.rank == 4
    assert result.undetermined == ("x[2]", "x[3]", "x[5]")
    dense = Solver().solve(
        lmoo.FunctionProblem(residual, lambda x: jacobian(x).toarray()), np.ones(6)
    )
    assert result.undetermined == dense.undetermined
    np.testing.assert_allclose(result.cost, dense.cost, rtol=1e-10)
    known = [0, 1, 4]
    np.testing.assert_allclose(
        result.standard_errors[known], dense.standard_errors[known], rtol=1e-4
    )
    assert np.isinf(result.standard_errors[[2, 3, 5]]).all()


def test_covariances_are_those_of_a_dense_one() -> None:
    found, wanted = (
        Solver(bounds={"a2": (0.0, 1.5)}).solve(Counting(5, kind), np.ones(6))
        for kind in (sparse.csr_array, np.asarray)
    )
    np.testing.assert_allclose(found.covariance(), wanted.covariance(), rtol=1e-7, atol=1e-16)
    np.testing.assert_allclose(found.correlation, wanted.correlation, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(
        found.covariance_of(["rate", "a4"]), wanted.covariance_of(["rate", "a4"]), rtol=1e-7
    )
    directions = np.random.default_rng(0).standard_normal((4, 6))
    directions[:, 3] = 0.0
    np.testing.assert_allclose(
        found._linear.prediction_error(directions, 0.3),
        wanted._linear.prediction_error(directions, 0.3),
        rtol=1e-7,
    )
    np.testing.assert_allclose(found.leverage, wanted.leverage, rtol=1e-7)
    np.testing.assert_allclose(
        found.confidence_interval(method="profile"),
        wanted.confidence_interval(method="profile"),
        rtol=1e-6,
    )
    assert "rate" in found.report()


def test_results_are_stored() -> None:
    result = Solver(bounds={"a2": (0.0, 1.5)}).solve(Counting(5, sparse.csr_array), np.ones(6))
    for again in (
        lmoo.Result.from_dict(result.to_dict()),
        pickle.loads(pickle.dumps(result)),
    ):
        np.testing.assert_array_equal(again.standard_errors, result.standard_errors)
        np.testing.assert_array_equal(again.covariance(), result.covariance())
    damaged = result.to_dict()
    damaged["factor"]["columns"][0] = 99
    with pytest.raises(ValueError, match="columns must be those of 6 parameters"):
        lmoo.Result.from_dict(damaged)


def test_threads_share_a_result() -> None:
    from concurrent.futures import ThreadPoolExecutor

    result = Solver().solve(Counting(40, sparse.csr_array), np.ones(41))
    again = pickle.loads(pickle.dumps(result))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda k: again.covariance_of([k])[0, 0], range(41)))
    np.testing.assert_allclose(found, np.diag(result.covariance()), rtol=1e-12)


def jacobian_problem(value: Any) -> lmoo.FunctionProblem:
    return lmoo.FunctionProblem(chained, lambda x: value)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (sparse.csr_array(np.ones((3, 6))), TypeError, r"shape \(6, 4\); .*\(3, 6\)$"),
        (sparse.csr_array(np.ones((4, 6))), TypeError, "it is transposed"),
        (sparse.csr_array(np.ones((6, 4)) * 1j), TypeError, "dtype complex128"),
        (None, TypeError, "jacobian"),
    ],
)
@pytest.mark.parametrize("linear", [None, SparseCholesky])
def test_bad_matrices_are_refused(
    linear: Any, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Solver(linear=linear).solve(jacobian_problem(value), np.ones(4))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_entry_that_is_not_finite_is_named(bad: float) -> None:
    matrix = chained_jacobian(np.full(4, 2.0))
    matrix[1, 2] = bad
    problem = jacobian_problem(sparse.csr_array(matrix))
    with pytest.raises(lmoo.EvaluationError, match=rf"its entry \(1, 2\) is {bad}"):
        Solver().solve(problem, np.full(4, 2.0))


def test_a_matrix_may_be_used_again_by_its_owner() -> None:
    problem = Counting(5)
    kept = sparse.csr_array(problem.dense(problem.start))
    pattern = kept.nonzero()

    def jacobian(x: Array) -> Any:
        kept.data[:] = problem.dense(x)[pattern]
        return kept

    found = Solver().solve(lmoo.FunctionProblem(problem.residual, jacobian), problem.start)
    kept.data[:] = np.nan
    wanted = Solver().solve(Counting(5, np.asarray), problem.start)
    np.testing.assert_allclose(found.standard_errors, wanted.standard_errors, rtol=1e-8)


def test_a_pattern_may_change() -> None:
    def jacobian(x: Array) -> Any:
        found = sparse.csr_array(chained_jacobian(x))
        found.eliminate_zeros()
        return found

    result = Solver().solve(lmoo.FunctionProblem(chained, jacobian), np.zeros(6))
    assert result.success
    np.testing.assert_allclose(result.x, 1.0)


def test_an_iteration_steps_through() -> None:
    steps = Solver().iterate(Counting(5, sparse.csr_array), np.ones(6))
    costs = [step.cost for step in steps]
    assert steps.result.success
    # The last steps change the cost by its rounding.
    assert (np.diff(costs) <= 1e-14 * np.array(costs[:-1])).all()


class Squares(lmoo.Problem):
    """A problem with a diagonal Jacobian, which is an array."""

    def residual(self, x: Array) -> Array:
        return np.asarray(x**2 - np.arange(1.0, x.size + 1.0))

    def jacobian(self, x: Array) -> Array:
        return np.diag(2.0 * x)


@pytest.mark.parametrize("bounds", [None, (0.0, np.inf)])
def test_an_iteration_that_has_ended_is_pickled(bounds: Any) -> None:
    problem = Counting(3, sparse.csr_array)
    steps = Solver(bounds=bounds).iterate(problem, problem.start)
    for _ in steps:
        pass
    expected = steps.result
    once = pickle.loads(pickle.dumps(steps))
    for again in (once, pickle.loads(pickle.dumps(once))):
        assert list(again) == []
        again.stop()
        np.testing.assert_array_equal(again.result.x, expected.x)
        np.testing.assert_array_equal(again.result.stderr, expected.stderr)
        assert again.result.message == expected.message


def test_an_iteration_is_pickled_before_it_begins_and_with_an_array(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from lmoo.solver import options

    # As with thousands of parameters, whose dense matrix would be large.
    monkeypatch.setattr(options, "_MANY", 5)
    for begun in (0, 2):
        steps = Solver().iterate(Squares(), np.full(8, 4.0))
        for _ in range(begun):
            next(steps)
        again = pickle.loads(pickle.dumps(steps))
        assert [step.cost for step in again] == [step.cost for step in steps]
        assert again.result.nfev == steps.result.nfev
        np.testing.assert_array_equal(again.result.x, steps.result.x)
    begun_sparse = Solver().iterate(Counting(3, sparse.csr_array), np.ones(4))
    assert pickle.loads(pickle.dumps(begun_sparse)).result.observations == 0
    next(begun_sparse)
    with pytest.raises(TypeError, match="cannot be stored before its end"):
        pickle.dumps(begun_sparse)


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Counting(3, sparse.csr_array)
    value = problem.jacobian(problem.start)
    original = builtins.__import__

    def refused(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] in ("scipy", "sksparse"):
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refused)
    for name in [name for name in sys.modules if name.split(".")[0] == "sksparse"]:
        monkeypatch.delitem(sys.modules, name)
    broken = lmoo.FunctionProblem(problem.residual, lambda x: value)
    with pytest.raises(ImportError, match=r"pip install 'lmoo\[sparse\]'"):
        Solver().solve(broken, problem.start)
