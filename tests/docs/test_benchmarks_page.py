"""docs/benchmarks.rst is what benchmarks/page.py writes, and the README has the same figures."""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.delitem(sys.modules, "page", raising=False)
    import page

    return page


def test_the_page_is_up_to_date(writer: ModuleType) -> None:
    assert writer.PAGE.read_text(encoding="utf-8") == writer.page(), "python benchmarks/page.py"


def test_each_table_has_its_script() -> None:
    tables = {path.stem for path in (ROOT / "docs" / "data" / "benchmarks").glob("*.csv")}
    tables |= {path.stem for path in (ROOT / "docs" / "data" / "benchmarks").glob("*.txt")}
    assert tables - {"summary", "versions"} <= {
        path.stem for path in (ROOT / "benchmarks").glob("*.py")
    }


def test_stored_output_is_shown(
    writer: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "STORED", tmp_path / "stored")
    monkeypatch.setattr(writer, "HERE", tmp_path)
    monkeypatch.setattr(writer, "GROUPS", {"Accuracy": ["one"]})
    (tmp_path / "one.py").write_text('"""Count `x`.\n\nMore.\n"""\nprint("figures: 3")\n')
    assert "Scripts without stored figures" in writer.page()
    (tmp_path / "stored").mkdir()
    (tmp_path / "stored" / "one.csv").write_text(",figure\n", encoding="utf-8")
    assert ".. csv-table::" in writer.page()
    assert writer.run("one") == ""
    stored = (tmp_path / "stored" / "one.txt").read_text(encoding="utf-8")
    assert "figures: 3" in stored
    assert "numpy" in stored.splitlines()[0]
    text = writer.page()
    assert ".. csv-table::" not in text
    assert "Count ``x``." in text
    assert ".. literalinclude:: data/benchmarks/one.txt" in text


def test_a_script_that_fails_leaves_what_is_stored(
    writer: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(writer, "STORED", tmp_path)
    monkeypatch.setattr(writer, "HERE", tmp_path)
    monkeypatch.setattr(writer, "PAGE", tmp_path / "page.rst")
    monkeypatch.setattr(writer, "GROUPS", {"Accuracy": ["one", "two"]})
    monkeypatch.setattr(sys, "argv", ["page.py", "--run"])
    (tmp_path / "one.py").write_text('"""One."""\nraise SystemExit("numba is not installed")\n')
    (tmp_path / "two.py").write_text('"""Two."""\nprint(2)\n')
    (tmp_path / "one.txt").write_text("of before\n", encoding="utf-8")
    assert writer.main() == 1
    assert "one: numba is not installed" in capsys.readouterr().err
    assert (tmp_path / "one.txt").read_text(encoding="utf-8") == "of before\n"
    assert "literalinclude:: data/benchmarks/two.txt" in writer.PAGE.read_text(encoding="utf-8")


def test_a_name_that_is_no_benchmark(
    writer: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["page.py", "--run", "nothing"])
    with pytest.raises(SystemExit):
        writer.main()
    assert "'nothing' is not a benchmark of the page" in capsys.readouterr().err


def test_the_readme_has_the_figures_of_the_first_page() -> None:
    with (ROOT / "docs" / "data" / "benchmarks" / "summary.csv").open(encoding="utf-8") as file:
        rows = [[cell.replace("``", "`") for cell in row] for row in csv.reader(file)]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for row in rows[1:]:
        assert f"| {' | '.join(row)} |".replace("|  |", "| |") in readme


def test_figures_of_the_first_page_are_stored() -> None:
    folder = ROOT / "docs" / "data" / "benchmarks"
    with (folder / "summary.csv").open(encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    for task, *cells, script in rows:
        name = script.strip("`").removesuffix(".py")
        output, table = folder / f"{name}.txt", folder / f"{name}.csv"
        stored = (output if output.exists() else table).read_text(encoding="utf-8")
        known = re.findall(r"[\d.]*\d", stored.replace(",", ""))
        for cell in cells:
            # scipy's time is the unit, 1 or 1/76.
            figures = re.findall(r"[\d.]*\d", cell.replace(",", "").removeprefix("1/"))
            assert set(figures) - {"1"} <= set(known), (task, figures)
