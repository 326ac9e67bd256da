"""The test problems against calculus and published minima, and MINPACK's results for them."""

from __future__ import annotations

import dataclasses
import itertools
import json
import platform
import warnings
from typing import Any

import minpack_reference as minpack
import numpy as np
import pytest
from case_tables import each
from problems import CASES, MghCase, MghProblem

PROBLEMS = list(dict.fromkeys(case.problem for case in CASES))
TABLE: dict[str, Any] = json.loads(minpack.TABLE.read_text())


def each_case(cases=CASES):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.id)


def each_problem(problems=PROBLEMS):
    return each("problem", problems, ids=lambda p: f"{p.name}-{p.n}x{p.m}")


@pytest.fixture(params=["cminpack", "minpack"])
def library(request):
    found = minpack.load(request.param)
    if found is None:
        pytest.skip(f"no {request.param} library")
    return found


# --- the problems -----------------------------------------------------------------------


def test_the_cases_are_minpacks():
    assert len(CASES) == 53
    assert len({case.id for case in CASES}) == 53
    assert {case.problem.number for case in CASES} == set(range(1, 19))
    assert CASES[25].id == "meyer-3x16-f10"
    assert [c.factor for c in CASES if c.problem.name == "bard"] == [1.0, 10.0, 100.0]


def test_a_problem_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PROBLEMS[0].n = 6


@each_problem()
def test_shapes_and_types(problem):
    x = problem.start()
    for value, shape in (
        (x, (problem.n,)),
        (problem.residual(x), (problem.m,)),
        (problem.jacobian(x), (problem.m, problem.n)),
    ):
        assert value.shape == shape
        assert value.dtype == np.float64
        assert np.isfinite(value).all()


@each_problem()
def test_starts_are_new_arrays_and_points_are_left_alone(problem):
    x = problem.start()
    before = x.copy()
    problem.residual(x)
    problem.jacobian(x)
    np.testing.assert_array_equal(x, before)
    x[:] = 7.0
    np.testing.assert_array_equal(problem.start(), before)


def test_starts_are_scaled():
    np.testing.assert_array_equal(MghProblem(4, "rosenbrock", 2, 2).start(100.0), [-120.0, 100.0])


def test_the_start_of_watson_is_zero_or_the_factor():
    problem = MghProblem(11, "watson", 6, 31)
    np.testing.assert_array_equal(problem.start(), np.zeros(6))
    np.testing.assert_array_equal(problem.start(10.0), np.full(6, 10.0))


@each_problem()
@each("scale", [1e5, -1e5, 1e200, -1e200, np.inf, np.nan])
def test_no_warning_escapes_from_far_points(problem, scale):
    points = scale * (2.5 + problem.start()), np.full(problem.n, scale)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x in points:
            assert problem.residual(x).shape == (problem.m,)
            assert problem.jacobian(x).shape == (problem.m, problem.n)


def central_differences(problem: MghProblem, x: np.ndarray, j: int) -> np.ndarray:
    """Column j of the Jacobian, by two extrapolations: the error is of order h^6."""
    h = 0.004 * max(abs(x[j]), 0.05)
    step = np.zeros_like(x)
    d = []
    for k in range(3):
        step[j] = h / 2**k
        d.append((problem.residual(x + step) - problem.residual(x - step)) / (2.0 * step[j]))
    d = [(4.0 * b - a) / 3.0 for a, b in itertools.pairwise(d)]
    return (16.0 * d[1] - d[0]) / 15.0


@each_problem()
def test_jacobian_against_differences(problem):
    rng = np.random.default_rng(problem.number)
    x0 = problem.start()
    for scale in (0.0, 0.02, 0.02):
        x = x0 * (1.0 + scale * rng.standard_normal(problem.n))
        x += scale * 0.1 * rng.standard_normal(problem.n)
        jac = problem.jacobian(x)
        noise = 1e-12 * np.abs(problem.residual(x)).max()
        for j in range(problem.n):
            atol = 1e-8 * np.abs(jac[:, j]).max() + noise / max(abs(x[j]), 0.05)
            np.testing.assert_allclose(
                central_differences(problem, x, j), jac[:, j], rtol=0.0, atol=atol
            )


@pytest.mark.parametrize("x1", [0.0, -0.0])
@pytest.mark.parametrize("x2", [2.0, -2.0])
def test_helical_valley_on_its_axis(x1, x2):
    problem = MghProblem(5, "helical-valley", 3, 3)
    expected = [10.0 * (1.0 - 10.0 * np.copysign(0.25, x2)), 10.0, 1.0]
    np.testing.assert_array_equal(problem.residual(np.array([x1, x2, 1.0])), expected)


