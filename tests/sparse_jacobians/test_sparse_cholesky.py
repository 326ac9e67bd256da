"""`SparseCholesky`: its backends, its accuracy, what it keeps."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest
from nist_linear import both_solve_nist
from problems import CASES, MghCase
from sparse_cases import Array, Counting

import lmoo
from lmoo import Solver, SparseCholesky
from lmoo.sparse import cholesky
from lmoo.sparse.cholesky import NormalMatrix

sparse = pytest.importorskip("scipy.sparse")
# An import that fails is tried again for each model otherwise.
BACKENDS = ["installed", "superlu", "cholmod5"]


class Factor5:
    """What scikit-sparse 0.5 offers, by dense matrices; it counts its analyses."""

    analyses = 0

    def __init__(self, A: Any, *, sym_kind: str, lower: bool) -> None:
        assert (sym_kind, lower) == ("sym", True)
        assert A.format == "csc"
        type(self).analyses += 1

    def factorize(self, A: Any) -> None:
        try:
            self.factor = np.linalg.cholesky(A.toarray())
        except np.linalg.LinAlgError as error:
            raise NotPositiveError from error

    def solve(self, b: Array) -> Array:
        return np.asarray(np.linalg.solve(self.factor.T, np.linalg.solve(self.factor, b)))


class NotPositiveError(Exception):
    pass


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take one of the libraries."""
    if request.param == "superlu":
        for name in ("sksparse", "sksparse.cholmod"):
            monkeypatch.setitem(sys.modules, name, None)
        assert cholesky.backend()[0] is cholesky._SuperLU
    elif request.param == "cholmod5":
        package, module = types.ModuleType("sksparse"), types.ModuleType("sksparse.cholmod")
        module.CholeskyFactor = Factor5  # type: ignore[attr-defined]
        module.CholmodNotPositiveDefiniteError = NotPositiveError  # type: ignore[attr-defined]
        package.cholmod = module  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "sksparse", package)
        monkeypatch.setitem(sys.modules, "sksparse.cholmod", module)
        assert cholesky.backend()[0] is cholesky._Cholmod5
    return str(request.param)


@pytest.mark.parametrize("name", lmoo.datasets.nist_names())
def test_it_solves_nist_as_accurately_as_qr(name: str) -> None:
    for dense, other in both_solve_nist(name, SparseCholesky, 1.0):
        # Lanczos1 has no noise, so that its errors are those of rounding.
        rtol = 2e-3 if name == "Lanczos1" else 1e-6
        np.testing.assert_allclose(other.standard_errors, dense.standard_errors, rtol=rtol)
        assert other.nfev <= 1.5 * dense.nfev + 10


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_it_solves_the_problems_of_more_garbow_and_hillstrom(case: MghCase) -> None:
    problem = case.problem
    dense = Solver().solve(lmoo.FunctionProblem(problem.residual, problem.jacobian), case.start())
    other = Solver().solve(
        lmoo.FunctionProblem(problem.residual, lambda x: sparse.csr_array(problem.jacobian(x))),
        case.start(),
    )
    assert other.cost <= dense.cost * (1.0 + 1e-8) + 1e-25
    if case.id.startswith("powell-singular"):
        # At a singular minimum normal equations lose the direction in which dense steps converge:
        # f is 0 to its rounding, and no step tells that it cannot become smaller.
        assert other.cost < 1e-30
    elif case.id == "bard-3x15-f100":
        # At a minimum at infinity the least damping limits the step that shows that x runs away.
        assert dense.success
        assert dense.undetermined
        assert not other.success
    else:
        assert other.success == dense.success


def test_the_normal_matrix_is_the_product() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        m, n = rng.integers(1, 30, 2)
        dense = rng.standard_normal((m, n)) * (rng.random((m, n)) < 0.2)
        matrix = NormalMatrix(sparse.csr_array(dense))
        free = rng.random(n) < 0.7
        d = rng.random(n) + 0.1
        matrix.factor(d, free)
        wanted = (dense.T @ dense) * np.outer(free, free)
        wanted[np.arange(n), np.arange(n)] += np.where(free, d * d, 1.0)
        right = rng.standard_normal(n)
        np.testing.assert_allclose(matrix.solve(right), np.linalg.solve(wanted, right), rtol=1e-9)


def test_every_backend_solves(backend: str) -> None:
    problem, dense = Counting(5, sparse.csr_array), Counting(5, np.asarray)
    for options in ({}, {"bounds": {"a1": (0.0, 1.4)}}, {"fixed": ["rate"]}):
        found, wanted = (
            Solver(**options).solve(p, np.ones(6))  # type: ignore[arg-type]
            for p in (problem, dense)
        )
        assert found.status == wanted.status
        np.testing.assert_allclose(found.x, wanted.x, rtol=1e-9)
        np.testing.assert_allclose(found.standard_errors, wanted.standard_errors, rtol=1e-8)


def test_every_backend_reports_a_singular_matrix(backend: str) -> None:
    rows = sparse.csr_array(np.array([[1.0, 1.0], [0.0, 0.0]]))
    matrix = NormalMatrix(rows)
    free = np.ones(2, dtype=bool)
    try:
        matrix.factor(np.zeros(2), free)
        found = matrix.solve(np.array([1.0, -1.0]))
    except np.linalg.LinAlgError:
        pass
    else:
        # Where rounding has hidden it, the solution shows it.
        assert np.linalg.norm(found) > 1e13
    matrix.factor(np.ones(2), free)
    np.testing.assert_allclose(matrix.solve(np.ones(2)), [1 / 3, 1 / 3])
    matrix.factor(np.ones(2), np.array([True, False]))
    np.testing.assert_allclose(matrix.solve(np.array([1.0, 0.0])), [0.5, 0.0])


