"""The gallery and the notebook of the documentation: they run, and draw what is shown."""

from __future__ import annotations

import doctest
import json
import struct
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import matplotlib as mpl
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

import lmoo

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "gallery.rst"
NOTEBOOK = DOCS / "notebooks" / "first_fit.ipynb"


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture
def drawer() -> ModuleType:
    """docs/pictures.py, which is no part of the package."""
    spec = spec_from_file_location("pictures", DOCS / "pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def size(file: bytes) -> tuple[int, int]:
    """Width and height in the header of a PNG file."""
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", file[16:24])
    return width, height


@pytest.mark.slow
def test_the_examples_give_what_the_page_says() -> None:
    flags = doctest.ELLIPSIS | doctest.DONT_ACCEPT_TRUE_FOR_1
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags)
    assert failed == 0
    assert tried > 50


@pytest.mark.slow
def test_the_pictures_are_drawn_by_the_page_and_stored(drawer: ModuleType) -> None:
    drawn = dict(drawer.pictures(PAGE))
    stored = {f"data/{path.name}": path.read_bytes() for path in DOCS.glob("data/gallery_*.png")}
    assert drawn.keys() == stored.keys()
    for name in drawn:
        for file in (drawn[name], stored[name]):
            assert size(file) == (800, 600), name
            assert len(file) < 80_000, name


def test_the_script_writes_beside_the_page_it_is_given(
    drawer: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.rst"
    page.write_text(
        ">>> import matplotlib.pyplot as plt\n"
        ">>> figure, ax = plt.subplots(figsize=(8, 6))\n"
        "\n.. image:: one.png\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(sys, "argv", ["pictures.py", str(page)])
    drawer.main()
    assert size((tmp_path / "one.png").read_bytes()) == (800, 600)


def test_the_notebook_is_stored_without_outputs_and_runs() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["metadata"]["kernelspec"]["name"]) == (4, "python3")
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, object] = {}
    for cell in cells:
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        exec(compile("".join(cell["source"]), NOTEBOOK.name, "exec"), names)
    result = names["result"]
    assert isinstance(result, lmoo.Result)
    assert "a minimum was found" in result._repr_html_()
    # Data and residuals, and the joint region.
    assert [len(plt.figure(k).axes) for k in plt.get_fignums()] == [2, 1]
