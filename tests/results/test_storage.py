"""Results as dictionaries, JSON and pickles."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from case_tables import each
from statistics_cases import PLAIN, T, Y, decay, fitted, random_fit

import lmoo
from lmoo import CurveProblem, FunctionProblem, Problem, Result, Solver


def strict(text: str) -> Any:
    """Read JSON, and nothing that only Python takes for it."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_to_dict_is_plain_data() -> None:
    result = fitted()
    stored = result.to_dict()
    assert stored == json.loads(json.dumps(stored))
    assert stored["x"] == result.x.tolist()
    assert stored["standard_errors"] == result.stderr.tolist()
    assert stored["confidence_interval"] == result.confidence_interval().tolist()
    assert stored["success"] is True
    assert stored["status"] == int(result.status)


@pytest.mark.parametrize(
    "result",
    [
        fitted(),
        random_fit(4, m=3)[2],
        Solver().solve(FunctionProblem(lambda x: np.ones(4)), [1.0, 2.0]),
        Solver().iterate(PLAIN, [1.0, 1.0]).result,
        Solver(bounds={0: (0.0, 1.5)}, fixed=[1]).solve(PLAIN, [1.0, 1.0]),
    ],
    ids=["plain", "no freedom", "flat", "unfinished", "bounds"],
)
def test_json_is_json_and_comes_back(result: Result) -> None:
    stored = strict(result.to_json(indent=2))
    again = Result.from_dict(stored)
    for name in ("x", "residual", "lower", "upper", "fixed", "active_mask", "stderr"):
        mine, other = getattr(again, name), getattr(result, name)
        np.testing.assert_array_equal(mine, other)
        assert mine.dtype == other.dtype
    np.testing.assert_array_equal(again.covariance(), result.covariance())
    assert again.status is result.status
    assert again.undetermined == result.undetermined
    assert type(again.nfev) is int
    assert type(again.cost) is float
    assert again.parameter_names == result.parameter_names
    assert again.to_json() == result.to_json()
    assert again.problem is None


def test_numbers_that_json_does_not_know_are_strings() -> None:
    stored = strict(random_fit(4, m=3)[2].to_json())
    assert stored["standard_errors"] == ["inf"] * 3
    assert stored["lower"] == ["-inf"] * 3


@each(
    ("name", "value"),
    [
        ("status", 99),
        ("status", "1"),
        ("x", [1.0]),
        ("x", [[1.0, 2.0]]),
        ("lower", None),
        ("upper", [1.0, 2.0, 3.0]),
        ("fixed", [True]),
        ("active_mask", []),
        ("gradient", [0.0]),
        ("residual", [1.0, 2.0]),
        ("residual", ["a"] * 12),
        ("parameter_names", ["amplitude"]),
        ("cost", "high"),
        ("nfev", 1.5),
        ("factor", 3),
        ("r", [[1.0, 0.0]]),
        ("ipvt", [0, 0]),
        ("ipvt", [1]),
        ("qtf", [1.0]),
        ("acnorm", None),
        ("excluded", [True]),
        ("error", "small"),
        ("error", -1.0),
        ("status", True),
        ("status", 1.0),
        ("x", ["1", "2"]),
        ("x", [True, False]),
        ("x", {"0": 1.0, "1": 2.0}),
        ("lower", [9.0, 9.0]),
        ("upper", ["nan", "nan"]),
        ("fixed", [0, 1]),
        ("fixed", ["", "no"]),
        ("active_mask", [0, 2]),
        ("active_mask", [0, 300]),
        ("active_mask", [0.5, 0.0]),
        ("parameter_names", "ab"),
        ("parameter_names", ["a", "a"]),
        ("parameter_names", [1, 2]),
        ("observations", -12),
        ("observations", 10**30),
        ("observations", 12.0),
        ("nfev", -1),
        ("njev", True),
        ("nit", "3"),
        ("cost", "1.5"),
        ("seconds", None),
        ("message", None),
        ("ipvt", [0, 1.7]),
        ("ipvt", [0, 2**40]),
        ("ipvt", [-1, 0]),
        ("excluded", [0, 1]),
    ],
)
def test_what_a_stored_result_has_must_fit(name: str, value: Any) -> None:
    stored = fitted().to_dict()
    place = stored if name in stored else stored["factor"]
    assert name in place
    place[name] = value
    with pytest.raises(ValueError, match=r"^stored must be what Result\.to_dict returns"):
        Result.from_dict(stored)


