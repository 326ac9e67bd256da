"""Problems that define `evaluate`: residual and Jacobian together."""

import pickle
from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 30)
Y = 3.0 * np.exp(-0.5 * T) + 0.01 * np.cos(9.0 * T)
START = [1.0, 2.0]
OF_RESIDUAL = r"Wrong\.evaluate, for its residual,"


class Separate(lmoo.Problem):
    """Residual and Jacobian by two methods."""

    parameter_names = ("amplitude", "rate")
    rows = slice(None)

    def residual(self, x: Any) -> Any:
        return x[0] * np.exp(-x[1] * T[self.rows]) - Y[self.rows]

    def jacobian(self, x: Any) -> Any:
        e = np.exp(-x[1] * T[self.rows])
        return np.stack([e, -x[0] * T[self.rows] * e], axis=1)


class Together(lmoo.Problem):
    """The same by one method, which keeps what was wanted of it."""

    parameter_names = ("amplitude", "rate")
    rows = slice(None)

    def __init__(self, always: bool = True, columns: bool = False, rows: slice = slice(None)):
        self.always, self.columns, self.wants, self.rows = always, columns, [], rows

    def evaluate(self, x: Any, want: Any) -> Any:
        self.wants.append(want)
        e = np.exp(-x[1] * T[self.rows])
        f = x[0] * e - Y[self.rows]
        if want == "residual" and not self.always:
            return f, None
        columns = np.stack([e, -x[0] * T[self.rows] * e])
        return f, columns if self.columns else columns.T


def same(found: lmoo.Result, expected: lmoo.Result) -> None:
    np.testing.assert_array_equal(found.x, expected.x)
    np.testing.assert_array_equal(found.residual, expected.residual)
    assert found.status == expected.status
    assert found.njev == expected.njev


OPTIONS: list[dict[str, Any]] = [
    {},
    {"loss": "huber", "f_scale": 0.1},
    {"loss": "soft_l1", "f_scale": "mad"},
    {"bounds": ([0.0, 0.6], [9.0, 9.0])},
    {"fixed": {"rate": 0.7}},
    {"priors": {"rate": (0.4, 0.01)}},
    {"ties": {"amplitude": "6*rate"}},
    {"step": lmoo.GeodesicAcceleration()},
    {"diag": [1.0, 2.0]},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: ",".join(o) or "plain")
@pytest.mark.parametrize("always", [True, False])
def test_the_result_is_that_of_two_methods(options: dict[str, Any], always: bool) -> None:
    solver = lmoo.Solver(**options)
    problem = Together(always)
    found, expected = solver.solve(problem, START), solver.solve(Separate(), START)
    same(found, expected)
    # Residuals that came with a Jacobian of an accepted point count too.
    assert found.nfev == len(problem.wants)
    assert found.nfev >= expected.nfev


@pytest.mark.parametrize("step", [None, lmoo.More(accelerate=False), lmoo.Nielsen()])
def test_one_call_for_each_point_where_the_jacobian_is_always_returned(step: Any) -> None:
    problem = Together()
    solver = lmoo.Solver(step=step)
    found, expected = solver.solve(problem, START), solver.solve(Separate(), START)
    assert len(problem.wants) == found.nfev == expected.nfev
    assert expected.njev > 5
    assert problem.wants[0] == "both"


def test_the_first_point_needs_its_jacobian() -> None:
    problem = Together(always=False)
    found = lmoo.Solver().solve(problem, START)
    expected = lmoo.Solver().solve(Separate(), START)
    assert problem.wants[:2] == ["both", "residual"]
    assert problem.wants.count("both") == found.njev
    assert found.nfev == expected.nfev + found.njev - 1


def test_differences_want_residuals_alone() -> None:
    problem = Together(always=False)
    found = lmoo.Solver(jacobian=lmoo.ForwardDifference()).solve(problem, START)
    assert set(problem.wants) == {"residual"}
    assert found.nfev == len(problem.wants)


def test_column_major() -> None:
    solver = lmoo.Solver(jacobian=lmoo.ColumnMajor())
    problem = Together(columns=True)
    same(solver.solve(problem, START), lmoo.Solver().solve(Separate(), START))


