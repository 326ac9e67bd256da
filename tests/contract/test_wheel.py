"""A wheel has what other packages compile against."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "pyproject.toml"


def needed(path: Path, found: set[Path]) -> set[Path]:
    """Return a .pxd file with all files of lmoo that it cimports or includes."""
    if path in found:
        return found
    found.add(path)
    text = path.read_text()
    for name in re.findall(r'^include "(.*)"', text, re.M):
        found.add(path.parent / name)
    for name in re.findall(r'extern from "(.*)"', text):
        found.add(ROOT / "lmoo/include" / name)
    for module in re.findall(r"^from (lmoo[.\w]*) cimport", text, re.M):
        needed(ROOT / (module.replace(".", "/") + ".pxd"), found)
    return found


@pytest.mark.skipif(not PROJECT.exists(), reason="not in a source tree")
def test_a_wheel_has_the_files_of_the_compiled_interface() -> None:
    kept = tomllib.loads(PROJECT.read_text())["tool"]["setuptools"]["package-data"]
    files = needed(ROOT / "lmoo/capi.pxd", set())
    assert {"capi.pxd", "abi1.pxd", "public.pxd", "api.pxi", "lmoo.h"} <= {f.name for f in files}
    for file in files:
        assert file.exists()
        folders = [file.parent, *file.parent.parents]
        assert any(
            fnmatch(str(file.relative_to(folder)), pattern)
            for folder in folders
            if folder.is_relative_to(ROOT / "lmoo")
            for package in ("*", ".".join(folder.relative_to(ROOT).parts))
            for pattern in kept.get(package, ())
        ), f"package-data must have {file.relative_to(ROOT)}"
