"""Scripts of other packages, and the same fits with lmoo: equal values and standard errors."""

from __future__ import annotations

import io
import re
import runpy
import tokenize
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "migration.rst"
PACKAGES = {
    "leastsq": "scipy",
    "curve_fit": "scipy",
    "least_squares": "scipy",
    "lmfit_composite": "lmfit",
    "astropy_image": "astropy",
}


@pytest.mark.slow  # imports of the packages
@pytest.mark.parametrize("name", PACKAGES)
def test_values_and_errors_are_those_of_the_script_before(name: str) -> None:
    pytest.importorskip(PACKAGES[name])
    before, after = (
        runpy.run_path(str(HERE / folder / f"{name}.py")) for folder in ("before", "after")
    )
    assert before["values"].keys() == after["values"].keys()
    for key, value in before["values"].items():
        assert after["values"][key] == pytest.approx(value, rel=1e-6), key
    # lmfit's errors follow from forward differences.
    for key, error in before["errors"].items():
        assert after["errors"][key] == pytest.approx(error, rel=1e-4), key


def lines_of_code(path: Path) -> int:
    """Return the number of lines with code: no comments, no docstring, no blank lines."""
    text = path.read_text(encoding="utf-8").split('"""', 2)[2]
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER}
    numbers: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped | {tokenize.INDENT, tokenize.DEDENT}:
            numbers |= set(range(token.start[0], token.end[0] + 1))
    return len(numbers)


def test_the_page_has_the_numbers_of_lines() -> None:
    rows = re.findall(
        r"\* - ``(\w+)\.py``\n.*?\n     - (\d+)\n     - (\d+)\n", PAGE.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )  # fmt: skip
    assert {name: (int(before), int(after)) for name, before, after in rows} == {
        name: (lines_of_code(HERE / f"before/{name}.py"), lines_of_code(HERE / f"after/{name}.py"))
        for name in PACKAGES
    }
