"""Names with control characters are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from statistics_cases import T, Y, decay, fitted

import lmoo
from lmoo import CurveProblem, FunctionProblem, Result, Solver

BAD_NAMES = ["\x1b[31mred", "two\nlines", "tab\t", "bell\x07", "\u202eturned", "\x7f", "\ud800"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_names_with_control_characters_are_refused_and_never_printed(name: str) -> None:
    def model(t: Any, a: float) -> Any:
        return a * t

    model.parameter_names = (name,)  # type: ignore[attr-defined]
    stored = fitted().to_dict()
    stored["parameter_names"] = [name, "b"]

    class Batch(lmoo.BatchProblem):
        parameter_names = (name,)

        def residual(self, x: Any, which: Any) -> Any:
            return x - 3.0

    outside = Solver(bounds=(5, 6))
    for call in (
        lambda: Solver().solve(FunctionProblem(lambda x: x, parameter_names=[name]), [1.0]),
        lambda: outside.solve(FunctionProblem(lambda x: x, parameter_names=[name]), [1.0]),
        lambda: CurveProblem(model, T, Y),
        lambda: CurveProblem(decay, T, Y, parameter_names=(name, "b")),
        lambda: lmoo.curve_fit(model, T, Y, bounds=(5, 6)),
        lambda: lmoo.curve_fit_many(model, T, np.ones((2, T.size)), [1.0], solver=outside),
        lambda: lmoo.solve_many(Batch(), np.ones((2, 1)), solver=outside),
        lambda: Solver().solve(lmoo.CurveBlocks(decay, T, Y, parameter_names=(name, "b")), [1, 1]),
        lambda: Result.from_dict(stored),
    ):
        with pytest.raises(
            ValueError, match=r"parameter_names must be|x0 must lie|bounds"
        ) as error:
            call()
        assert name not in str(error.value)
        assert str(error.value).isprintable()


def test_names_in_other_scripts_are_names() -> None:
    names = ("\u03b1", "gr\u00f6\u00dfe", "\u6e29\u5ea6 / K")
    problem = FunctionProblem(lambda x: x - 3.0, parameter_names=names)
    assert Solver().solve(problem, np.ones(3)).parameter_names == names
