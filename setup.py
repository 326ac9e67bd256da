"""Build the compiled kernels: one list of extensions, one set of directives.

Environment
-----------
LMOO_DEBUG=1
    Keep the assertions on the kernels' pre- and postconditions.
LMOO_SANITIZE=1
    Compile with AddressSanitizer and UndefinedBehaviorSanitizer (gcc or clang).
"""

import os
import sys

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup

# In the order of their imports: each may cimport those above it.
MODULES = [
    "qr",
    "lmpar",
    "fold",
    "threads",
    "covariance",
    "stopping",
    "losses",
    "noise",
    "steps",
    "more",
    "nielsen",
    "geodesic",
    "valley",
    "units",
    "dense",
    "bounds",
    "search",
    "iteration",
    "differences",
    "driver",
    "linearize",
    "vectors",
    "lanes",
    "residual",
    "curveresidual",
    "derivatives",
    "stepping",
    "linearmodel",
    "arrow",
    "stored",
    "loop",
    "rows",
    "whole",
    "access",
    "uncertainty",
    "batch",
    "abi1",
    "compiled",
    "arrowstats",
    "curvemodel",
    "groups",
    "errorsinx",
    "modelfits",
    "models",
    "program",
    "kernels",
]

# Vectorised loops cost more than they bring where n is 3 and m 20; these have long ones, or lanes,
# or loops to be unrolled.
LONG_LOOPS = (
    "arrow",
    "batch",
    "dense",
    "differences",
    "fold",
    "lanes",
    "linearize",
    "losses",
    "models",
    "program",
    "qr",
    "units",
    "vectors",
)

# Headers that one module alone includes.
HEADERS = {
    "program": [
        "lmoo/_core/program.h",
        "lmoo/_core/program_body.inc",
        "lmoo/_core/elementary_body.inc",
        "lmoo/_core/wofz_body.inc",
        "lmoo/_core/wofz_tables.h",
        "lmoo/_core/special.h",
    ]
}

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "embedsignature": True,
    "freethreading_compatible": True,
}


def compile_args(name: str) -> list[str]:
    """Return the compiler's flags; rounding must not depend on the machine."""
    if sys.platform == "win32":
        return ["/O2", "/fp:precise"]
    flags = ["-O3" if name in LONG_LOOPS else "-O2"]
    # A fused multiply-add rounds once where MINPACK rounds twice, and then counts differ.
    flags += [f"-ffp-contract={'fast' if name == 'fold' else 'off'}"]
    if name == "losses":
        # No exception flags are looked at, and branches become selections of vectors.
        flags += ["-fno-trapping-math"]
    # Nobody looks at errno after a square root, and looking after it keeps the roots apart.
    flags += ["-fno-math-errno"]
    # Python's own flags ask for debug symbols, which are three quarters of a wheel.
    flags += ["-g0"]
    # Nor at exceptions of comparisons, which keep choices between two values out of vectors.
    if name in ("models", "program"):
        flags += ["-fno-trapping-math"]
    # Constants of a short loop are read from memory as soon as from where they would be kept.
    if name == "program":
        flags += ["-fno-move-loop-invariants"]
    if os.environ.get("LMOO_DEBUG") == "1":
        flags += ["-UNDEBUG", "-g"]
    if os.environ.get("LMOO_SANITIZE") == "1":
        flags += ["-O1", "-g", "-UNDEBUG", "-fno-omit-frame-pointer"]
        flags += ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
    return flags


def link_args() -> list[str]:
    """Return the linker's flags: the sanitizers' run time, when asked for."""
    return ["-fsanitize=address,undefined"] if os.environ.get("LMOO_SANITIZE") == "1" else []


def extension(name: str) -> Extension:
    """Return the extension ``lmoo._core.<name>``."""
    return Extension(
        f"lmoo._core.{name}",
        [f"lmoo/_core/{name}.pyx"],
        include_dirs=[np.get_include(), "lmoo/include", "lmoo/_core"],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION")],
        extra_compile_args=compile_args(name),
        extra_link_args=link_args(),
        depends=[
            "lmoo/_core/model.pxd",
            "lmoo/_core/norms.pxd",
            "lmoo/_core/state.h",
            "lmoo/_core/simd.h",
            "lmoo/_core/fold_body.inc",
            "lmoo/_core/lanes.h",
            "lmoo/_core/vexp.h",
            "lmoo/_core/lanes_body.inc",
            "lmoo/_core/finite.h",
            "lmoo/include/lmoo.h",
            *HEADERS.get(name, []),
        ],
    )


setup(
    ext_modules=cythonize([extension(name) for name in MODULES], compiler_directives=DIRECTIVES),
    options={"build_ext": {"parallel": os.cpu_count()}},
)
