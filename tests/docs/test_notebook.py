"""The notebook of the documentation is stored without outputs, and runs."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

import lmoo

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "first_fit.ipynb"


@pytest.mark.slow
def test_the_notebook_is_stored_without_outputs_and_runs() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["metadata"]["kernelspec"]["name"]) == (4, "python3")
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, object] = {}
    try:
        for cell in cells:
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
            exec(compile("".join(cell["source"]), NOTEBOOK.name, "exec"), names)
        # Data and residuals, and the joint region.
        assert [len(plt.figure(k).axes) for k in plt.get_fignums()] == [2, 1]
    finally:
        plt.close("all")
    result = names["result"]
    assert isinstance(result, lmoo.Result)
    assert "a minimum was found" in result._repr_html_()
    pictures = names["pictures"]
    assert isinstance(pictures, str)
    assert pictures.count("<img") > 3
    assert pictures.count("hidden") == pictures.count("<img") - 1
