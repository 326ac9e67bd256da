"""The report as a page of HTML."""

from __future__ import annotations

import re
import sys
import warnings
from base64 import b64decode
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from report_cases import NAMES, Checked, T, Y, case, fitted

import lmoo
from lmoo.results.report.page import page

# Of these the plots are looked at.
DRAWN = {"curve": 2, "sum": 2, "joint": 1, "complex": 2, "maxfev": 1, "plain": 0}


@cache
def read(name: str) -> str:
    """The page of a case, which is drawn once, or made without rendering its plots."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if name not in DRAWN:
            patch.setattr("lmoo.results.report.pictures.png_of", lambda figure: b"\x89PNG")
        path = Path(folder, "page.html")
        case(name).to_html(path)
        return path.read_text(encoding="utf-8")


@pytest.fixture
def without_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without plots, which take most of their time."""
    monkeypatch.setattr("lmoo.results.report.page.pictures_of", lambda result: ([], ""))


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages whose plots are made but not rendered, which takes most of their time."""
    monkeypatch.setattr("lmoo.results.report.pictures.png_of", lambda figure: b"\x89PNG")


def png_size(source: str) -> tuple[int, int]:
    """Width and height of a PNG in a data URL."""
    data = b64decode(source.removeprefix("data:image/png;base64,"))
    assert data.startswith(b"\x89PNG")
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_whole_and_needs_no_network(name: str) -> None:
    text = read(name)
    found = Checked(text)
    assert text.startswith("<!DOCTYPE html>")
    assert found.all("html") == [{"lang": "en"}]
    assert {"charset": "utf-8"} in found.all("meta")
    viewport = {"name": "viewport", "content": "width=device-width, initial-scale=1"}
    assert viewport in found.all("meta")
    headings = [int(tag[1]) for tag, _ in found.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert set(headings[1:]) == {2}
    for image in found.all("img"):
        assert image["alt"]
        assert (image["src"] or "").startswith("data:image/png;base64,")
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    for tag in ("script", "link", "iframe"):
        assert not found.all(tag)
    assert "@import" not in text
    assert plt.get_fignums() == []


@pytest.mark.parametrize(("name", "count"), DRAWN.items())
def test_the_plots_have_200_dots_per_inch(name: str, count: int) -> None:
    images = Checked(read(name)).all("img")
    assert len(images) == count
    for k, image in enumerate(images):
        width, height = png_size(image["src"] or "")
        assert (width, height) == (1600, 1200) or k
        assert (image["width"], image["height"]) == (str(width // 2), str(height // 2))


def test_alternative_texts_say_what_is_drawn() -> None:
    image, profiles = Checked(read("sum")).all("img")
    assert image["alt"] == (
        "y against t: data, the fit, its components, bands of 95 %; below, the residuals."
    )
    names = ", ".join(case("sum").parameter_names)
    assert (profiles["alt"] or "").startswith(f"Profiles of {names}, and the intervals of 95 %.")


def profiled(result: lmoo.Result) -> list[str]:
    """The captions of the profiles on the page of a result."""
    alts = [image["alt"] or "" for image in Checked(page(result)).all("img")]
    return [alt for alt in alts if alt.startswith("Profiles of")]


@pytest.mark.usefixtures("unrendered")
def test_profiles_are_those_of_parameters_with_errors() -> None:
    (caption,) = profiled(case("bounds"))
    assert caption.startswith("Profiles of amplitude, and")
    assert "A profile has found" not in caption


@pytest.mark.usefixtures("unrendered")
def test_profiles_call_no_python() -> None:
    calls = []

    def model(t: Any, a: float, b: float) -> Any:
        calls.append(a)
        return a + b * t if np.ndim(a) == 0 else 0.0

    problem = lmoo.CurveProblem(model, T, Y, trace=False)
    assert profiled(lmoo.Solver().solve(problem, [1.0, 1.0])) == []
    assert calls


@pytest.mark.usefixtures("unrendered")
def test_compiled_models_have_profiles_and_exact_derivatives() -> None:
    t = np.linspace(0.0, 10.0, 40)
    model = lmoo.models.Gaussian()
    y = model(t, 2.0, 5.0, 1.2, 0.1) + 0.01 * np.cos(9 * t)
    result = lmoo.fit(model, t, y)
    assert result.evaluation == "compiled"
    (caption,) = profiled(result)
    assert caption.startswith("Profiles of amplitude, center, sigma, offset")
    assert "exact, of the compiled model" in result.report(details=True)
    for strategy in (lmoo.ForwardDifference(), lmoo.CentralDifference()):
        solver = lmoo.Solver(jacobian=strategy)
        other = solver.solve(model.problem(t, y), result.x)
        assert repr(strategy) in other.report(details=True)
        assert "exact" not in other.report(details=True)


@pytest.mark.usefixtures("unrendered")
def test_a_profile_below_the_minimum_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from lmoo.results.report import pictures

    def below(result: Any, name: str, ax: Any) -> None:
        warnings.warn(lmoo.BetterMinimumWarning(result, result), stacklevel=2)
        ax.plot([0, 1], [0, 1], label="profile")
        ax.legend()

    monkeypatch.setattr(pictures, "plot_profile", below)
    (caption,) = profiled(fitted())
    assert caption.endswith("the result is not the minimum.")


@pytest.mark.usefixtures("unrendered")
def test_a_history_is_drawn() -> None:
    from report_cases import T, Y, decay

    import lmoo

    problem = lmoo.CurveProblem(decay, T, Y)
    result = lmoo.Solver().solve(problem, [1.0, 1.0, 0.2], history=True)
    alts = [image["alt"] for image in Checked(page(result)).all("img")]
    assert alts[2] == "Cost and optimality against the iteration."


@pytest.mark.usefixtures("without_plots")
def test_the_title_is_the_model_unless_it_is_long_or_given() -> None:
    assert "<h1>Fit of a*exp(-b*t) + c</h1>" in page(case("text"))
    assert "<title>&lt;b&gt; &amp; c</title>" in page(case("text"), "<b> & c")

    def model(t: Any, a_long_name_of_a_parameter: Any, another_name_of_a_parameter: Any) -> Any:
        return a_long_name_of_a_parameter * t + another_name_of_a_parameter

    from report_cases import T, Y

    import lmoo

    assert "<h1>Fit of y against t</h1>" in page(lmoo.fit(model, T, Y, p0=[1.0, 1.0]))


@pytest.mark.usefixtures("without_plots")
def test_a_file_is_overwritten_on_request_alone(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match=r"or overwrite=True; .*page\.html exists"):
        fitted().to_html(path)
    assert path.read_text() == "mine"
    fitted().to_html(str(path), overwrite=True)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.usefixtures("without_plots")
def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fitted().to_html(tmp_path / "nowhere" / "page.html")


def test_without_matplotlib_the_page_says_how_to_have_plots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in list(sys.modules):
        if name == "matplotlib" or name.startswith("matplotlib."):
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    text = page(case("curve"))
    assert "Plots need matplotlib: pip install lmoo[plot]" in text
    assert not Checked(text).all("img")
    # Where there is nothing to plot, nothing is missing.
    assert "matplotlib" not in page(case("plain"))


def test_the_text_of_the_page_is_legible() -> None:
    from test_report_html import luminance

    style = read("curve").split("<style>")[1].split("</style>")[0]
    assert "background: #ffffff; color: #1b1f23" in style
    for colour in re.findall(r"(?<![-\w])color: (#\w{6})", style):
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5


def test_names_are_escaped() -> None:
    text = read("names")
    assert not Checked(text).all("script")


def test_the_page_of_a_failed_fit_has_no_bands() -> None:
    text = read("maxfev")
    (image,) = Checked(text).all("img")
    assert "the last point, which is no minimum" in (image["alt"] or "")
    assert text.index("NO minimum was found") < text.index("<h2>Parameters")
