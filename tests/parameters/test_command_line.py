"""`lmoo fit` with relations of parameters."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from relation_cases import T, data, model

import lmoo
from lmoo.cli.entry import main

EXPRESSION = "a*exp(-b*t) + c*exp(-d*t)"


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / "data.csv"
    rows = zip(T.tolist(), data(2).tolist(), strict=True)
    file.write_text("t,y\n" + "".join(f"{t!r},{y!r}\n" for t, y in rows))
    return str(file)


def call(capsys: Any, *arguments: str) -> tuple[int, str, str]:
    code = main(["fit", *arguments])
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.mark.parametrize("start", [(), ("--start", "a=3,b=0.5")])
def test_relations(capsys: Any, path: str, start: tuple[str, ...]) -> None:
    code, out, err = call(
        capsys, path, EXPRESSION, "--tie", "c=a/2", "--tie", "d=max(3*b, 0.1)", *start,
        "--prior", "b=0.5:0.05", "--derived", "sum=a + c", "--constraint", "a <= 3.2",
        "--json", "-",
    )  # fmt: skip
    assert (code, err) == (0, "")
    found = json.loads(out)
    expected = lmoo.Solver(
        ties={"c": "a/2", "d": "3*b"},
        priors={"b": (0.5, 0.05)},
        derived={"sum": "a + c"},
        constraints=["a <= 3.2"],
    ).solve(lmoo.CurveProblem(model, T, data(2)), {"a": 3.0, "b": 0.5})
    np.testing.assert_allclose(found["x"], expected.x, rtol=1e-8)
    np.testing.assert_allclose(found["derived"]["sum"]["value"], expected["sum"].value, rtol=1e-8)
    code, out, _ = call(capsys, path, EXPRESSION, "--tie", "c=a/2", "--derived", "sum=a+c")
    assert code == 0
    assert "= a/2" in out
    assert "= a+c" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--tie", "q=a"), "--tie must have names of a, b, c, d; it has 'q'"),
        (("--tie", "c"), "--tie: expected name=expression, found 'c'"),
        (("--tie", "c=a", "--tie", "c=b"), "--tie gives 'c' twice"),
        (("--tie", "c=a*"), "--tie c: expected a number"),
        (("--prior", "a=3"), "--prior: a must be mean:sigma"),
        (("--prior", "a=3:0"), "positive and finite"),
        (("--constraint", "a*b <= 1"), "must be linear"),
    ],
)
def test_refused(capsys: Any, path: str, options: tuple[str, ...], message: str) -> None:
    code, _, err = call(capsys, path, EXPRESSION, "--start", "a=3,b=0.5,c=1.5,d=1.5", *options)
    assert code == 2
    assert message in err