@pytest.mark.parametrize("stored", [{}, {"factor": None}, [], None])
def test_what_is_no_stored_result_is_refused(stored: Any) -> None:
    with pytest.raises(ValueError, match=r"stored must be what Result\.to_dict returns"):
        Result.from_dict(stored)


def test_a_result_of_nothing_says_so() -> None:
    result = Solver().iterate(CurveProblem(decay, T, Y), [1.0, 1.0]).result
    for ask in (result.jacobian, lambda: result.leverage, result.nonlinearity):
        with pytest.raises(ValueError, match="needs a residual, and none was evaluated"):
            ask()


def test_names_of_parameters_must_differ() -> None:
    names = ["a", "b", "a"]
    problem = FunctionProblem(lambda x: x, parameter_names=names)
    with pytest.raises(ValueError, match="parameter_names must differ from each other; 'a' is"):
        Solver().solve(problem, [1.0, 2.0, 3.0])


def test_a_result_without_its_problem_says_so() -> None:
    again = Result.from_dict(fitted().to_dict())
    for ask in (
        again.jacobian,
        again.predict,
        lambda: again.profile(0),
        lambda: again.confidence_interval(method="profile"),
    ):
        with pytest.raises(ValueError, match="needs the problem, which this result does not have"):
            ask()


def test_a_pickle_keeps_a_problem_that_can_be_pickled() -> None:
    again = pickle.loads(pickle.dumps(fitted()))
    np.testing.assert_array_equal(again.predict(), fitted().predict())


@pytest.mark.parametrize(
    "problem",
    [
        FunctionProblem(lambda x: x - 3.0),
        lmoo.models.Exponential().problem(T, Y),
        CurveProblem(lambda t, a: a * t, T, Y),
    ],
    ids=["lambda", "compiled", "curve"],
)
def test_a_result_is_pickled_always(problem: Any) -> None:
    result = Solver().solve(problem, np.ones(getattr(problem, "n", 1)))
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.x, result.x)
    np.testing.assert_array_equal(again.covariance(), result.covariance())
    assert str(again).splitlines()[:5] == str(result).splitlines()[:5]
    for twin in (copy.copy(result), copy.deepcopy(result)):
        assert twin.problem is problem
        np.testing.assert_array_equal(twin.x, result.x)
    assert copy.deepcopy(result).x is not result.x


def test_a_problem_that_is_not_there_when_it_is_read_is_left_out() -> None:
    class Gone(Problem):
        def residual(self, x: np.ndarray) -> np.ndarray:
            return x - 3.0

    Gone.__qualname__ = "Gone"
    globals()["Gone"] = Gone
    try:
        stored = pickle.dumps(Solver().solve(Gone(), [1.0]))
    finally:
        del globals()["Gone"]
    again = pickle.loads(stored)
    assert again.problem is None
    assert again.x == 3.0


def test_history_is_stored_in_a_pickle() -> None:
    result = Solver().solve(CurveProblem(decay, T, Y), [1.0, 1.0], history=True)
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.history.cost, result.history.cost)


DAMAGE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a field gone": lambda state: state.pop("cost"),
    "x shorter": lambda state: state.update(x=state["x"][:1]),
    "x in single precision": lambda state: state.update(x=state["x"].astype(np.float32)),
    "x a list": lambda state: state.update(x=state["x"].tolist()),
    "fixed as integers": lambda state: state.update(fixed=state["fixed"].astype(int)),
    "a name more": lambda state: state.update(parameter_names=("a", "b", "c")),
    "a residual more": lambda state: state.update(residual=np.ones(13)),
    "status a number": lambda state: state.update(status=1),
    "a negative count": lambda state: state.update(nfev=-1),
    "no history": lambda state: state.update(history=3),
    "no factor": lambda state: state.update(factor=3),
    "ipvt out of range": lambda state: state.update(
        factor=dataclasses.replace(state["factor"], ipvt=np.array([0, 10**6], dtype=np.int32))
    ),
    "r smaller": lambda state: state.update(
        factor=dataclasses.replace(state["factor"], r=np.ones((1, 1)))
    ),
}


@each("change", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_pickle_of_a_result_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    state = fitted().__getstate__()
    change(state)
    with pytest.raises(ValueError, match="the stored result"):
        object.__new__(Result).__setstate__(state)


def test_results_are_still_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        fitted().seconds = 1.0  # type: ignore[misc]
