"""Errors in x on the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cli_cases import EXPRESSION, Call, T, Y, write

import lmoo


@pytest.mark.parametrize("sigma_x", ["err_t", "0.05", "4", "0*t + 0.05"])
@pytest.mark.parametrize("start", [(), ("--start", "a=2.4,b=1.2,c=0.4")])
def test_errors_in_x(call: Call, sigma_x: str, start: tuple[str, ...]) -> None:
    write("both.csv", "t,y,err,err_t", T, Y, np.full(20, 0.02), np.full(20, 0.05))
    options = ["--sigma", "err", "--sigma-x", sigma_x, *start]
    run = call("fit", "both.csv", EXPRESSION, *options, "--json", "-")
    assert (run.code, run.err) == (0, "")
    found = json.loads(run.out)
    problem = lmoo.CurveProblem(lmoo.Expression(EXPRESSION), T, Y, 0.02, sigma_x=0.05)
    expected = lmoo.Solver().solve(problem, [2.4, 1.2, 0.4])
    np.testing.assert_allclose(found["x"], expected.x, rtol=1e-8)
    np.testing.assert_allclose(found["standard_errors"], expected.stderr, rtol=1e-6)


def test_the_column_is_not_what_is_fitted(call: Call) -> None:
    write("both.csv", "t,err_t,y", T, np.full(20, 0.05), Y)
    run = call("fit", "both.csv", EXPRESSION, "--sigma-x", "err_t", "--json", "-")
    assert run.code == 0
    assert json.loads(run.out)["x"][1] == pytest.approx(1.3, abs=0.1)


def test_losses_and_relations(call: Call) -> None:
    bad = Y.copy()
    bad[7] += 1.0
    write("bad.csv", "t,y", T, bad)
    options = ["--sigma-x", "0.05", "--json", "-"]
    run = call("fit", "bad.csv", EXPRESSION, *options, "--loss", "cauchy", "--f-scale", "1",
               "--tie", "c=a/5")  # fmt: skip
    assert run.code == 0
    solver = lmoo.Solver(loss="cauchy", ties={"c": "a/5"})
    problem = lmoo.CurveProblem(lmoo.Expression(EXPRESSION, variables=["t"]), T, bad, sigma_x=0.05)
    found = json.loads(run.out)
    expected = solver.solve(problem, [2.5, 1.3, 0.5])
    np.testing.assert_allclose(found["x"], expected.x, rtol=1e-7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sigma-x", "0.0"], "--sigma-x 0.0 must be positive"),
        (["--sigma-x", "y"], "--sigma-x y is column 'y', which is the variable or what is fitted"),
    ],
)
def test_what_is_refused(call: Call, options: list[str], message: str) -> None:
    run = call("fit", "decay.csv", EXPRESSION, "--y", "y", *options)
    assert run.code == 2
    assert message in run.err


def test_several_variables_are_refused(call: Call) -> None:
    write("two.csv", "u,v,y", T, T**2, Y)
    run = call("fit", "two.csv", "a*u + b*v", "--sigma-x", "0.1")
    assert run.code == 2
    assert "--sigma-x is for one variable; there are u, v" in run.err