def test_the_analysis_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    analyses = []

    class Counted(cholesky._SuperLU):
        def __init__(self, module: Any, lower: Any) -> None:
            analyses.append(lower.shape)
            super().__init__(module, lower)

    import scipy.sparse.linalg

    monkeypatch.setattr(cholesky, "backend", lambda: (Counted, scipy.sparse.linalg))
    result = Solver(bounds={"a1": (0.0, 1.4)}).solve(Counting(5, sparse.csr_array), np.ones(6))
    assert result.njev > 2
    assert len(analyses) == 1


def test_a_singular_problem_is_no_false_success() -> None:
    """The same minimum as of the dense model, where directions are not determined."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        a = rng.standard_normal((30, 4))
        mix = rng.standard_normal((4, 7))

        def residual(x: Array, a: Array = a, mix: Array = mix) -> Array:
            return np.asarray(np.tanh(a @ (mix @ x)) - 0.3 * np.sin(np.arange(30.0)))

        def jacobian(x: Array, a: Array = a, mix: Array = mix) -> Any:
            slope = 1.0 - np.tanh(a @ (mix @ x)) ** 2
            return sparse.csr_array(slope[:, None] * (a @ mix))

        start = 0.1 * rng.standard_normal(7)
        found = Solver().solve(lmoo.FunctionProblem(residual, jacobian), start)
        gradient = jacobian(found.x).T @ residual(found.x)
        norms = np.linalg.norm(jacobian(found.x).toarray(), axis=0)
        assert found.success
        assert np.abs(gradient / norms).max() < 1e-7 * found.fnorm
        assert found.rank == 4


def test_units_change_nothing() -> None:
    problem = Counting(5)
    results = []
    for unit in (1.0, 2.0**40, 2.0**-60):
        scales = unit ** np.array([1.0, -1.0, 0.0, 1.0, 0.5, 0.0])

        def residual(x: Array, scales: Array = scales, unit: float = unit) -> Array:
            return unit * problem.residual(x * scales)

        def jacobian(x: Array, scales: Array = scales, unit: float = unit) -> Any:
            return sparse.csr_array(unit * problem.dense(x * scales) * scales)

        result = Solver().solve(lmoo.FunctionProblem(residual, jacobian), 1.0 / scales)
        results.append((result.status, result.nfev, *(result.x * scales)))
    assert results[0] == results[1] == results[2]


def test_a_model_of_a_third_party_takes_sparse_matrices() -> None:
    seen = []

    class Damped(SparseCholesky):
        def update(self, jac: Any, fun: Array) -> None:
            seen.append(type(jac).__name__)
            super().update(jac, fun)

    assert Solver(linear=Damped).solve(Counting(3, sparse.csc_array), np.ones(4)).success
    assert set(seen) == {"csr_array"}


def test_a_dense_jacobian_and_differences_are_converted() -> None:
    wanted = Solver().solve(Counting(3, np.asarray), np.ones(4))
    for kind, jacobian in ((np.asarray, None), (None, None), (None, lmoo.CentralDifference())):
        found = Solver(linear=SparseCholesky, jacobian=jacobian).solve(
            Counting(3, kind), np.ones(4)
        )
        assert found.success
        np.testing.assert_allclose(found.x, wanted.x, rtol=1e-7)


@pytest.mark.parametrize("factor", [1.0, 10.0, 100.0])
def test_singular_at_the_solution_ends_as_with_qr(factor: float) -> None:
    # Powell's singular function: the smallest singular values go to zero with x.
    name = f"powell-singular-4x4-f{factor:g}"
    (case,) = (c for c in CASES if c.id == name)
    residual, jacobian = case.problem.residual, case.problem.jacobian
    dense = Solver().solve(lmoo.FunctionProblem(residual, jacobian), case.start())
    other = Solver().solve(
        lmoo.FunctionProblem(residual, lambda x: sparse.csr_array(jacobian(x))), case.start()
    )
    assert dense.success
    assert other.success
    assert other.nfev <= 1.5 * dense.nfev
    assert other.cost <= 1e-30


def test_a_valley_takes_as_many_evaluations_as_with_qr() -> None:
    # Singular values down to 1e-9, with a third of the residual along the smallest.
    problem = lmoo.datasets.nist("MGH17")
    dense = Solver().solve(problem, problem.starts[0])
    other = Solver(linear=SparseCholesky).solve(problem, problem.starts[0])
    assert abs(other.nfev - dense.nfev) <= 0.05 * dense.nfev


def test_two_equal_columns_are_found_to_be_singular() -> None:
    rows = np.random.default_rng(1).standard_normal((30, 12))
    for j in range(1, 12):
        equal = rows.copy()
        equal[:, j] = equal[:, 0]
        probe = cholesky.singular_probe(np.ones(12, dtype=bool))
        assert abs(probe[j] - probe[0]) > 1e-2
        problem = lmoo.FunctionProblem(
            lambda x, a=equal: a @ x + 0.1 * (a @ x) ** 2 - 1.0,
            lambda x, a=equal: sparse.csr_array((1 + 0.2 * (a @ x))[:, None] * a),
        )
        result = Solver().solve(problem, np.zeros(12))
        assert result.success
        assert {result.parameter_names[0], result.parameter_names[j]} <= set(result.undetermined)