@pytest.mark.parametrize("zeros", [[0], [3], [9], [2, 5]])
def test_brown_almost_linear_jacobian_at_zeros(zeros):
    problem = MghProblem(16, "brown-almost-linear", 10, 10)
    x = np.linspace(0.5, 1.5, 10)
    x[zeros] = 0.0
    expected = [np.prod(np.delete(x, j)) for j in range(10)]
    np.testing.assert_allclose(problem.jacobian(x)[-1], expected, rtol=1e-14)


# --- minima -----------------------------------------------------------------------------

# Points where all residuals vanish.
ROOTS = {
    "rosenbrock": [[1.0, 1.0]],
    "helical-valley": [[1.0, 0.0, 0.0]],
    "powell-singular": [[0.0, 0.0, 0.0, 0.0]],
    "freudenstein-roth": [[5.0, 4.0]],
    "box-3d": [[1.0, 10.0, 1.0], [10.0, 1.0, -1.0], [3.0, 3.0, 0.0]],
    "brown-almost-linear": [1.0],
}


@each_problem([p for p in PROBLEMS if p.name in ROOTS])
def test_roots(problem):
    for root in ROOTS[problem.name]:
        x = np.broadcast_to(root, problem.n)
        np.testing.assert_allclose(problem.residual(x), 0.0, atol=1e-15)


def _rank_1_zero(m: int) -> float:
    return (m * m + 3 * m - 6) / (2 * (2 * m - 3))


# Published sums of squares at the minimum that MINPACK finds from the standard start;
# then those which it may find from further away.
MINIMA = {
    "linear-full-rank-5x10": [5.0],
    "linear-full-rank-5x50": [45.0],
    "linear-rank-1-5x10": [10 * 9 / (2 * 21)],
    "linear-rank-1-5x50": [50 * 49 / (2 * 101)],
    "linear-rank-1-zero-5x10": [_rank_1_zero(10)],
    "linear-rank-1-zero-5x50": [_rank_1_zero(50)],
    "rosenbrock-2x2": [0.0],
    "helical-valley-3x3": [0.0],
    "powell-singular-4x4": [0.0],
    "freudenstein-roth-2x2": [48.9842, 0.0],
    "bard-3x15": [8.21487e-3, 17.4287],
    "kowalik-osborne-4x11": [3.07505e-4, 1.02734e-3],
    "meyer-3x16": [87.9458],
    "watson-6x31": [2.28767e-3],
    "watson-9x31": [1.39976e-6],
    "watson-12x31": [4.72238e-10],
    "box-3d-3x10": [0.0],
    "jennrich-sampson-2x10": [124.362],
    "brown-dennis-4x20": [85822.2],
    # x = 1/2 is a stationary point: sum (T_i(0) + 1/(i^2 - 1))^2 over the even i.
    "chebyquad-1x8": [(2 / 3) ** 2 + (16 / 15) ** 2 + (34 / 35) ** 2 + (64 / 63) ** 2, 3.55039],
    "chebyquad-8x8": [3.51687e-3],
    "chebyquad-9x9": [0.0],
    "chebyquad-10x10": [6.50395e-3],
    "brown-almost-linear-10x10": [0.0, 1.0],
    "brown-almost-linear-30x30": [0.0],
    "brown-almost-linear-40x40": [0.0],
    "osborne-1-5x33": [5.46489e-5],
    "osborne-2-11x65": [4.01377e-2],
}


def reaches(fnorm: float, minimum: float) -> bool:
    return fnorm**2 == pytest.approx(minimum, rel=3e-6, abs=1e-24)


def minima(case: MghCase) -> list[float]:
    return MINIMA[f"{case.problem.name}-{case.problem.n}x{case.problem.m}"]


@each_case([case for case in CASES if case.factor == 1.0])
def test_published_minimum_from_the_standard_start(case):
    optimize = pytest.importorskip("scipy.optimize")
    problem = case.problem
    x, *_ = optimize.leastsq(
        problem.residual, case.start(), Dfun=problem.jacobian, full_output=True, maxfev=1000
    )
    assert reaches(float(np.linalg.norm(problem.residual(x))), minima(case)[0])


@each_case([case for case in CASES if case.id != "meyer-3x16-f10"])
def test_the_table_ends_at_published_minima(case):
    fnorm = TABLE["cases"][case.id]["lmder"][3]
    assert any(reaches(fnorm, minimum) for minimum in minima(case))


def test_meyer_from_far_is_unfinished_in_the_table():
    info, nfev, _, _ = TABLE["cases"]["meyer-3x16-f10"]["lmder"]
    assert (info, nfev) == (5, 400)


# --- MINPACK ----------------------------------------------------------------------------


def test_the_table_has_every_case():
    assert list(TABLE["cases"]) == [case.id for case in CASES]
    assert TABLE["header"]["columns"] == ["info", "nfev", "njev", "fnorm"]


def same_platform(library, *, any_library=False) -> bool:
    """Whether counts must be the same: no other compiler's rounding, no other version."""
    header = TABLE["header"]
    if platform.machine() != header["machine"]:
        return False
    return any_library or (library.name, library.version) == (header["library"], header["version"])


