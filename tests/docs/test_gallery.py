"""The scripts of the gallery run, and find what their texts say."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SCRIPTS = sorted(EXAMPLES.glob("plot_*.py"))


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def first_fit(names: dict[str, Any]) -> None:
    np.testing.assert_allclose(names["result"].x, [2.525015, 1.30972, 0.498551], rtol=1e-6)


def enzyme(names: dict[str, Any]) -> None:
    # Bates and Watts 1988, page 35, and the comparison of models on page 69.
    np.testing.assert_allclose(names["result"].x, [212.7, 0.06412], rtol=1e-4)
    assert names["same"]["more_vmax"].value == pytest.approx(42.03, abs=0.01)
    assert names["same"].aic < names["full"].aic


def spectrum(names: dict[str, Any]) -> None:
    assert names["area"] == pytest.approx(324, abs=0.5)
    assert names["error"] < 0.8 * names["uncorrelated"]


def counts(names: dict[str, Any]) -> None:
    assert names["result"]["background"].value == pytest.approx(8.233, abs=1e-3)


def dose(names: dict[str, Any]) -> None:
    assert names["result"].x[3] == 0.0
    assert names["free"].x[3] < 0
    lower, upper = names["result"].interval("bottom", method="profile")
    assert (lower, round(upper, 2)) == (0.0, 3.89)


def el_nino(names: dict[str, Any]) -> None:
    np.testing.assert_allclose(names["result"].x, names["data"].certified, rtol=1e-7)
    assert names["plain"].nfev > 1.5 * names["result"].nfev


def outliers(names: dict[str, Any]) -> None:
    assert np.flatnonzero(names["outlier"]).tolist() == [0, 10, 20, 30, 40]
    assert abs(names["robust"]["rate"].value - 1.3) < 0.03 < names["squares"]["rate"].value - 1.3


def image(names: dict[str, Any]) -> None:
    fits = names["fits"]
    assert fits.success.all()
    z = (fits.x[..., 1] - names["lifetime"]) / fits.stderr[..., 1]
    assert 0.8 < np.std(z) < 1.2


def resonance(names: dict[str, Any]) -> None:
    assert names["result"].observations == 242
    assert names["result"].reduced_chi_square == pytest.approx(0.96, abs=0.01)


CHECKS = [first_fit, enzyme, spectrum, counts, dose, el_nino, outliers, image, resonance]


def test_each_script_has_a_check() -> None:
    assert [path.stem.split("_", 2)[2] for path in SCRIPTS] == [check.__name__ for check in CHECKS]


@pytest.mark.slow
@pytest.mark.parametrize("k", range(len(CHECKS)), ids=[check.__name__ for check in CHECKS])
def test_a_script_runs_and_finds_what_it_says(k: int) -> None:
    names = runpy.run_path(str(SCRIPTS[k]))
    CHECKS[k](names)
    texts = json.loads((EXAMPLES / "descriptions.json").read_text(encoding="utf-8"))
    assert len(plt.get_fignums()) == len(texts[SCRIPTS[k].stem])
