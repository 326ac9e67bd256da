"""Robust losses on the command line."""

from __future__ import annotations

import json

import pytest
from cli_cases import EXPRESSION, Call, T, Y, write


@pytest.mark.parametrize("loss", ["huber", "soft_l1", "cauchy", "arctan", "tukey"])
@pytest.mark.parametrize("start", [(), ("--start", "a=2.4,b=1.2,c=0.4")])
@pytest.mark.parametrize("scale", [(), ("--f-scale", "0.05"), ("--f-scale", "mad")])
def test_a_loss_leaves_outliers_out(
    call: Call, loss: str, start: tuple[str, ...], scale: tuple[str, ...]
) -> None:
    y = Y.copy()
    y[[3, 11]] += 2.0
    write("far.csv", "t,y", T, y)
    run = call("fit", "far.csv", EXPRESSION, "--loss", loss, *scale, *start)
    assert (run.code, run.err) == (0, "")
    assert f"loss                        {loss}, f_scale = " in run.out
    assert "2 of 20" in run.out
    rows = [line.split() for line in run.out.splitlines() if "+-" in line]
    values = {name: float(value) for name, value, *_ in rows}
    assert values["a"] == pytest.approx(2.5, rel=0.05)
    assert values["b"] == pytest.approx(1.3, rel=0.05)


def test_json_tells_the_loss(call: Call) -> None:
    run = call("fit", "decay.csv", EXPRESSION, "--loss", "huber", "--f-scale", "0.5", "--json", "-")
    found = json.loads(run.out)
    assert (found["robust"]["name"], found["robust"]["scale"]) == ("huber", 0.5)
    assert found["robust"]["weights"] == [1.0] * 20
    plain = json.loads(call("fit", "decay.csv", EXPRESSION, "--json", "-").out)
    assert plain["robust"] is None
    assert found["x"] == pytest.approx(plain["x"], rel=1e-6)


def test_losses_that_make_no_sense_are_refused(call: Call) -> None:
    run = call("fit", "decay.csv", "a*t", "--loss", "hubert")
    assert run.err.startswith("lmoo: error: --loss: must be one of linear, huber, soft_l1, cauchy")
    assert "it is 'hubert'" in run.err
    for scale in ("0", "-1", "inf", "MAD"):
        run = call("fit", "decay.csv", "a*t", "--loss", "huber", f"--f-scale={scale}")
        assert run.code == 2
        assert f"must be a positive number, or mad; it is '{scale}'" in run.err
    run = call("fit", "decay.csv", "a*t", "--sigma", "err", "--absolute-sigma", "--loss", "huber")
    assert (run.code, run.err[:55]) == (
        2,
        "lmoo: error: --absolute-sigma is incompatible with --lo",
    )
