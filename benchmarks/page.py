"""Write docs/benchmarks.rst, and run the benchmarks whose output it shows.

    python benchmarks/page.py                  writes the page from what is stored
    python benchmarks/page.py --run [NAME ...] runs these benchmarks, or all, and stores the output
    python benchmarks/page.py --check          exits with 1 if the page is not up to date

Figures are tables in docs/data/benchmarks/NAME.csv.  ``--run`` stores the output of a script, with
the date, the versions and the processor, in NAME.txt beside them.
"""

import argparse
import ast
import datetime
import os
import subprocess
import sys
from pathlib import Path

from common import versions

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

The tables were measured with

.. include:: data/benchmarks/versions.txt
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
    """Return the table and the stored output of a script."""
    parts = []
    if (STORED / f"{name}.csv").exists():
        parts.append(
            f"\n.. csv-table::\n   :file: data/benchmarks/{name}.csv\n   :header-rows: 1\n"
        )
    if (STORED / f"{name}.txt").exists():
        parts.append(f"\n.. literalinclude:: data/benchmarks/{name}.txt\n   :language: text\n")
    return "".join(parts)


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


def run(name: str) -> None:
    """Run a script, and store its output."""
    command = [sys.executable, str(HERE / f"{name}.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    head = f"{datetime.date.today()}: {versions()}\n\n"
    STORED.mkdir(exist_ok=True)
    (STORED / f"{name}.txt").write_text(head + done.stdout, encoding="utf-8")


def main() -> int:
    """Run what is asked for, and write or check the page."""
    parser = argparse.ArgumentParser(description="Write docs/benchmarks.rst.")
    parser.add_argument("--run", nargs="*", metavar="NAME")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    known = [name for names in GROUPS.values() for name in names]
    if given.run is not None:
        for name in given.run or known:
            if name not in known:
                parser.error(
                    f"{name!r} is not a benchmark of the page; known are {', '.join(known)}"
                )
            print(f"{name} ...", flush=True)
            run(name)
    if given.check:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