def test_a_sparse_jacobian() -> None:
    sparse = pytest.importorskip("scipy.sparse")

    class Sparse(Together):
        def evaluate(self, x: Any, want: Any) -> Any:
            f, jacobian = super().evaluate(x, want)
            return f, sparse.csr_array(jacobian)

    problem = Sparse()
    found = lmoo.Solver().solve(problem, START)
    np.testing.assert_allclose(found.x, lmoo.Solver().solve(Separate(), START).x, rtol=1e-9)
    assert found.nfev == len(problem.wants)


@pytest.mark.parametrize("always", [True, False])
def test_joint_problems(always: bool) -> None:
    parts = [Together(always, rows=slice(0, 15)), Together(always, rows=slice(15, 30))]
    others = [Separate(), Separate()]
    others[0].rows, others[1].rows = slice(0, 15), slice(15, 30)
    start = {"rate": 1.0, "amplitude": 2.0}
    found, expected = (
        lmoo.Solver().solve(lmoo.JointProblem(some, ["rate"]), start) for some in (parts, others)
    )
    same(found, expected)
    if always:
        assert len(parts[0].wants) == found.nfev == expected.nfev


def test_linear_parameters_are_eliminated() -> None:
    problem, other = Together(), Separate()
    problem.linear_parameters = other.linear_parameters = ["amplitude"]
    solver = lmoo.Solver(separable=True)
    found, expected = solver.solve(problem, START), solver.solve(other, START)
    np.testing.assert_array_equal(found.x, expected.x)


def test_results_evaluate_the_problem() -> None:
    found, expected = (lmoo.Solver().solve(p, START) for p in (Together(False), Separate()))
    np.testing.assert_allclose(found.leverage, expected.leverage)
    for a, b in zip(found.profile("rate"), expected.profile("rate"), strict=True):
        np.testing.assert_allclose(a, b)
    assert lmoo.check_jacobian(Together(False), np.array([1.0, 2.0]))


def test_a_buffer_may_be_used_again() -> None:
    class Buffered(Together):
        f, jac = np.empty(30), np.empty((30, 2))

        def evaluate(self, x: Any, want: Any) -> Any:
            self.f[:], self.jac[:] = super().evaluate(x, want)
            return self.f, self.jac

    same(lmoo.Solver().solve(Buffered(), START), lmoo.Solver().solve(Separate(), START))


def test_an_iteration_is_continued() -> None:
    steps = lmoo.Solver().iterate(Together(), START)
    next(steps)
    again = pickle.loads(pickle.dumps(steps))
    assert [s.cost for s in steps] == [s.cost for s in again]


def test_a_bad_point_is_refused() -> None:
    class Bad(Together):
        def evaluate(self, x: Any, want: Any) -> Any:
            found = super().evaluate(x, want)
            if len(self.wants) == 2:
                raise lmoo.EvaluationError("the second point")
            return found

    found = lmoo.Solver().solve(Bad(), START)
    np.testing.assert_allclose(found.x, lmoo.Solver().solve(Separate(), START).x, rtol=1e-9)


def test_a_bad_start_raises() -> None:
    class Bad(lmoo.Problem):
        def evaluate(self, x: Any, want: Any) -> Any:
            raise lmoo.EvaluationError("no value there")

    with pytest.raises(lmoo.EvaluationError, match="no value there"):
        lmoo.Solver().solve(Bad(), START)


def test_a_helper_named_evaluate_is_left_alone() -> None:
    class Helped(lmoo.Problem):
        rows = slice(None)
        residual, jacobian = Separate.residual, Separate.jacobian

        def evaluate(self, t: Any) -> Any:  # type: ignore[override]
            raise AssertionError("it must not be called")

    assert lmoo.Solver().solve(Helped(), START).success


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, r"evaluate must return a pair \(residual, jacobian\); it returned None"),
        (np.zeros(30), r"must return a pair .*; it returned an array of shape \(30,\)"),
        ((1, 2, 3), "must return a pair .*; it returned a tuple of 3"),
        ((Y, None), 'for want = "both"; the Jacobian it returned is None'),
        ([Y, np.ones((30, 2))], r"must return a pair .*; it returned a list of 2$"),
        ((None, np.ones((30, 2))), rf"{OF_RESIDUAL} must return a 1-D array.*None"),
        ((np.ones((30, 2)), Y), rf"{OF_RESIDUAL} must return a 1-D array.*shape \(30, 2\)"),
        ((Y[:, None], np.ones((30, 2))), rf"{OF_RESIDUAL} must return a 1-D array.*\(30, 1\)"),
        ((1j * Y, np.ones((30, 2))), rf"{OF_RESIDUAL} must return a 1-D array.*complex"),
        ((Y, np.ones((2, 30))), r"Wrong.evaluate.* shape \(30, 2\).*it is transposed"),
        ((Y, np.ones((30, 3))), r"Wrong.evaluate.* shape \(30, 2\); it returned shape \(30, 3\)"),
        ((Y, "text"), "Wrong.evaluate.* must return a real array"),
    ],
)
def test_wrong_values_are_named(value: Any, message: str) -> None:
    class Wrong(lmoo.Problem):
        def evaluate(self, x: Any, want: Any) -> Any:
            return value

    with pytest.raises(TypeError, match=message):
        lmoo.Solver().solve(Wrong(), START)


