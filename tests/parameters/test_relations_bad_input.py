"""Relations that contradict each other or are not understood are refused."""

from typing import Any

import numpy as np
import pytest
from case_tables import each
from relation_cases import T, data, model

import lmoo

Y = data(1)
X0 = [3.0, 0.5, 1.5, 1.5]


def solve(x0: Any = None, **options: Any) -> lmoo.Result:
    return lmoo.Solver(**options).solve(lmoo.CurveProblem(model, T, Y), X0 if x0 is None else x0)


@each(
    ("options", "error", "message"),
    [
        ({"ties": {"q": "a"}}, ValueError, "ties must have names of a, b, c, d; it has 'q'"),
        ({"ties": {"a": "q"}}, ValueError, r"ties\['a'\]: unknown name 'q'.*known are a, b, c, d"),
        ({"ties": {"a": "2*(b"}}, lmoo.ExpressionError, r"ties\['a'\]: '\(' is not closed"),
        ({"ties": {"a": 2.0}}, TypeError, r"ties\['a'\] must be an expression.*use fixed"),
        ({"ties": ["a"]}, TypeError, "ties must be a mapping"),
        ({"ties": {3: "a"}}, TypeError, "ties must give parameters by name; it has 3"),
        (
            {"ties": {"a": "2*b", "b": "c", "c": "a + 1"}},
            ValueError,
            "ties must not form a circle; they do: a -> b -> c -> a",
        ),
        *(
            ({"constraints": [text]}, ValueError, "constraints must be linear in the parameters")
            for text in [
                "floor(a) <= 1",
                "ceil(a) + b <= 1",
                "trunc(a) == 1",
                "mod(a, 1) <= 0.5",
                "rint(a) <= 0.5",
                "sign(a - 1) <= 0",
                "where(a > 1, 1, 0) <= 0",
                "where(a, 1, 0) <= 0",
                "(a > 1) <= 0",
                "isnan(a) <= 0",
                "abs(a) <= 2",
                "maximum(a, b) <= 2",
                "a*b <= 2",
            ]
        ),
        *(
            (
                {"ties": {"a": text}, "bounds": {"a": (0, 1)}},
                ValueError,
                "bounds must not be of parameters that are tied by an expression which is not lin",
            )
            for text in ["where(b > 1, 2, 1)", "floor(b)", "mod(b, 1)"]
        ),
        (
            {"ties": {"a": "floor(b)"}, "constraints": ["a + c <= 1"]},
            ValueError,
            r"constraints must be linear .*'a \+ c <= 1' is not",
        ),
        ({"ties": {"a": "a"}}, ValueError, "circle; they do: a -> a"),
        ({"ties": {"a": "b"}, "fixed": ["a"]}, ValueError, "ties must not be of fixed parameters"),
        ({"ties": {"a": "b"}, "fixed": {"a": 3}}, ValueError, "a is fixed"),
        (
            {"ties": {"a": "exp(b)"}, "bounds": {"a": (0, 1)}},
            ValueError,
            r"bounds must not be of parameters that are tied.*a is tied to 'exp\(b\)'",
        ),
        ({"ties": dict.fromkeys("abcd", "1")}, ValueError, "must leave a parameter to be fitted"),
        (
            {"ties": {"a": "b"}, "fixed": ["b", "c", "d"]},
            ValueError,
            "must leave a parameter to be fitted",
        ),
        ({"priors": {"q": (1, 1)}}, ValueError, "priors must have names of a, b, c, d; it has 'q'"),
        (
            {"priors": {"a": (1, 0)}},
            ValueError,
            r"priors\['a'\] must have a sigma that is positive",
        ),
        ({"priors": {"a": (1, -2)}}, ValueError, "positive"),
        ({"priors": {"a": (np.nan, 1)}}, ValueError, "finite mean"),
        ({"priors": {"a": 1.0}}, TypeError, r"must be a pair \(mean, sigma\)"),
        ({"priors": {"a": ("x", 1)}}, TypeError, "must be a real number"),
        ({"priors": [1]}, TypeError, "priors must be a mapping"),
        ({"derived": {"a": "b"}}, ValueError, "names that no parameter has; it has 'a'"),
        ({"derived": {"f": "q"}}, ValueError, r"derived\['f'\]: unknown name 'q'"),
        ({"constraints": ["a"]}, ValueError, "must be inequalities or equations.*one is 'a'"),
        ({"constraints": ["a <= q"]}, ValueError, "unknown name 'q'"),
        ({"constraints": ["a*b <= 1"]}, ValueError, "must be linear.*'a\\*b <= 1' is not"),
        ({"constraints": ["a <= b", "a >= b + 1"]}, ValueError, "they have none: 'a <= b'"),
        ({"constraints": ["a == 1", "a == 2"]}, ValueError, "must not contradict each other"),
        ({"constraints": ["a <= 1", "a >= 2"]}, ValueError, "must not contradict each other"),
        ({"constraints": ["1 <= 0"]}, ValueError, "must be inequalities"),
        ({"constraints": ["a - a + 1 <= 0"]}, ValueError, "'a - a \\+ 1 <= 0' cannot hold"),
        (
            {"constraints": ["a == 2"], "fixed": {"a": 3.0}},
            ValueError,
            "contradict each other, or fix what is fixed",
        ),
        ({"constraints": ["a <= b"]}, ValueError, "x0 must satisfy.*violates 'a <= b' by 2.5"),
        ({"constraints": 3}, TypeError, "constraints must be an inequality"),
        ({"constraints": [3]}, TypeError, "constraints must be.*one is 3"),
        ({"constraints": ([[1, 2]], [1])}, ValueError, "column for each of the 4 parameters"),
        ({"constraints": ([[1, 2, 3, np.inf]], [1])}, ValueError, "finite numbers"),
        ({"constraints": ([[1, 2, 3, 4]], [1, 2])}, ValueError, "upper side"),
        ({"constraints": ([[1, 2, 3, 4]], 2, 1)}, ValueError, "lower <= upper"),
    ],
)
def test_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"(?s){message}"):
        solve(**options)


