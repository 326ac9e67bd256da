"""Variable projection: what is refused, and errors of the user's code."""

import numpy as np
import pytest
from separable_cases import SEPARABLE, START, Blocks, T, Y, blocks, decays

import lmoo

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