@pytest.mark.parametrize("options", [{"ties": {"amplitude": "6*rate"}}, {"separable": True}])
def test_complex_residuals_are_named_with_other_options(options: dict[str, Any]) -> None:
    class Wrong(Together):
        linear_parameters = ("amplitude",)

        def evaluate(self, x: Any, want: Any) -> Any:
            f, jacobian = super().evaluate(x, want)
            return 1j * f, jacobian

    with pytest.raises(TypeError, match=OF_RESIDUAL):
        lmoo.Solver(**options).solve(Wrong(), START)


class Faster(Separate):
    """A subclass that replaces the two methods of its base class by one."""

    def __init__(self) -> None:
        self.wants: list[str] = []

    def evaluate(self, x: Any, want: Any) -> Any:
        self.wants.append(want)
        return self.residual(x), self.jacobian(x)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: ",".join(o) or "plain")
def test_the_method_of_the_more_derived_class_is_used(options: dict[str, Any]) -> None:
    class Again(Faster):
        pass

    class Back(Faster):
        def residual(self, x: Any) -> Any:
            return super().residual(x)

    solver = lmoo.Solver(**options)
    expected = solver.solve(Separate(), START)
    for problem in (Faster(), Again()):
        found = solver.solve(problem, START)
        same(found, expected)
        assert found.nfev == len(problem.wants)
    back = Back()
    same(solver.solve(back, START), expected)
    assert not back.wants


def test_evaluate_replaces_the_residual_of_problems_of_functions_and_curves() -> None:
    def model(t: Any, amplitude: Any, rate: Any) -> Any:
        return amplitude * np.exp(-rate * t)

    class OfFunction(lmoo.FunctionProblem):
        evaluate = Together.evaluate
        always, columns, rows = True, False, slice(None)

    class OfCurve(lmoo.CurveProblem):
        evaluate = Together.evaluate
        always, columns, rows = True, False, slice(None)

    for problem in (OfFunction(lambda x: 0 * Y), OfCurve(model, T, 0 * Y)):
        problem.wants = []
        found = lmoo.Solver().solve(problem, START)
        np.testing.assert_array_equal(
            found.residual, lmoo.Solver().solve(Separate(), START).residual
        )
        assert found.nfev == len(problem.wants)
        np.testing.assert_allclose(found.jacobian(), Separate().jacobian(found.x))
        assert lmoo.check_jacobian(problem, START)


def test_neither_is_defined() -> None:
    with pytest.raises(NotImplementedError, match=r"must define residual\(self, x\)"):
        lmoo.Solver().solve(lmoo.Problem(), START)


def test_attributes_of_a_problem_come_before_the_methods_of_its_class() -> None:
    solver = lmoo.Solver()
    problem = lmoo.Problem()
    problem.evaluate = Together().evaluate  # type: ignore[method-assign]
    same(solver.solve(problem, START), solver.solve(Separate(), START))
    assert problem.evaluate.__self__.wants[0] == "both"  # type: ignore[attr-defined]
    # The residual is that of the problem, whatever its class defines.
    changed = Together()
    changed.residual = lambda x: x - 1.0  # type: ignore[method-assign]
    np.testing.assert_allclose(solver.solve(changed, START).x, [1.0, 1.0])
    back = Separate()
    back.evaluate = lambda x, want: (x - 2.0, np.eye(2))  # type: ignore[method-assign]
    np.testing.assert_allclose(solver.solve(back, START).x, [2.0, 2.0])
