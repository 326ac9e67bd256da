"""NIST's 54 certified nonlinear regressions: how many digits, at what cost, and who says so.

Digits are those of the worst parameter, -log10 of its relative error, at most 11, the number that
NIST certifies; 0 where x is not finite.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from counted import Counted, CountedWithJacobian

import lmoo
from lmoo.datasets import NistDataset, nist, nist_names

RUNS = [(name, start) for name in nist_names() for start in (0, 1)]  # 0 is far, 1 near
SUCCESS = {1, 2, 3, 4}


def digits(value: np.ndarray, certified: np.ndarray) -> float:
    if not np.isfinite(value).all():
        return 0.0
    error = float(np.max(np.abs(value - certified) / np.abs(certified)))
    return 11.0 if error == 0.0 else min(11.0, max(0.0, -float(np.log10(error))))


class Run(NamedTuple):
    name: str
    start: int
    data: NistDataset
    problem: Counted
    result: lmoo.Result

    @property
    def digits(self) -> float:
        return digits(self.result.x, self.data.certified)

    @property
    def digits_of_errors(self) -> float:
        return digits(self.result.standard_errors, self.data.standard_errors)

    def __str__(self) -> str:
        return (
            f"{self.name} from start {self.start + 1}: {self.digits:.1f} digits, "
            f"{self.digits_of_errors:.1f} of the standard errors, {self.result.status!r}, "
            f"{self.result.nfev} evaluations"
        )


def run(name: str, start: int, kind: type[Counted], solver: lmoo.Solver) -> Run:
    data = nist(name)
    problem = kind(data)
    return Run(name, start, data, problem, solver.solve(problem, data.starts[start]))


@pytest.fixture(scope="module")
def numeric() -> list[Run]:
    return [run(*r, Counted, lmoo.Solver()) for r in RUNS]


@pytest.fixture(scope="module")
def analytic() -> list[Run]:
    return [run(*r, CountedWithJacobian, lmoo.Solver()) for r in RUNS]


@pytest.fixture(params=["numeric", "analytic"])
def runs(request: pytest.FixtureRequest) -> list[Run]:
    found: list[Run] = request.getfixturevalue(request.param)
    return found


def lines(runs: list[Run]) -> str:
    return "\n".join(str(run) for run in runs)


# ------------------------------------------------------------------------------------- leastsq


@pytest.fixture(scope="module", params=["forward differences", "Dfun"])
def least_squares(request: pytest.FixtureRequest) -> dict[tuple[str, int], tuple[float, int]]:
    """Digits and ier with scipy's default tolerances."""
    answers = {}
    for name, start in RUNS:
        data = nist(name)
        options = {"Dfun": data.jacobian} if request.param == "Dfun" else {}
        x, _, _, _, ier = lmoo.leastsq(
            data.residual, data.starts[start], full_output=True, **options
        )
        answers[name, start] = digits(x, data.certified), ier
    return answers


def test_leastsq_finds_most(least_squares: dict[tuple[str, int], tuple[float, int]]) -> None:
    missed = {key: value for key, value in least_squares.items() if value[0] < 4.0}
    assert len(least_squares) == 54
    assert 54 - len(missed) >= 45, missed


def test_leastsq_does_not_claim_mgh17(
    least_squares: dict[tuple[str, int], tuple[float, int]],
) -> None:
    # Its first steps lead to where exp overflows, and bad points shrink the trust region: MINPACK
    # takes that for convergence.
    found, ier = least_squares["MGH17", 0]
    assert ier == -2
    assert found < 4.0


# -------------------------------------------------------------------------------------- Solver


def test_six_digits_everywhere(runs: list[Run]) -> None:
    assert len(runs) == 54
    short = [run for run in runs if run.digits < 6.0]
    assert not short, lines(short)


@pytest.mark.parametrize(("kind", "least"), [("numeric", 9.3), ("analytic", 10.0)])
def test_mean_of_the_digits(kind: str, least: float, request: pytest.FixtureRequest) -> None:
    runs: list[Run] = request.getfixturevalue(kind)
    assert np.mean([run.digits for run in runs]) >= least, lines(runs)


def test_success_is_true(runs: list[Run]) -> None:
    false = [run for run in runs if run.result.success and run.digits < 4.0]
    assert not false, lines(false)
    missed = [run for run in runs if not run.result.success and run.digits >= 6.0]
    assert not missed, lines(missed)


def test_evaluations(numeric: list[Run]) -> None:
    assert sum(run.problem.residuals for run in numeric) <= 14_000, lines(numeric)


def test_counts_are_of_calls(runs: list[Run]) -> None:
    for run in runs:
        assert run.result.nfev == run.problem.residuals, str(run)
        if isinstance(run.problem, CountedWithJacobian):
            assert run.result.njev == run.problem.jacobians, str(run)


def test_standard_errors(analytic: list[Run]) -> None:
    # Those of Lanczos1, an exact fit, are the rounding errors of its data.
    short = [run for run in analytic if run.digits_of_errors < 6.0]
    assert len(short) <= 3, lines(short)


def test_sums_of_squares(runs: list[Run]) -> None:
    for run in runs:
        if run.name == "Lanczos1":  # 1.4e-25: all of it is rounding.
            assert 2.0 * run.result.cost <= 1e-24
            continue
        certified = run.data.residual_sum_of_squares
        assert 2.0 * run.result.cost == pytest.approx(certified, rel=1e-9), str(run)
        assert run.result.residual_deviation == pytest.approx(
            run.data.residual_standard_deviation, rel=1e-9
        ), str(run)
        assert run.result.degrees_of_freedom == run.data.degrees_of_freedom


