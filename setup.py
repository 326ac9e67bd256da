"""Build the compiled kernels: one list of extensions, one set of directives.

Environment
-----------
LMOO_DEBUG=1
    Keep the assertions on the kernels' pre- and postconditions, the symbols for profilers, and the
    tables for debuggers.
LMOO_SANITIZE=1
    Compile with AddressSanitizer and UndefinedBehaviorSanitizer (gcc or clang).
LMOO_OPTIMIZE=0
    Compile without optimization, for checks of what compiles and works together.
LMOO_BUILT=1
    Build none: the compiled modules are in ``lmoo/_core`` already.
"""

import multiprocessing
import os
import sys
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup

# In the order of their imports: each may cimport those above it.  A module is one file, or includes
# its parts from the folder of its name.  They are few because Cython adds 4,800 lines of C to an
# empty module and 11,400 to one with the C interface of numpy: 42 modules had 799,000 and took 107
# seconds of CPU time to build; the same code in nine had 276,000 and took 60.
MODULES = [
    "linalg",
    "fold",
    "iteration",
    "evaluate",
    "abi1",
    "solve",
    "batch",
    "arrow",
    "graphs",
    "models",
    "kernels",
    "normal",
]

# Cython's own code for memory views: 25,000 lines of C, or 3.6 s of gcc's time, which each of six
# modules would contain otherwise.
SHARED = "lmoo._core._cyutility"

# Vectorised loops cost more than they bring where n is 3 and m 20; parts of these have long ones,
# or lanes, or loops to be unrolled.
LONG_LOOPS = ("batch", "evaluate", "fold", "linalg", "models")

# Modules that call functions of Python, or run once for a model, made small.
GLUE = ("_cyutility", "abi1", "graphs", "kernels", "solve")

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
    flags = ["-O3" if name in LONG_LOOPS else "-Os" if name in GLUE else "-O2"]
    # A fused multiply-add rounds once where MINPACK rounds twice, and then counts differ.
    flags += [f"-ffp-contract={'fast' if name == 'fold' else 'off'}"]
    # Nobody looks at errno after a square root, and looking after it keeps the roots apart.
    flags += ["-fno-math-errno"]
    # Python's own flags ask for debug symbols, which are three quarters of a wheel.
    flags += ["-g0"]
    # Nobody unwinds the stack of C code but debuggers, and these tables are 2 % of a wheel.
    if os.environ.get("LMOO_DEBUG") != "1" and os.environ.get("LMOO_SANITIZE") != "1":
        flags += ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables"]
    # Nor at exceptions of comparisons, which keep choices between two values out of vectors: of the
    # losses, and of models.
    if name in ("evaluate", "models"):
        flags += ["-fno-trapping-math"]
    # For size, copies are string instructions, which take longer to start than a short copy takes.
    if name in GLUE:
        flags += ["-fno-builtin-memcpy"]
    if os.environ.get("LMOO_OPTIMIZE") == "0":
        flags += ["-O0"]
    if os.environ.get("LMOO_DEBUG") == "1":
        flags += ["-UNDEBUG", "-g"]
    if os.environ.get("LMOO_SANITIZE") == "1":
        # Without optimization gcc takes a quarter of the time, and leaves out no access; -g1 has
        # the lines of a stack.
        flags += ["-O0", "-g1", "-UNDEBUG", "-fno-omit-frame-pointer"]
        flags += ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
    return flags


def link_args() -> list[str]:
    """Return the flags of the linker: the sanitizers' run time, or no table of symbols."""
    if os.environ.get("LMOO_SANITIZE") == "1":
        return ["-fsanitize=address,undefined"]
    # It is 5 % of a wheel; nothing but a debugger reads it.
    strips = sys.platform == "linux" and os.environ.get("LMOO_DEBUG") != "1"
    return ["-Wl,--strip-all"] if strips else []


def headers(name: str) -> list[str]:
    """Return the headers that a change of makes a new build of the module necessary."""
    # The numbers of instructions are in a header of the programs.
    other = "models" if name == "graphs" else name
    folders = [Path("lmoo/_core", part) for part in ("", name, other)] + [Path("lmoo/include")]
    return sorted(
        {
            str(path)
            for folder in folders
            for end in ("h", "inc", "pxi")
            for path in folder.glob(f"*.{end}")
        }
    )


def macros(name: str) -> list[tuple[str, str | None]]:
    """Return the definitions for the preprocessor."""
    # Graphs need what tapes are, not how they run.
    tapes: list[tuple[str, str | None]] = [("LMOO_TAPES_ONLY", None)] if name == "graphs" else []
    return [("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"), *tapes]


def extension(name: str) -> Extension:
    """Return the extension ``lmoo._core.<name>``."""
    return Extension(
        f"lmoo._core.{name}",
        [f"lmoo/_core/{name}.pyx"],
        include_dirs=[np.get_include(), "lmoo/include", "lmoo/_core"],
        define_macros=macros(name),
        extra_compile_args=compile_args(name),
        extra_link_args=link_args(),
        depends=headers(name),
    )


def processes() -> int:
    """Return how many processes run Cython; 0 where each of them would run this file again."""
    return (os.cpu_count() or 1) if multiprocessing.get_start_method() == "fork" else 0


def extensions() -> list[Extension]:
    """Return what is built, translated to C."""
    if os.environ.get("LMOO_BUILT") == "1":
        return []
    shared = Extension(
        SHARED,
        [],
        extra_compile_args=compile_args("_cyutility"),
        extra_link_args=link_args(),
    )
    return cythonize(
        [shared, *map(extension, MODULES)],
        nthreads=processes(),
        compiler_directives=DIRECTIVES,
        shared_utility_qualified_name=SHARED,
    )


setup(
    ext_modules=extensions(),
    options={"build_ext": {"parallel": os.cpu_count()}},
)
