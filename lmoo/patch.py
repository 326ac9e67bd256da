"""Fit with lmoo where a script says scipy: ``python -m lmoo.patch script.py``."""

import runpy
import sys
from collections.abc import Sequence

from lmoo.integrations.patching import ScipyPatch, patch_scipy, unpatch_scipy

__all__ = ["ScipyPatch", "main", "patch_scipy", "unpatch_scipy"]

_USAGE = """\
usage: python -m lmoo.patch SCRIPT [ARGUMENTS]
       python -m lmoo.patch -m MODULE [ARGUMENTS]
Run a script or a module in which scipy.optimize's leastsq, curve_fit and least_squares are lmoo's.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a script or a module with lmoo's functions in place of scipy's.

    Parameters
    ----------
    argv : sequence of str, optional
        The script, or ``-m`` and a module, and its arguments; None takes those of the process.

    Returns
    -------
    int
        0, or 2 for wrong arguments.  Exceptions of the script are passed on.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    if not given or given[0] in ("-h", "--help") or given == ["-m"]:
        print(_USAGE, end="", file=sys.stdout if given[:1] in (["-h"], ["--help"]) else sys.stderr)
        return 0 if given[:1] in (["-h"], ["--help"]) else 2
    patch_scipy()
    if given[0] == "-m":
        sys.argv = given[1:]
        runpy.run_module(given[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = given
        # As Python does for a script: its folder comes first in the path.
        from os.path import abspath, dirname

        sys.path.insert(0, dirname(abspath(given[0])))
        runpy.run_path(given[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
