"""Variable projection: linear parameters are eliminated, and all else stays as it is."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lmoo
from lmoo.datasets import nist
from lmoo.datasets._nist_models import MODELS

T = np.linspace(0.0, 4.0, 120)
NAMES = ("a", "b", "c", "d")
START = (1.0, 0.1, 1.0, 2.0)
SEPARABLE = lmoo.Solver(separable=True)


def decays(t, a, b, c, d):
    return a * np.exp(-b * t) + c * np.exp(-d * t)


def decays_jacobian(t, a, b, c, d):
    one, two = np.exp(-b * t), np.exp(-d * t)
    return np.stack([one, -a * t * one, two, -c * t * two], axis=1)


def noisy(seed=0):
    return decays(T, 3.0, 0.5, 2.0, 3.0) + 0.02 * np.random.default_rng(seed).normal(size=T.size)


Y = noisy()
SIGMA = 0.01 + 0.01 * T


class Problem(lmoo.Problem):
    linear_parameters = (0, 2)
    parameter_names = NAMES

    def residual(self, x):
        return (decays(T, *x) - Y) / SIGMA


class Blocks(lmoo.RowBlockProblem):
    linear_parameters = ("a", "c")
    parameter_names = NAMES

    def residual(self, x, block):
        t, y, sigma = block
        return (decays(t, *x) - y) / sigma


def blocks():
    return [(T[k : k + 50], Y[k : k + 50], SIGMA[k : k + 50]) for k in range(0, T.size, 50)]


FORMS = {
    "traced": lambda: lmoo.CurveProblem(decays, T, Y, SIGMA, trace=True),
    "expression": lambda: lmoo.CurveProblem(
        lmoo.Expression("a*exp(-b*t) + c*exp(-d*t)"), T, Y, SIGMA
    ),
    "model": lambda: lmoo.models.BiExponential().problem(T, Y, SIGMA, fixed={4: 0.0}),
    "called": lambda: lmoo.CurveProblem(
        decays, T, Y, SIGMA, trace=False, linear_parameters=("a", "c")
    ),
    "given jacobian": lambda: lmoo.CurveProblem(
        decays, T, Y, SIGMA, decays_jacobian, linear_parameters=(0, 2)
    ),
    "covariance": lambda: lmoo.CurveProblem(
        decays, T, Y, np.diag(SIGMA**2), linear_parameters=(0, 2)
    ),
    "function": lambda: lmoo.FunctionProblem(
        lambda x: (decays(T, *x) - Y) / SIGMA, linear_parameters=(0, 2)
    ),
    "problem": Problem,
    "blocks traced": lambda: lmoo.CurveBlocks(decays, T, Y, 50, sigma=SIGMA, trace=True),
    "blocks jacobian": lambda: lmoo.CurveBlocks(
        decays, T, Y, 50, sigma=SIGMA, jac=decays_jacobian, linear_parameters=(0, 2)
    ),
    "blocks called": lambda: Blocks(blocks()),
}


def polished(problem, x0, **options):
    """Return the fit of all parameters, its model being that of its solution to the last digit."""
    # The last derivatives are then central differences.
    solver = lmoo.Solver(**{"xtol": 1e-13, **options})
    return solver.solve(problem, solver.solve(problem, x0).x)


def assert_same(found, expected, x=1e-8, errors=1e-8):
    assert found.success, found.message
    assert expected.success, expected.message
    np.testing.assert_allclose(found.x, expected.x, rtol=x)
    np.testing.assert_allclose(found.cost, expected.cost, rtol=1e-10)
    np.testing.assert_allclose(found.standard_errors, expected.standard_errors, rtol=errors)
    covariance = expected.covariance()
    scale = np.abs(covariance).max()
    np.testing.assert_allclose(found.covariance(), covariance, rtol=0, atol=3 * errors * scale)
    assert found.observations == expected.observations
    assert found.rank == expected.rank
    assert found.parameter_names == expected.parameter_names
    np.testing.assert_array_equal(found.active_mask, expected.active_mask)
    np.testing.assert_array_equal(found.fixed, expected.fixed)


@pytest.mark.parametrize("form", FORMS)
def test_the_answer_is_that_of_the_full_fit(form):
    problem = FORMS[form]()
    start = (*START, 0.0)[: 5 if form == "model" else 4]
    if form == "model":  # amplitude1, rate1, amplitude2, rate2, offset in another order
        names = problem.parameter_names
        start = [{"rate1": 0.1, "rate2": 2.0, "offset": 0.0}.get(name, 1.0) for name in names]
    full = polished(problem, start)
    found = SEPARABLE.solve(problem, start)
    # Derivatives by differences are those of another residual here.
    differences = "called" in form or form in ("function", "problem", "covariance")
    assert_same(found, full, x=1e-8, errors=1e-5 if differences else 1e-8)
    assert found.nit < lmoo.Solver().solve(problem, start).nit
    if found.residual.size:
        np.testing.assert_allclose(found.residual, problem.residual(found.x), atol=1e-12)


@pytest.mark.parametrize("form", ["traced", "called", "problem", "blocks traced", "given jacobian"])
def test_starting_values_of_linear_parameters_do_not_matter(form):
    one = SEPARABLE.solve(FORMS[form](), START)
    two = SEPARABLE.solve(FORMS[form](), [-1e6, START[1], 0.0, START[3]])
    np.testing.assert_array_equal(one.x, two.x)


@pytest.mark.parametrize("form", ["traced", "called", "given jacobian", "blocks traced"])
@pytest.mark.parametrize(
    "options",
    [
        {"bounds": {1: (0.0, 0.4)}},
        {"bounds": {0: (0.0, 2.5)}},
        {"bounds": {0: (0.0, 2.5), 3: (0.0, 1.9)}},
        {"fixed": {0: 2.9}},
        {"fixed": {1: 0.48}},
        {"fixed": {0: 2.9, 3: 2.8}},
        {"bounds": {0: (None, None), 2: (-np.inf, np.inf), 3: (0.0, 10.0)}},
    ],
)
def test_bounds_and_fixed_parameters_are_kept(form, options):
    start = np.array(START)
    start[1] = min(start[1], 0.3)
    start[3] = min(start[3], 1.8)
    problem = FORMS[form]()
    full = polished(problem, start, **options)
    found = lmoo.Solver(separable=True, **options).solve(problem, start)
    errors = 1e-5 if form == "called" else 1e-7
    assert_same(found, full, x=1e-7, errors=errors)


def test_a_model_that_is_never_evaluated_outside_the_bounds():
    seen = []

    def f(t, a, b):
        seen.append((float(a), float(b)))
        return a * np.exp(-b * t)

    y = f(T, 2.0, 0.5)
    problem = lmoo.CurveProblem(
        f, T, y, trace=False, linear_parameters=[0], bounds={"b": (0.2, 0.4)}
    )
    SEPARABLE.solve(problem, [1.0, 0.3])
    assert all(0.2 <= b <= 0.4 for _, b in seen[1:])


@pytest.mark.parametrize(
    "problem",
    [
        lmoo.CurveProblem(lambda t, a, b: a + b * t, T, Y),
        lmoo.CurveProblem(decays, T, Y, fixed={"b": 0.5, "d": 3.0}),
    ],
)
def test_a_linear_problem_is_solved_for_all(problem):
    start = START[: len(problem.parameter_names)]
    found, full = SEPARABLE.solve(problem, start), lmoo.Solver().solve(problem, start)
    np.testing.assert_array_equal(found.x, full.x)
    assert found.nit == full.nit


def test_rank_deficient_columns_have_a_basic_solution():
    # At b = d both decays are the same.
    problem = lmoo.CurveProblem(decays, T, Y)
    found = SEPARABLE.solve(problem, [1.0, 1.0, 1.0, 1.0])
    assert np.isfinite(found.x).all()
    assert found.cost <= lmoo.Solver().solve(problem, [1.0, 1.0, 1.0, 1.0]).cost * (1 + 1e-9)
    called = lmoo.CurveProblem(decays, T, Y, trace=False, linear_parameters=[0, 2])
    assert SEPARABLE.solve(called, [1.0, 1.0, 1.0, 1.0]).cost == pytest.approx(found.cost)


def test_a_zero_column_costs_nothing():
    problem = lmoo.CurveProblem(
        lambda t, a, b, c: a * np.exp(-b * t) + c * np.where(t > 9.0, 1.0, 0.0), T, Y
    )
    found = SEPARABLE.solve(problem, [1.0, 1.0, 5.0])
    assert (found.success, found.rank) == (True, 2)
    assert np.isinf(found.standard_errors[2])


def test_points_that_the_model_has_no_value_at_shorten_the_step():
    def f(t, a, b):
        return a * np.sqrt(b - t)

    y = f(T, 2.0, 4.5) + 0.01 * np.cos(9 * T)
    with np.errstate(invalid="ignore"):
        full = lmoo.Solver().solve(lmoo.CurveProblem(f, T, y), [1.0, 9.0])
        found = SEPARABLE.solve(lmoo.CurveProblem(f, T, y), [1.0, 9.0])
    np.testing.assert_allclose(found.x, full.x, rtol=1e-8)


def test_a_start_that_is_not_finite_is_refused():
    def f(t, a, b):
        return a * np.sqrt(b - t)

    problem = lmoo.CurveProblem(f, T, Y, trace=False, linear_parameters=[0])
    with np.errstate(invalid="ignore"), pytest.raises(lmoo.EvaluationError, match="finite"):
        SEPARABLE.solve(problem, [1.0, 2.0])


def test_a_fit_without_a_minimum_is_no_success():
    y = decays(T, 3.0, 0.5, 2.0, 3.0)
    problem = lmoo.models.Gaussian().problem(T, y + 0.01 * np.cos(40 * T))
    found = SEPARABLE.solve(problem, [5.0, 0.0, 1.0, 0.0])
    assert not found.success


@pytest.mark.parametrize("name", ["Misra1a", "Gauss1", "Kirby2", "MGH09", "Thurber", "Lanczos3"])
@pytest.mark.parametrize("number", [0, 1])
def test_nist(name, number):
    data = nist(name)
    problem = lmoo.CurveProblem(MODELS[name].value, data.x, data.y)
    found = SEPARABLE.solve(problem, data.starts[number])
    np.testing.assert_allclose(found.x, data.certified, rtol=1e-8)
    full = polished(problem, data.certified)
    np.testing.assert_allclose(found.standard_errors, full.standard_errors, rtol=1e-7)


def test_counts_are_those_of_the_function():
    calls = []

    def f(t, a, b):
        calls.append(0)
        return a * np.exp(-b * t)

    problem = lmoo.CurveProblem(f, T, Y, trace=False, linear_parameters=["a"])
    found = SEPARABLE.solve(problem, [1.0, 1.0])
    assert found.nfev == len(calls)
    slopes = []

    def jac(t, a, b):
        slopes.append(0)
        return np.stack([np.exp(-b * t), -a * t * np.exp(-b * t)], axis=1)

    calls.clear()
    problem = lmoo.CurveProblem(f, T, Y, jac=jac, linear_parameters=["a"])
    found = SEPARABLE.solve(problem, [1.0, 1.0])
    assert (found.nfev, found.njev) == (len(calls), len(slopes))


def test_iterations_have_all_parameters():
    problem = lmoo.CurveProblem(decays, T, Y)
    found = SEPARABLE.solve(problem, START, history=True)
    assert found.history.x.shape == (found.nit, 4)
    assert found.history.iteration[-1] == found.nit
    np.testing.assert_array_equal(found.history.x[-1], found.x)
    at = found.history.x[0]
    f = problem.residual(at)
    np.testing.assert_allclose(decays_jacobian(T, *at)[:, [0, 2]].T @ f, 0.0, atol=1e-10)


def test_a_solve_is_continued_from_any_iteration():
    problem = lmoo.CurveProblem(decays, T, Y)
    whole = SEPARABLE.solve(problem, START)
    for count in range(1, whole.nit + 1):
        steps = SEPARABLE.iterate(problem, START)
        for _ in range(count):
            next(steps)
        again = pickle.loads(pickle.dumps(steps))
        assert [step.cost for step in steps] == [step.cost for step in again]
        np.testing.assert_array_equal(steps.result.x, again.result.x)
        assert again.result.nit == whole.nit


def test_a_solve_that_is_stopped_has_its_linear_model():
    problem = lmoo.CurveProblem(decays, T, Y)
    found = SEPARABLE.solve(problem, START, callback=lambda step: step.iteration == 3)
    assert (found.status, found.nit) == (lmoo.Status.STOPPED, 3)
    assert found.rank == 4
    few = lmoo.Solver(separable=True, maxfev=3).solve(problem, START)
    assert few.status is lmoo.Status.MAXFEV
    assert few.rank == 4


def test_profiles_and_steps_work():
    problem = lmoo.CurveProblem(decays, T, Y, SIGMA)
    found = SEPARABLE.solve(problem, START)
    full = lmoo.Solver().solve(problem, START)
    np.testing.assert_allclose(
        found.confidence_interval(method="profile"),
        full.confidence_interval(method="profile"),
        rtol=1e-5,
    )
    for step in (lmoo.More(), lmoo.Nielsen(), lmoo.GeodesicAcceleration()):
        for form in ("traced", "blocks traced", "called"):
            solver = lmoo.Solver(separable=True, step=step)
            np.testing.assert_allclose(solver.solve(FORMS[form](), START).x, full.x, rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.2, 1.0), st.floats(2.0, 5.0), st.floats(-4.0, 4.0), st.integers(0, 1000))
def test_the_cost_is_the_least_of_both(slow, fast, amplitude, seed):
    y = decays(T, 3.0, slow, amplitude, fast) + 0.05 * np.random.default_rng(seed).normal(
        size=T.size
    )
    problem = lmoo.CurveProblem(decays, T, y)
    found = SEPARABLE.solve(problem, [1.0, 0.5, 1.0, 3.0])
    # At the solution the linear parameters are those of linear least squares.
    basis = decays_jacobian(T, *found.x)[:, [0, 2]]
    best = np.linalg.lstsq(basis, y, rcond=None)[0]
    cost = 0.5 * np.sum((basis @ best - y) ** 2)
    assert found.cost <= cost * (1 + 1e-9)


REFUSED = [
    ({"loss": "huber"}, {}, "loss is 'huber'"),
    ({"jacobian": lmoo.ComplexStep()}, {}, "ComplexStep"),
    ({"jacobian": lmoo.ForwardDifference(typical=[1, 1, 1, 1])}, {}, "typical sizes"),
    ({"linear": lambda: None}, {}, "linear model of its own"),
    ({}, {"trace": False}, "none of the parameters a, b, c, d is known to be linear"),
    ({}, {"linear_parameters": ()}, "none of the parameters"),
]


@pytest.mark.parametrize(("options", "problem", "message"), REFUSED)
def test_what_is_not_possible_is_refused_by_name(options, problem, message):
    curve = lmoo.CurveProblem(decays, T, Y, **problem)
    with pytest.raises(ValueError, match=f"separable must be False here: .*{message}"):
        lmoo.Solver(separable=True, **options).solve(curve, START)


@pytest.mark.parametrize(("options", "problem", "message"), REFUSED[:1] + REFUSED[4:])
def test_auto_solves_for_all_where_it_is_not_possible(options, problem, message):
    curve = lmoo.CurveProblem(decays, T, Y, **problem)
    found = lmoo.Solver(separable="auto", **options).solve(curve, START)
    full = lmoo.Solver(**options).solve(curve, START)
    np.testing.assert_array_equal(found.x, full.x)
    assert found.nfev == full.nfev


@pytest.mark.parametrize(
    ("linear", "error", "message"),
    [
        (["b"], ValueError, "linear in, together; it is not in b"),
        (["a", "b"], ValueError, "it is not in a, b"),
        (["nope"], ValueError, "linear_parameters must name one of"),
        ([4], ValueError, "positions from 0 to 3; it has 4"),
        (["a", 0], ValueError, "is there twice"),
        ("a", TypeError, "must be a sequence"),
        ([1.5], TypeError, "linear_parameters"),
    ],
)
@pytest.mark.parametrize("form", ["called", "traced", "blocks", "traced blocks"])
def test_wrong_linear_parameters_are_refused(linear, error, message, form):
    if form == "blocks":
        problem = Blocks(blocks())
        problem.linear_parameters = linear
    elif form == "traced blocks":
        problem = lmoo.CurveBlocks(decays, T, Y, 50, linear_parameters=linear)
    else:
        problem = lmoo.CurveProblem(decays, T, Y, trace=form == "traced", linear_parameters=linear)
    with pytest.raises(error, match=message):
        SEPARABLE.solve(problem, START)


@pytest.mark.parametrize("value", ["yes", 1, None, 0.5])
def test_the_option_is_checked(value):
    with pytest.raises(ValueError, match='separable must be True, False or "auto"'):
        lmoo.Solver(separable=value)


def test_a_wrong_claim_that_the_check_does_not_see_ends_at_a_minimum_of_all():
    # Linear in a for b = 0, where the check is, and nowhere else.
    def f(t, a, b):
        return a * np.exp(-0.5 * t) + b * (1.0 + a**3) * t

    y = f(T, 1.2, 0.3)
    problem = lmoo.CurveProblem(f, T, y, trace=False, linear_parameters=["a"])
    found = SEPARABLE.solve(problem, [1.0, 0.0])
    gradient = found.jacobian().T @ found.residual
    assert not found.success or np.abs(gradient).max() < 1e-5


class Failing(Blocks):
    def residual(self, x, block):
        raise ZeroDivisionError("nothing here")


def test_exceptions_of_blocks_come_out():
    with pytest.raises(ZeroDivisionError, match="nothing here"):
        SEPARABLE.solve(Failing(blocks()), START)


def test_the_message_names_what_is_eliminated():
    found = SEPARABLE.solve(lmoo.CurveProblem(decays, T, Y), START)
    assert found.message.endswith("; eliminated: a, c)")


def test_a_trace_that_parts_from_its_function_is_given_up():
    def f(t, a, b):
        # The trace does not see what happens at other amplitudes than that of the start.
        return a * np.exp(-b * t) + (0.1 if switch[0] else 0.0)

    switch = [False]
    problem = lmoo.CurveProblem(f, T, Y)
    steps = SEPARABLE.iterate(problem, [1.0, 1.0])
    switch[0] = True
    with pytest.warns(lmoo.TraceWarning, match="differs"):
        for _ in steps:
            pass
    assert steps.result.success
    np.testing.assert_allclose(
        steps.result.x, lmoo.Solver().solve(lmoo.CurveProblem(f, T, Y), [1.0, 1.0]).x, rtol=1e-6
    )


@pytest.mark.parametrize("call", range(2, 40, 3))
def test_an_exception_has_the_best_point_and_evaluates_nothing(call):
    calls = []

    def f(t, a, b, c, d):
        calls.append((float(a), float(b), float(c), float(d)))
        if len(calls) >= call:
            raise ZeroDivisionError("no more")
        return decays(t, a, b, c, d)

    problem = lmoo.CurveProblem(f, T, Y, trace=False, linear_parameters=["a", "c"])
    with pytest.raises(ZeroDivisionError) as raised:
        SEPARABLE.solve(problem, START)
    assert len(calls) == call
    result = raised.value.lmoo_result
    assert result.status is lmoo.Status.UNFINISHED
    assert result.x.shape == (4,)
    if result.observations:
        np.testing.assert_allclose(result.residual, decays(T, *result.x) - Y, atol=1e-9)


@pytest.mark.parametrize("jac", [None, True])
@pytest.mark.parametrize("size", [1e155, 1e300])
def test_values_near_overflow_raise_no_warnings_of_lmoo(size, jac):
    def f(t, a, b):
        return a * size * np.exp(-b * t)

    def slopes(t, a, b):
        e = size * np.exp(-b * t)
        return np.stack([e, -a * t * e], axis=1)

    y = f(T, 2.0, 0.5)
    problem = lmoo.CurveProblem(
        f, T, y, jac=slopes if jac else None, trace=False, linear_parameters=["a"]
    )
    # Squares overflow, so that there may be no solution; nothing else may be raised.
    found = SEPARABLE.solve(problem, [1.0, 0.4])
    assert np.isfinite(found.x).all()
    if found.success:
        np.testing.assert_allclose(found.x, [2.0, 0.5], rtol=1e-6)


def product(t, a, b, c):
    return a * c * np.exp(-b * t)


def offset(t, a, b, c):
    return a * np.exp(-b * t + c)


def shifted(t, a, b, c):
    return a * np.exp(-b * (t - c))


DEGENERATE_T = np.linspace(0.0, 4.0, 20)
DEGENERATE_Y = 2.0 * np.exp(-0.5 * DEGENERATE_T) + 0.01 * np.cos(9.0 * DEGENERATE_T)


def curve(f, factory=lmoo.CurveProblem, *size, **options):
    return factory(f, DEGENERATE_T, DEGENERATE_Y, *size, **options)


def single(f):
    def residual(x):
        return (f(DEGENERATE_T, *x) - DEGENERATE_Y).astype(np.float32)

    return lmoo.FunctionProblem(residual, parameter_names=NAMES[:3], linear_parameters=(0,))


def slopes(f, t, x):
    return np.stack([f(t, *(x + 1e-30j * unit)).imag / 1e-30 for unit in np.eye(x.size)], axis=1)


LINEAR = {"linear_parameters": ("a",)}
DEGENERATE = {
    "traced": lambda f: curve(f, trace=True),
    "called": lambda f: curve(f, trace=False, **LINEAR),
    "given jacobian": lambda f: curve(f, jac=lambda t, *x: slopes(f, t, np.array(x)), **LINEAR),
    "single precision": single,
    "blocks traced": lambda f: curve(f, lmoo.CurveBlocks, 8, trace=True),
    "blocks called": lambda f: curve(f, lmoo.CurveBlocks, 8, trace=False, **LINEAR),
}


@pytest.mark.parametrize("model", [product, offset, shifted])
@pytest.mark.parametrize("form", DEGENERATE)
def test_what_only_a_linear_parameter_tells_apart_stays_and_is_undetermined(form, model):
    found = SEPARABLE.solve(DEGENERATE[form](model), [1.0, 1.0, 0.5])
    assert found.success, found.message
    assert found.undetermined == ("a", "c")
    np.testing.assert_allclose(found.x[1], 0.50094319, rtol=1e-6)
    np.testing.assert_allclose(found.x[2], 0.5, rtol=0.1)
    np.testing.assert_allclose(found.cost, 4.903968802e-4, rtol=1e-6)
    np.testing.assert_allclose(found.standard_errors, [np.inf, 1.95881e-3, np.inf], rtol=1e-3)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
@pytest.mark.parametrize("form", ["traced", "blocks traced"])
def test_undetermined_parameters_are_those_in_any_unit(form, scale):
    kind, size = (lmoo.CurveProblem, ()) if form == "traced" else (lmoo.CurveBlocks, (8,))
    problem = kind(offset, DEGENERATE_T, scale * DEGENERATE_Y, *size, trace=True)
    found = SEPARABLE.solve(problem, [1.0, 1.0, 0.5])
    assert found.success, found.message
    assert found.undetermined == ("a", "c")
    np.testing.assert_allclose(found.x[1:], [0.50094319, 0.5], rtol=1e-6)


@pytest.mark.parametrize("distance", [1e-9, 1e-6])
def test_a_small_effect_is_no_rounding(distance):
    """A column is judged by its rounding errors, not by what the projection takes away."""

    def f(t, a, b, c):
        return a * (np.exp(-b * t) + distance * c * (1.0 + t**2))

    y = f(DEGENERATE_T, 2.0, 0.5, 3.0)
    found = SEPARABLE.solve(lmoo.CurveProblem(f, DEGENERATE_T, y, trace=True), [1.0, 0.4, 1.0])
    assert found.success, found.message
    assert found.undetermined == ()
    np.testing.assert_allclose(found.x, [2.0, 0.5, 3.0], rtol=1e-14 / distance)


def test_differences_too_inexact_for_the_reduced_problem_suffice_for_the_full_one():
    def f(t, a, b, c):
        return a * np.exp(-b * t) + c

    y = f(DEGENERATE_T, 2.0, 0.5, 0.0)
    problem = lmoo.CurveBlocks(f, DEGENERATE_T, y, 8, trace=False, linear_parameters=("a", "c"))
    found = SEPARABLE.solve(problem, [1.0, 1.0, 0.5])
    assert found.success, found.message
    np.testing.assert_allclose(found.x, [2.0, 0.5, 0.0], rtol=1e-9, atol=1e-9)
