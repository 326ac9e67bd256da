"""Programs beside code written by hand: Gaussian, Lorentzian, biexponential and Voigt profile.

    python benchmarks/program.py

Times of programs divided by those of the compiled models of lmoo._core.models, which are written by
hand, with vectorised exponentials; biexponential and Voigt profile are those of by_hand.c, compiled
here, with the same exponential and the same Faddeeva function.  Both are tables ``lmoo_model`` and
called in the same way, for as many fits as have 20,000 points together.  Bar: 1.3.  The two
alternate in one process; each time is the least of several calls, as other work on the machine only
adds to it.
"""

import ctypes
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import versions

import lmoo
from lmoo._core.models import TABLE_OF
from lmoo.models import CompiledModel
from lmoo.models.program import Program

SIZES = (20, 100, 1000, 10**5)
ROUNDS = 60


class Steps:
    """A graph in the making."""

    def __init__(self, n: int) -> None:
        self.steps: list[Any] = [("parameter", (), j) for j in range(n)] + [("variable", (), 0)]

    def __call__(self, name: str, *arguments: int | float) -> int:
        nodes = tuple(a if isinstance(a, int) else self._put("constant", (), a) for a in arguments)
        return self._put(name, nodes, None)

    def _put(self, name: str, arguments: tuple[int, ...], value: float | None) -> int:
        self.steps.append((name, arguments, value))
        return len(self.steps) - 1

    def program(self, y: int, columns: list[int], n: int) -> Program:
        return Program(self.steps, y, columns, n=n)


def gaussian() -> Program:
    put = Steps(4)
    a, b, s, c, t = range(5)
    z, one = put("subtract", t, b), put("add", 1.0, 0.0)
    e = put(
        "exp",
        put("divide", put("negative", put("square", z)), put("multiply", 2.0, put("square", s))),
    )
    height = put("multiply", a, e)
    by_b = put("multiply", height, put("divide", z, put("square", s)))
    by_s = put("divide", put("multiply", by_b, z), s)
    return put.program(put("add", height, c), [e, by_b, by_s, one], 4)


def lorentzian() -> Program:
    put = Steps(4)
    a, b, w, c, t = range(5)
    z, one = put("divide", put("subtract", t, b), w), put("add", 1.0, 0.0)
    share = put("divide", 1.0, put("add", put("square", z), 1.0))
    slope = put("multiply", put("multiply", 2.0, a), put("square", share))
    by_b = put("divide", put("multiply", slope, z), w)
    return put.program(
        put("add", put("multiply", a, share), c), [share, by_b, put("multiply", by_b, z), one], 4
    )


def biexponential() -> Program:
    put = Steps(5)
    a, b, c, d, e, t = range(6)
    one = put("add", 1.0, 0.0)
    fast = put("exp", put("negative", put("multiply", b, t)))
    slow = put("exp", put("negative", put("multiply", d, t)))
    first, second = put("multiply", a, fast), put("multiply", c, slow)
    by_b = put("negative", put("multiply", first, t))
    by_d = put("negative", put("multiply", second, t))
    return put.program(put("add", put("add", first, second), e), [fast, by_b, slow, by_d, one], 5)


def voigt() -> Program:
    put = Steps(5)
    a, b, s, g, c, t = range(6)
    inverse = put("divide", 1.0, put("multiply", s, float(np.sqrt(2))))
    u, y = put("multiply", put("subtract", t, b), inverse), put("multiply", g, inverse)
    re, im, one = put("wofz_real", u, y), put("wofz_imag", u, y), put("add", 1.0, 0.0)
    by_u = put("multiply", put("subtract", put("multiply", u, re), put("multiply", y, im)), -2.0)
    rest = put("multiply", put("add", put("multiply", u, im), put("multiply", y, re)), 2.0)
    by_y = put("subtract", rest, float(2 / np.sqrt(np.pi)))
    by_s = put("add", put("multiply", by_u, u), put("multiply", by_y, y))
    scale = put("multiply", a, inverse)
    columns = [
        re,
        put("multiply", by_u, put("negative", scale)),
        put("multiply", by_s, put("negative", put("divide", a, s))),
        put("multiply", by_y, scale),
        one,
    ]
    return put.program(put("add", put("multiply", a, re), c), columns, 5)


CASES = {
    "Gaussian": (gaussian, [2.0, 0.3, 0.7, 0.1]),
    "Lorentzian": (lorentzian, [2.0, 0.3, 0.7, 0.1]),
    "BiExponential": (biexponential, [2.0, 2.0, 1.0, 0.2, 0.1]),
    "Voigt": (voigt, [2.0, 0.3, 0.7, 0.4, 0.1]),
}


# Models of by_hand.c; the others are lmoo's.
BY_HAND = {"BiExponential": "biexponential_model", "Voigt": "voigt_model"}


def compiled(folder: str) -> Any:
    """Compile by_hand.c."""
    target = Path(folder) / "by_hand.so"
    source = Path(__file__).with_name("by_hand.c")
    core = Path(lmoo.__file__).parent / "_core"
    flags = [
        "-O3",
        "-ffp-contract=off",
        "-fno-math-errno",
        "-fno-trapping-math",
        "-fPIC",
        "-shared",
        "-w",
    ]
    folders = [f"-I{core}", f"-I{lmoo.get_include()}"]
    subprocess.run(["cc", *flags, *folders, str(source), "-o", str(target), "-lm"], check=True)
    return ctypes.CDLL(str(target))


def written_by_hand(name: str, library: Any) -> CompiledModel:
    """Return a model in C."""
    if name not in BY_HAND:
        return CompiledModel(TABLE_OF[name])
    capsule = ctypes.pythonapi.PyCapsule_New
    capsule.restype = ctypes.py_object
    capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    table = ctypes.addressof(ctypes.c_char.in_dll(library, BY_HAND[name]))
    return CompiledModel(capsule(table, b"lmoo_model", None))


def least(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Return the least time of each, called in turn."""
    times = np.full((ROUNDS, 2), np.inf)
    for i in range(ROUNDS):
        for j, call in enumerate((first, second)):
            start = time.perf_counter()
            call()
            times[i, j] = time.perf_counter() - start
    return float(times[:, 0].min()), float(times[:, 1].min())


def main() -> None:
    print(versions())
    print(f"{'model':14} {'':12}" + "".join(f"{'m = ' + str(m):>26}" for m in SIZES))
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(folder)
        for name, (make, x) in CASES.items():
            program, hand = CompiledModel(make().capsule), written_by_hand(name, library)
            for derivatives in (False, True):
                cells = []
                for m in SIZES:
                    k = max(1, 20000 // m)
                    t = (
                        np.linspace(-5.0, 5.0, m)
                        if name != "BiExponential"
                        else np.linspace(0, 5, m)
                    )
                    points, parameters = t[None, None], np.tile(np.array(x), (k, 1))
                    ours, theirs = (
                        lambda model=model: model._model.evaluate(points, parameters, derivatives)  # noqa: B023
                        for model in (program, hand)
                    )
                    np.testing.assert_allclose(ours()[0], theirs()[0], rtol=1e-9, atol=1e-14)
                    mine, other = least(ours, theirs)
                    cells.append(f"{mine / other:9.2f} ({1e9 * mine / (k * m):5.2f} ns/point)")
                kind = "derivatives" if derivatives else "values"
                print(f"{name:14} {kind:12}" + "".join(f"{cell:>26}" for cell in cells))


if __name__ == "__main__":
    main()
