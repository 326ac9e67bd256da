"""Bad problems, names, starting points and functions of joint fits."""

import numpy as np
import pytest
from joint_cases import T, by_hand, curves, decay, falling, same

import lmoo
from lmoo.models.tracing.cache import Kind, traced

# ---- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problems", "shared", "error", "match"),
    [
        ([], ["tau"], ValueError, "one problem at least"),
        ("tau", ["tau"], TypeError, "sequence of problems"),
        ([3], ["tau"], TypeError, r"problems\[0\] must be a Problem"),
        (curves(2), [], ValueError, "at least"),
        (curves(2), "tau", TypeError, "sequence of names"),
        (curves(2), ["rate"], ValueError, "which no problem has; the problems have a, tau, c"),
        (curves(2), ["tau", "tau"], ValueError, "once"),
        (curves(2), [3], TypeError, "names"),
        (curves(2), {"tau": ["tau"]}, ValueError, "for each of the 2 problems"),
        (curves(2), {"tau": ["tau", "rate"]}, ValueError, r"'rate' for problems\[1\]"),
        (curves(2), {"tau": [None, None]}, ValueError, "which no problem has"),
        (curves(2), {"tau": "tau", "c": "tau"}, ValueError, "once"),
        ([lmoo.FunctionProblem(np.cos)], ["tau"], ValueError, "must have parameter_names"),
        ([lmoo.CurveProblem(decay, T, T, sigma_x=0.1)], ["tau"], TypeError, "without sigma_x"),
        ([lmoo.JointProblem(curves(2), ["tau"])], ["tau"], TypeError, "JointProblem"),
    ],
)  # fmt: skip
def test_bad_problems_and_names(problems, shared, error, match):
    with pytest.raises(error, match=match):
        lmoo.JointProblem(problems, shared)


@pytest.mark.parametrize(
    ("x0", "match"),
    [
        ({"tau": 1.0, "a": 1.0}, r"c\[0\] has none"),
        ({"tau": 1.0, "a": 1.0, "c": 0.0, "d": 1.0}, "'d', which is not a parameter"),
        ({"tau": 1.0, "a": [1.0, 2.0, 3.0], "c": 0.0}, r"x0\['a'\] must be one number, or one for"),
        ({"tau": [1.0, 2.0], "a": 1.0, "c": 0.0}, r"x0\['tau'\]"),
        ([1.0, 2.0], r"x0 must have one value for each of the 5 .*c\[1\]; it has 2"),
        ([1.0, 2.0, np.nan, 1.0, 1.0], "finite"),
    ],
)  # fmt: skip
def test_bad_starting_points(x0, match):
    with pytest.raises(ValueError, match=match):
        lmoo.Solver().solve(lmoo.JointProblem(curves(2), ["tau"]), x0)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"bounds": {"rate": (0, 1)}}, "bounds has 'rate'"),
        ({"fixed": ["rate"]}, "fixed has 'rate'"),
        ({"fixed": {"a[7]": 1.0}}, "fixed has"),
    ],
)
def test_bad_bounds_and_fixed_names(options, match):
    with pytest.raises(ValueError, match=match):
        lmoo.JointProblem(curves(2), ["tau"], **options)


def test_exceptions_name_the_problem():
    def broken(t, a, tau):
        raise ZeroDivisionError("no")

    parts = [*curves(1), lmoo.CurveProblem(broken, T, T)]
    with pytest.raises(ZeroDivisionError) as raised:
        lmoo.Solver().solve(lmoo.JointProblem(parts, ["tau"]), [1.0, 1, 1, 1])
    assert "problems[1]" in "".join(raised.value.__notes__)
    parts[1] = lmoo.CurveProblem(lambda t, a, tau: np.full(15, np.nan), T, T, trace=False)
    with pytest.raises(lmoo.EvaluationError, match="entry 8 is nan"):
        lmoo.Solver().solve(lmoo.JointProblem(parts, ["tau"]), [1.0, 1, 1, 1])
    with pytest.raises(ValueError, match="linear must be None"):
        lmoo.Solver(linear=lmoo.LinearModel).solve(
            lmoo.JointProblem(curves(2), ["tau"]), np.ones(5)
        )


def test_bad_points_are_stepped_around():
    """A member that refuses points beyond a limit, as the whole problem would."""

    def guarded(x):
        if x[1] > 1.8:
            raise lmoo.EvaluationError("too far")
        return decay(T, x[0], x[1], x[2]) - decay(T, 2.0, 1.5, 0.1)

    parts = [lmoo.FunctionProblem(guarded, parameter_names=["a", "tau", "c"]), *curves(2)]
    joint = lmoo.JointProblem(parts, ["tau"])
    x0 = joint.start({"tau": 0.4, "a": 0.5, "c": 0.0})
    same(lmoo.Solver().solve(joint, x0), by_hand(joint, x0), 1e-8)


def test_a_trace_that_differs_from_its_function_is_found(monkeypatch):
    """A function that is another one after its first call, that at the start."""
    found = traced(falling, Kind(2, points=T.size))
    found.moved = True  # Not compared next to the start.
    monkeypatch.setattr("lmoo.models.tracing.evaluation.traced", lambda *args: found)

    def problem(trace="auto"):
        calls = []

        def changing(t, a, tau):
            calls.append(1)
            return falling(t, a, tau) * (1.0 if len(calls) < 2 else 2.0)

        y = 2.0 * falling(T, 1.0, 1.5)
        return lmoo.JointProblem(
            [lmoo.CurveProblem(changing, T, y, trace=trace), lmoo.CurveProblem(falling, T, y)],
            ["tau"],
        )

    with pytest.warns(lmoo.TraceWarning, match=r"problems\[0\]"):
        result = lmoo.Solver().solve(problem(), {"tau": 1.0, "a": 1.0})
    assert result.evaluation.startswith("called, because at the solution problems[0]")
    np.testing.assert_allclose(result.x, [1.5, 1.0, 2.0], rtol=1e-8)
    with pytest.raises(lmoo.TraceError, match=r"at the solution of problems\[0\]"):
        lmoo.Solver().solve(problem(trace=True), {"tau": 1.0, "a": 1.0})
