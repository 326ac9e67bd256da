"""Test suites of lmfit, astropy and scipy with lmoo in place of scipy's functions, and without.

Usage: python benchmarks/patched_suites.py [lmfit] [astropy] [scipy] [--lmfit-tests FOLDER]

It prints for each suite the numbers of tests that passed, the time, each test whose outcome
differs, with the first line of its message, and the tests that became slower.  lmfit's tests are
in its source distribution alone, which pip downloads unless the folder is given.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import lmoo

ASTROPY = ("fitters", "constraints", "models", "models_quantities", "quantities_fitting")
ASTROPY += ("quantities_evaluation", "quantities_parameters", "statistics")
SCIPY = ("minpack", "least_squares")
_SLOWER = 5


@dataclass(frozen=True)
class Run:
    """Outcomes, messages and times by the name of the test, and the time of all of them."""

    outcomes: dict[str, str]
    messages: dict[str, str]
    times: dict[str, float]
    seconds: float

    @property
    def passed(self) -> int:
        return sum(outcome == "passed" for outcome in self.outcomes.values())


def folder_of(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{module} is not installed; pip install {module.partition('.')[0]}")
    return Path(spec.origin).parent


def lmfit_tests(given: str | None, folder: Path) -> list[Path]:
    """Return the folder of lmfit's tests, from its source distribution."""
    if given is not None:
        return [Path(given).resolve()]
    wanted = f"lmfit=={version('lmfit')}"
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    download += ["--no-binary", "lmfit", "--dest", str(folder), wanted]
    subprocess.run(download, check=True)
    with tarfile.open(next(folder.glob("lmfit-*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return [next(folder.glob("lmfit-*/tests"))]


def files_of(suite: str, given: str | None, folder: Path) -> list[Path]:
    if suite == "lmfit":
        return lmfit_tests(given, folder)
    if suite == "astropy":
        tests = folder_of("astropy.modeling") / "tests"
        return [path for name in ASTROPY if (path := tests / f"test_{name}.py").exists()]
    tests = folder_of("scipy.optimize") / "tests"
    return [tests / f"test_{name}.py" for name in SCIPY]


def run(files: list[Path], patched: bool, folder: Path) -> Run:
    """Run the tests in a process of their own."""
    report = folder / f"{'patched' if patched else 'plain'}.xml"
    command = [sys.executable, *(["-m", "lmoo.patch"] if patched else []), "-m", "pytest"]
    command += ["-q", "--tb=short", "-p", "no:cacheprovider", f"--junitxml={report}"]
    where = os.pathsep.join([str(Path(lmoo.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    begin = time.perf_counter()
    if files[0].is_dir():
        # An archive of sources has a configuration, in which options for coverage need a plugin.
        home, configuration = files[0].parent, ["-o", "addopts="]
    else:
        # That of a project whose environment has the package is not meant for it.
        home, configuration = folder, ["-c", os.devnull, "--rootdir", str(files[0].parent)]
    done = subprocess.run(
        [*command, *configuration, *map(str, files)],
        cwd=home,
        env=os.environ | {"PYTHONPATH": where, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - begin
    if not report.exists():
        raise SystemExit(done.stdout + done.stderr)
    outcomes, messages, times = {}, {}, {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        part = next((one for one in case if one.tag in ("failure", "error", "skipped")), None)
        outcomes[name] = "passed" if part is None else part.tag
        lines = "" if part is None else (part.get("message") or "").strip()
        messages[name] = lines.split("\n")[0][:150]
        times[name] = float(case.get("time", 0.0))
    return Run(outcomes, messages, times, seconds)


def compare(suite: str, given: str | None) -> None:
    with tempfile.TemporaryDirectory() as name:
        files = files_of(suite, given, Path(name))
        plain, patched = (run(files, way, Path(name)) for way in (False, True))
    print(f"{suite} {version(suite)}: {len(plain.outcomes)} tests", flush=True)
    for way, found in (("scipy", plain), ("lmoo", patched)):
        print(f"  with {way:6} {found.passed} passed, {found.seconds:.1f} s")
    differing = [
        test
        for test in {**plain.outcomes, **patched.outcomes}
        if plain.outcomes.get(test) != patched.outcomes.get(test)
    ]
    print(f"  outcomes that differ: {len(differing)}")
    for test in differing:
        before, after = plain.outcomes.get(test), patched.outcomes.get(test)
        print(f"    {test}: {before} -> {after}  {patched.messages.get(test, '')}")
    print("  tests that are slower by the most seconds")
    shared = plain.times.keys() & patched.times.keys()
    for test in sorted(shared, key=lambda test: plain.times[test] - patched.times[test])[:_SLOWER]:
        print(f"    {plain.times[test]:8.2f} -> {patched.times[test]:8.2f} s  {test}")
    print(flush=True)


def main() -> None:
    suites = ("lmfit", "astropy", "scipy")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(suites))
    parser.add_argument("--lmfit-tests", metavar="FOLDER")
    arguments = parser.parse_args()
    for suite in arguments.suites or suites:
        if suite not in suites:
            parser.error(f"SUITE must be one of {', '.join(suites)}; it is {suite!r}")
        compare(suite, arguments.lmfit_tests)


if __name__ == "__main__":
    main()
