"""Write docs/benchmarks.rst, and run the benchmarks whose output it shows.

    python benchmarks/page.py                  writes the page from what is stored
    python benchmarks/page.py --run [NAME ...] runs these benchmarks, or all, and stores the output
    python benchmarks/page.py --check          exits with 1 if the page is not up to date

``--run`` stores the output of a script, with the date, the versions and the processor, in
docs/data/benchmarks/NAME.txt.  Until a script has been run in this way the page has its table of
figures, NAME.csv, and the versions of all tables, versions.txt.  A script that fails, such as one
that needs a package that is not installed, leaves what is stored.
"""

import argparse
import ast
import datetime
import subprocess
import sys
import tempfile
from pathlib import Path

from common import processor, versions

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
STORED = DOCS / "data" / "benchmarks"
PAGE = DOCS / "benchmarks.rst"
GROUPS = {
    "Accuracy": ["nist_table", "nist_no_starts", "separable", "easy", "peaks", "random_problems"],
    "Time of one fit": ["versus_scipy", "curve_fit", "least_squares", "program", "import_time"],
    "Many fits and many rows": ["many_fits", "lifetimes", "joint", "tall", "tall_traced"],
    "Errors and intervals": ["interval_coverage", "prior_coverage", "robust"],
    "Other packages": ["versus_cminpack", "versus_jax", "xarray_pixels", "bounds"],
    "Files, memory and clusters": ["read_files", "leaks", "cluster"],
}
HEAD = """\
Benchmarks
==========

Each section names the script that measures it, in the folder ``benchmarks`` of the sources.
``pip install ".[bench]"`` installs what most of them need.  Other work on the machine changes
times; run one script at a time.  ``python benchmarks/page.py --run NAME`` runs a script and stores
its output for this page.
"""


def heading(text: str, line: str) -> str:
    """Return a heading of reStructuredText."""
    return f"\n{text}\n{line * len(text)}\n"


def summary(name: str) -> str:
    """Return the first line of a script's docstring, with names in code as literals."""
    docstring = ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8")))
    assert docstring is not None
    first = docstring.split("\n\n")[0].split("\n")[0].rstrip(".")
    return first.replace("``", "`").replace("`", "``")


def figures(name: str) -> str:
    """Return the stored output of a script, or else its table, with the versions."""
    if (STORED / f"{name}.txt").exists():
        return f"\n.. literalinclude:: data/benchmarks/{name}.txt\n   :language: text\n"
    if (STORED / f"{name}.csv").exists():
        table = f"\n.. csv-table::\n   :file: data/benchmarks/{name}.csv\n   :header-rows: 1\n"
        return f"{table}\n.. include:: data/benchmarks/versions.txt\n"
    return ""


def section(name: str) -> str:
    """Return the section of one script."""
    command = f"\n.. code-block:: console\n\n   python benchmarks/{name}.py\n"
    return heading(f"{name}.py", "~") + f"\n{summary(name)}.\n{figures(name)}{command}"


def page() -> str:
    """Return the whole page; scripts without figures are listed at its end."""
    text, others = HEAD, []
    for title, names in GROUPS.items():
        shown = [name for name in names if figures(name)]
        others += [name for name in names if not figures(name)]
        if shown:
            text += heading(title, "-") + "".join(section(name) for name in shown)
    text += heading("Scripts without stored figures", "-")
    text += "\n" + "".join(
        f"* ``python benchmarks/{name}.py``: {summary(name)}.\n" for name in others
    )
    return text


def run(name: str) -> str:
    """Run a script and store its output; return the message of an error, or an empty text."""
    with tempfile.TemporaryDirectory() as folder:  # for the pictures that scripts write
        done = subprocess.run(
            [sys.executable, str(HERE / f"{name}.py")], capture_output=True, text=True, cwd=folder
        )
    if done.returncode:
        return (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
    STORED.mkdir(exist_ok=True)
    head = str(datetime.date.today())
    if processor() not in done.stdout:  # most scripts print versions and processor themselves
        head += f": {versions()}"
    (STORED / f"{name}.txt").write_text(f"{head}\n\n{done.stdout}", encoding="utf-8")
    (STORED / f"{name}.csv").unlink(missing_ok=True)
    return ""


def main() -> int:
    """Run what is asked for, and write or check the page."""
    parser = argparse.ArgumentParser(description="Write docs/benchmarks.rst.")
    parser.add_argument("--run", nargs="*", metavar="NAME")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    failed = 0
    known = [name for names in GROUPS.values() for name in names]
    if given.run is not None:
        for name in given.run or known:
            if name not in known:
                parser.error(
                    f"{name!r} is not a benchmark of the page; known are {', '.join(known)}"
                )
            print(f"{name} ...", flush=True)
            if message := run(name):
                failed += 1
                print(f"{name}: {message}", file=sys.stderr)
    if given.check:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