def test_all_parameters_are_determined(runs: list[Run]) -> None:
    for run in runs:
        assert run.result.rank == run.data.certified.size, str(run)
        assert run.result.undetermined == (), str(run)


# ------------------------------------------------------------- other sources of the derivatives

# Ill-conditioned: central differences hold no more than this of the parameters.
LESS = {"Lanczos3": 7.6}


@pytest.mark.parametrize(
    "strategy", [lmoo.CentralDifference(), lmoo.ComplexStep()], ids=lambda s: type(s).__name__
)
def test_eight_digits_by(strategy: lmoo.Jacobian) -> None:
    solver = lmoo.Solver(jacobian=strategy)
    near = [run(name, 1, Counted, solver) for name in nist_names()]
    short = [r for r in near if not r.result.success or r.digits < LESS.get(r.name, 8.0)]
    assert not short, lines(short)
    for r in near:
        if isinstance(strategy, lmoo.CentralDifference):
            assert r.result.nfev == r.problem.residuals, str(r)


def test_complex_step_is_as_good_as_the_formula(analytic: list[Run]) -> None:
    by_formula = {r.name: r for r in analytic if r.start == 1}
    solver = lmoo.Solver(jacobian=lmoo.ComplexStep())
    for name in ("Misra1a", "Gauss2", "Rat43", "MGH10", "Nelson", "Eckerle4"):
        by_step = run(name, 1, Counted, solver).result
        expected = by_formula[name].result
        np.testing.assert_allclose(by_step.x, expected.x, rtol=1e-8)
        np.testing.assert_allclose(by_step.standard_errors, expected.standard_errors, rtol=1e-6)


# ------------------------------------------------------------------------------- tall problems


class Tall(lmoo.Problem):
    """A data set measured again and again, with the same outcome."""

    def __init__(self, data: NistDataset, times: int) -> None:
        self.data, self.times = data, times

    def residual(self, x: np.ndarray) -> np.ndarray:
        return np.tile(self.data.residual(x), self.times)


class TallWithJacobian(Tall):
    def jacobian(self, x: np.ndarray) -> np.ndarray:
        return np.tile(self.data.jacobian(x), (self.times, 1))


@functools.cache
def times(name: str) -> int:
    """Repetitions that take m n^2 over the 1e6 from which on the Jacobian is folded."""
    m, n = nist(name).y.size, nist(name).certified.size
    count = 1_000_000 // (m * n * n) + 1
    assert m * count * n * n > 1_000_000
    return count


# Row counts that leave a block not full, and not a multiple of the processor's vectors.
TALL = ["Misra1a", "Kirby2", "Gauss1", "Hahn1"]


@pytest.mark.parametrize("name", TALL)
def test_the_tall_problems_are_folded(name: str) -> None:
    problem = TallWithJacobian(nist(name), times(name))
    n = problem.data.certified.size
    assert problem.times * problem.data.y.size % 8 != 0
    _, _, info, _, _ = lmoo.leastsq(
        problem.residual, problem.data.starts[1], Dfun=problem.jacobian, full_output=True
    )
    # A fold leaves no Householder vectors; a factorisation of the whole does.
    assert not info["fjac"][:, n:].any()


@pytest.mark.parametrize("name", TALL)
@pytest.mark.parametrize("kind", [Tall, TallWithJacobian])
def test_a_tall_problem_has_the_solution_of_the_small_one(
    name: str, kind: Callable[[NistDataset, int], Tall]
) -> None:
    data = nist(name)
    problem = kind(data, times(name))
    result = lmoo.Solver().solve(problem, data.starts[1])
    small = lmoo.Solver().solve(kind(data, 1), data.starts[1])
    assert result.success
    np.testing.assert_allclose(result.x, small.x, rtol=1e-8)
    assert result.cost == pytest.approx(problem.times * small.cost, rel=1e-10)
    # Sigma is estimated with more degrees of freedom, and times more rows determine x.
    np.testing.assert_allclose(
        result.covariance(scaled=False) * problem.times, small.covariance(scaled=False), rtol=1e-6
    )
    shrink = np.sqrt(small.degrees_of_freedom / result.degrees_of_freedom)
    np.testing.assert_allclose(result.standard_errors, shrink * small.standard_errors, rtol=1e-6)
    assert digits(result.x, data.certified) >= 8.0
    assert digits(result.standard_errors / shrink, data.standard_errors) >= 6.0


@pytest.mark.parametrize("name", TALL)
def test_leastsq_of_a_tall_problem(name: str) -> None:
    data = nist(name)
    options: dict[str, Any] = {"full_output": True, "ftol": 1e-15, "xtol": 1e-15}

    def solve(problem: TallWithJacobian) -> tuple[Any, ...]:
        answer = lmoo.leastsq(problem.residual, data.starts[1], Dfun=problem.jacobian, **options)
        assert answer[4] in SUCCESS
        return answer

    x, cov_x, *_ = solve(TallWithJacobian(data, times(name)))
    expected, cov, *_ = solve(TallWithJacobian(data, 1))
    np.testing.assert_allclose(x, expected, rtol=1e-6)
    np.testing.assert_allclose(cov_x * times(name), cov, rtol=1e-4)
