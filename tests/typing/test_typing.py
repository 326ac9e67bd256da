"""Type checkers accept users' scripts and refuse names that lmoo does not have."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lmoo

HERE = Path(__file__).parent
ROOT = Path(lmoo.__file__).parents[1]
SCRIPTS = sorted((HERE / "scripts").glob("*.py"))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def checked(tool: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    names = list(map(str, paths))
    if tool == "mypy":
        pytest.importorskip("mypy")
        options = ["--strict", "--follow-imports=silent", "--config-file=", "--no-incremental"]
        return run(sys.executable, "-m", "mypy", *options, *names)
    pytest.importorskip("pyright")
    found = run(sys.executable, "-m", "pyright", "--pythonpath", sys.executable, *names)
    if not re.search(r"\d+ errors?, ", found.stdout):
        # It downloads Node on its first use.
        pytest.skip(f"pyright does not run here: {found.stderr[-200:]}")
    return found


def refused_lines() -> list[int]:
    text = (HERE / "refused.py").read_text().split("\n")
    return [k for k, line in enumerate(text, start=1) if line.startswith("lmoo.")]


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["mypy", "pyright"])
def test_scripts_of_users_and_what_is_refused(tool: str) -> None:
    """One call of the tool, which takes seconds to read the types of numpy."""
    assert len(SCRIPTS) >= 20
    found = checked(tool, *SCRIPTS, HERE / "refused.py").stdout
    errors = [line for line in found.split("\n") if re.search(r":\d+(:\d+)?( -)?:? error", line)]
    refused = [re.search(r"refused\.py:(\d+)", line) for line in errors]
    assert {int(line[1]) for line in refused if line} == set(refused_lines()), found
    others = [line for line, in_refused in zip(errors, refused, strict=True) if not in_refused]
    assert others == [], found


@pytest.mark.slow
def test_stubs_agree_with_the_compiled_modules() -> None:
    """All of lmoo where the packages that it can use are there, else the compiled modules."""
    pytest.importorskip("mypy")
    optional = ("dask", "distributed", "jax", "matplotlib", "scipy", "sklearn", "tqdm", "xarray")
    complete = all(importlib.util.find_spec(name) is not None for name in optional)
    options = ["--ignore-disjoint-bases", "--mypy-config-file", "pyproject.toml"]
    allowed = ["--allowlist", str(HERE / "stubtest.txt"), "--ignore-unused-allowlist"]
    module = "lmoo" if complete else "lmoo._core"
    found = run(sys.executable, "-m", "mypy.stubtest", module, *options, *allowed)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_the_scripts_run(script: Path) -> None:
    namespace = {"__name__": "__main__"}
    if script.stem == "patching":
        pytest.importorskip("scipy")
    exec(compile(script.read_text(), str(script), "exec"), namespace)


def test_dir_has_every_public_name_and_no_other() -> None:
    modules = {"bounds", "curve", "datasets", "losses", "models", "patch", "plotting"}
    assert set(dir(lmoo)) == {*lmoo.__all__, *modules, "__version__"}
    for name in dir(lmoo):
        assert getattr(lmoo, name) is not None
    with pytest.raises(AttributeError, match="module 'lmoo' has no attribute 'nothere'"):
        lmoo.nothere  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("module", ["lmoo", "lmoo.models", "lmoo.losses", "lmoo.datasets"])
def test_signatures(module: str) -> None:
    found = importlib.import_module(module)
    for name in dir(found) if module == "lmoo" else found.__all__:
        value = getattr(found, name)
        if callable(value):
            assert isinstance(inspect.signature(value), inspect.Signature), name


def test_instances_and_subclasses_have_their_own_signatures() -> None:
    assert str(inspect.signature(lmoo.CompiledProblem)) == "(m, n)"
    assert "text" in inspect.signature(lmoo.Expression).parameters
    assert str(inspect.signature(lmoo.Expression("a*t"))) == "(t, a, /)"


def test_help_names_the_functions() -> None:
    import pydoc

    text = pydoc.render_doc(lmoo.curve_fit)
    assert "curve_fit(" in text
    assert "bounds" in text


def test_an_unbuilt_source_folder_says_what_to_do(tmp_path: Path) -> None:
    shutil.copytree(
        Path(lmoo.__file__).parent,
        tmp_path / "lmoo",
        ignore=shutil.ignore_patterns("*.so", "*.pyd", "*.c", "__pycache__"),
    )
    code = "import sys; sys.path.insert(0, '.'); import lmoo"
    found = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    last = found.stderr.strip().split("\n")[-1]
    assert last.startswith("ImportError: lmoo is imported from its source folder, ")
    assert "run `pip install -e .` there" in last