def test_starting_values_by_name() -> None:
    by_name = solve({"d": 1.5, "a": 3.0, "b": 0.5, "c": 1.5})
    assert (by_name.x == solve().x).all()
    for bad, message in (
        ({"a": 1.0}, "it has none for b, c, d"),
        ({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}, "names of a, b, c, d; it has 'e'"),
        ({"a": 1, "b": 1, "c": 1, "d": np.nan}, "that of d is nan"),
    ):
        with pytest.raises(ValueError, match=message):
            solve(bad)
    with pytest.raises(TypeError, match=r"x0\['d'\] must be a real number"):
        solve({"a": 1, "b": 1, "c": 1, "d": "x"})
    unnamed = lmoo.FunctionProblem(lambda x: x - 1)
    with pytest.raises(ValueError, match="must be an array, as the parameters have no names"):
        lmoo.Solver().solve(unnamed, {"a": 1.0})
    with pytest.raises(ValueError, match="need names of the parameters"):
        lmoo.Solver(ties={"a": "b"}).solve(unnamed, [1.0, 2.0])


def test_names_that_the_result_does_not_know() -> None:
    result = solve(derived={"ratio": "a/b"})
    assert result["ratio"].value == result.x[0] / result.x[1]
    with pytest.raises(KeyError, match="'q' is none of a, b, c, d, ratio"):
        result["q"]
    with pytest.raises(ValueError, match="name must be one of a, b, c, d, ratio"):
        result.interval("q")
    with pytest.raises(ValueError, match="method must be"):
        result.interval("a", method="x")


def test_a_tie_without_a_value_is_a_bad_point() -> None:
    result = solve({"a": 3.0, "b": 0.5, "c": 1.5}, ties={"d": "sqrt(b - 0.2) + b"})
    assert result.success
    with pytest.raises(lmoo.EvaluationError):
        solve({"a": 3.0, "b": 0.1, "c": 1.5}, ties={"d": "sqrt(b - 0.2) + b"})


@pytest.mark.parametrize("many", [False, True])
def test_linear_parameters_are_not_eliminated_with_relations(many: bool) -> None:
    t = np.linspace(0.0, 4.0, 20)
    y = 2.0 * np.exp(-0.7 * t) + 0.5
    solver = lmoo.Solver(separable=True, ties={"c": "a/4"})
    f = lmoo.Expression("a*exp(-b*t)+c")
    calls = {
        True: lambda: lmoo.curve_fit_many(f, t, y[None], p0=[1, 1, 0.3], solver=solver),
        False: lambda: solver.solve(lmoo.CurveProblem(f, t, y), [1, 1, 0.3]),
    }
    with pytest.raises(ValueError, match="separable must be False or 'auto'"):
        calls[many]()


def test_complex_curves_with_ties() -> None:
    def resonance(f, a, b, q):
        return a / (1 + 1j * q * (f - b))

    f = np.linspace(0.5, 1.5, 40)
    y = resonance(f, 2.0, 1.0, 4.0)
    problem = lmoo.CurveProblem(resonance, f, y, ties={"q": "2*a"})
    result = lmoo.Solver().solve(problem, {"a": 1.5, "b": 0.95})
    assert result.success
    np.testing.assert_allclose(result.x, [2.0, 1.0, 4.0], rtol=1e-8)
    fits = lmoo.curve_fit_many(
        resonance, f, np.stack([y, y]), p0=[1.5, 0.95, 3.0], ties={"q": "2*a"}
    )
    np.testing.assert_allclose(fits.x, np.tile(result.x, (2, 1)), rtol=1e-8)