@pytest.mark.parametrize("solver", ["lmder", "lmdif"])
@each_case()
def test_live_results_are_the_committed_ones(case, solver):
    library = minpack.load(TABLE["header"]["library"])
    if library is None or not same_platform(library):
        pytest.skip("not the library of the table")
    r = minpack.run_case(case, solver, library)
    info, nfev, njev, fnorm = TABLE["cases"][case.id][solver]
    assert (r.info, r.nfev, r.njev) == (info, nfev, njev)
    assert r.fnorm == pytest.approx(fnorm, rel=1e-9, abs=1e-12)


@each_case()
def test_fortran_and_c_agree_on_lmder(case):
    library = minpack.load("minpack")
    if library is None or not same_platform(library, any_library=True):
        pytest.skip("no Fortran MINPACK here, or another machine")
    r = minpack.run_case(case, "lmder", library)
    assert [r.info, r.nfev, r.njev] == TABLE["cases"][case.id]["lmder"][:3]


@pytest.mark.parametrize("solver", ["lmder", "lmdif"])
def test_results_are_consistent(library, solver):
    case = next(c for c in CASES if c.id == "linear-full-rank-5x10-f1")
    problem = case.problem
    r = minpack.run_case(case, solver, library)
    pivots = r.ipvt - 1
    assert sorted(pivots) == list(range(problem.n))
    jac = problem.jacobian(r.x)[:, pivots]
    upper = np.triu(r.fjac[: problem.n])
    np.testing.assert_allclose(upper.T @ upper, jac.T @ jac, atol=1e-6)
    np.testing.assert_allclose(r.fvec, problem.residual(r.x))
    assert r.fnorm == pytest.approx(np.linalg.norm(r.fvec))
    assert r.qtf.shape == (problem.n,)


def test_evaluations_are_counted(library):
    problem = MghProblem(8, "bard", 3, 15)
    calls = {"residual": 0, "jacobian": 0}

    def counted(name):
        def function(x):
            calls[name] += 1
            return getattr(problem, name)(x)

        return function

    r = minpack.lmder(
        counted("residual"), counted("jacobian"), problem.start(), 15, library=library
    )
    assert calls == {"residual": r.nfev, "jacobian": r.njev}
    calls["residual"] = 0
    r = minpack.lmdif(counted("residual"), problem.start(), 15, library=library)
    assert calls["residual"] == r.nfev


def test_scaling_by_the_caller(library):
    problem = MghProblem(10, "meyer", 3, 16)
    args = (problem.residual, problem.jacobian, problem.start(), 16)
    free = minpack.lmder(*args, library=library)
    scaled = minpack.lmder(*args, diag=[1e3, 1e-2, 0.1], library=library)
    assert scaled.fnorm == pytest.approx(free.fnorm, rel=1e-6)
    assert scaled.nfev != free.nfev


def test_limit_of_evaluations(library):
    problem = MghProblem(4, "rosenbrock", 2, 2)
    r = minpack.lmder(problem.residual, problem.jacobian, problem.start(), 2, maxfev=5,
                      library=library)  # fmt: skip
    assert (r.info, r.nfev) == (5, 5)


class Interrupted(BaseException):
    """An exception that `except Exception` does not catch."""


@pytest.mark.parametrize("where", ["residual", "jacobian", "lmdif"])
@pytest.mark.parametrize("error", [ZeroDivisionError("here"), Interrupted()])
def test_exceptions_in_callbacks_are_raised(library, where, error):
    problem = MghProblem(4, "rosenbrock", 2, 2)
    calls = []

    def failing(x):
        calls.append(x)
        if len(calls) == 3:
            raise error
        return (problem.jacobian if where == "jacobian" else problem.residual)(x)

    solve, functions = {
        "residual": (minpack.lmder, (failing, problem.jacobian)),
        "jacobian": (minpack.lmder, (problem.residual, failing)),
        "lmdif": (minpack.lmdif, (failing,)),
    }[where]
    with pytest.raises(type(error)) as caught:
        solve(*functions, problem.start(), 2, library=library)
    assert caught.value is error
    assert len(calls) == 3


def test_wrong_shapes_are_errors(library):
    problem = MghProblem(8, "bard", 3, 15)
    with pytest.raises(ValueError, match=r"shape \(15,\), not \(14,\)"):
        minpack.lmdif(problem.residual, problem.start(), 14, library=library)
    with pytest.raises(ValueError, match=r"shape \(3, 15\), not \(15, 3\)"):
        minpack.lmder(
            problem.residual, lambda x: problem.jacobian(x).T, problem.start(), 15, library=library
        )


def test_without_a_library(monkeypatch):
    monkeypatch.setattr(minpack, "load", lambda name=None: None)
    assert not minpack.available()
    assert minpack.run_case(CASES[0], "lmder") is None
    assert minpack.run_case(CASES[0], "lmdif") is None
