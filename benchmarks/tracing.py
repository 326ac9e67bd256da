"""The share of model functions that are traced, and why the others are not.

    python benchmarks/tracing.py            prints what is not traced, and why
    python benchmarks/tracing.py --table    also writes the table of docs/models.rst
    python benchmarks/tracing.py --check    exits with 1 if that table is not up to date

The functions are those of natural_models.py and scientific_models.py, of NIST's problems as NumPy
functions, of the examples of the documentation and its gallery, and the model functions of the
modules in benchmarks/ and tests/: the functions at the level of a module that return one number for
each point.  A function is traced as in a fit, compared with its values, and, for the first two,
fitted both ways.

Some functions of the tests and of the documentation are written to be called or to fail (`MADE`):
they are counted, and shown in a column of their own.  The tests of refusals and of checks of traces
consist of such functions; these modules are listed after the others.
"""

import argparse
import contextlib
import doctest
import importlib
import importlib.util
import inspect
import io
import os
import sys
import types
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import natural_models
import numpy as np
import scientific_models
from nist_traced import nelson

import lmoo
from lmoo.datasets import nist, nist_names
from lmoo.datasets._nist_models import MODELS
from lmoo.models.tracing import evaluation
from lmoo.models.tracing.evaluation import evaluation_of, name_of
from lmoo.problems.names import parameter_names_of

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "data" / "tracing.txt"
T = np.linspace(0.1, 3.0, 13)
# Tests of functions that must not be traced.
REFUSED = (
    "adversarial",
    "test_trace_refusals.py",
    "test_trace_checks.py",
    "test_trace_cache.py",
    "test_stepwise.py",
)
# Functions outside of these that are written so that they are called, or fail, by names and files.
MADE = {
    ("capped", "<doctest models.rst"): "the example of a function that is not traced",
    ("<lambda>", "<doctest scipy.rst"): "the example of a start that is not finite",
    ("untraced", "distance_cases.py"): "a test of calls",
    ("untraced", "units_cases.py"): "a test of calls",
    ("untraced", "test_joint_units.py"): "a test of calls",
    ("branching", "test_fit.py"): "a test of calls",
    ("summed", "test_curve_fit_many.py"): "it combines the parameters of different fits",
    ("picky", "test_curve_fit_many_bad_fits.py"): "it raises",
    ("raising", "test_curve_fit_many_data.py"): "it raises",
    ("raising", "test_failed_fits.py"): "it raises",
    ("deadly", "test_curve_fit_many_data.py"): "it ends the process",
    ("slow_decay", "test_dask.py"): "it sleeps",
    ("single", "test_noise.py"): "rounding errors of float32",
    ("f", "test_noise.py"): "rounded values",
    ("half", "test_noise.py"): "rounding errors of float16",
}
# A reason that does not come from the function.
GIVEN = "there are fewer points"


class Found:
    """The functions of a collection, and the reasons why they are not traced."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reasons: dict[str, str | None] = {}

    def add(self, f: Any, t: Any, x: Any, y: Any = None) -> None:
        """Try to trace a function."""
        if isinstance(f, (lmoo.models.Model, lmoo.models.CompiledModel)):
            return
        x = np.array(x, dtype=float)
        y = f(t, *x) if y is None else y
        problem = lmoo.CurveProblem(f, t, np.nan_to_num(y, copy=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: Any = evaluation_of(problem, x)
        self.reasons.setdefault(_place(f), found.reason)

    @property
    def made(self) -> int:
        """The number of functions that are not traced, and were written so."""
        return sum(reason is not None and _is_made(place) for place, reason in self.reasons.items())

    @property
    def traced(self) -> int:
        """The number of traced functions."""
        return sum(reason is None for reason in self.reasons.values())


def _place(f: Any) -> str:
    """Return the name of a function, with its file and line."""
    inner = f
    while True:
        inner = getattr(inner, "func", getattr(inner, "__func__", getattr(inner, "f", inner)))
        if not hasattr(inner, "func") and not hasattr(inner, "__func__"):
            break
    code = getattr(inner, "__code__", getattr(type(inner).__call__, "__code__", None))
    where = "" if code is None else f" ({os.path.basename(code.co_filename)}:{code.co_firstlineno})"
    return name_of(f) + where


def _is_made(place: str) -> bool:
    name, _, where = place.partition(" (")
    return any(name == made and where.startswith(file) for made, file in MADE)


def fitted_both_ways(name: str, models: Any) -> tuple[Found, list[str]]:
    """Return the functions of a table of models, and those whose two fits differ."""
    found, apart = Found(name), []
    random = np.random.default_rng(0)
    for f, t, x in models:
        exact = f(t, *x)
        found.add(f, t, np.multiply(x, 1.02), exact)
        if found.reasons[_place(f)] is not None:
            continue
        y = exact + 0.01 * np.std(np.abs(exact)) * random.standard_normal(exact.shape)
        fits = []
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for trace in (True, False):
                p0 = np.multiply(x, 1.02)
                try:
                    fits.append(lmoo.curve_fit(f, t, y, p0, trace=trace, full_output=True)[:3])
                except RuntimeError as error:
                    fits.append(str(error))
        difference = _difference(*fits)
        if difference is not None:
            apart.append(f"{_place(f)}: {difference}")
    return found, apart


def _difference(traced: Any, called: Any) -> str | None:
    """Return how two fits differ, each (popt, pcov, infodict); None if by rounding errors."""
    if isinstance(traced, str) or isinstance(called, str):
        texts = [fit if isinstance(fit, str) else "a solution" for fit in (traced, called)]
        return None if texts[0] == texts[1] else f"{texts[0]} traced, {texts[1]} called"
    (x, covariance, info), (other, expected, also) = traced, called
    costs = [float(each["fvec"] @ each["fvec"]) for each in (info, also)]
    if abs(costs[0] - costs[1]) > 1e-9 * costs[1]:
        return f"sums of squares {costs[0]:.12g} traced, {costs[1]:.12g} called"
    errors, others = np.sqrt(np.diag(covariance)), np.sqrt(np.diag(expected))
    if not np.array_equal(np.isfinite(errors), np.isfinite(others)):
        return f"errors {errors} traced, {others} called"
    # Of 1e-9 of a sum of squares a parameter moves by the root of that in its errors.
    if np.any(np.abs(x - other) > 1e-4 * others):
        return f"parameters {x} traced, {other} called, errors {others}"
    known = np.isfinite(others)
    if np.any(np.abs(errors[known] - others[known]) > 1e-4 * others[known]):
        return f"errors {errors} traced, {others} called"
    return None


def regressions() -> Found:
    """Return NIST's problems as NumPy functions."""
    found = Found("NIST")
    for name in nist_names():
        data = nist(name)
        f = MODELS[name].value
        if name == "Nelson":
            f = nelson
        found.add(f, data.x.T, data.starts[1], MODELS[name].response(data.y))
    return found


def examples() -> Found:
    """Return the functions that are fitted in the documentation, the README and the gallery."""
    found = Found("documentation")
    tried = evaluation._compiled

    def recording(problem: Any, x: Any, *rest: Any) -> Any:
        f = getattr(problem.f, "f", problem.f)
        reason = None
        try:
            return tried(problem, x, *rest)
        except lmoo.TraceError as error:
            reason = str(error).replace("\n  ", ": ")
            raise
        finally:
            given = reason is not None and reason.startswith(GIVEN)
            if not given and not isinstance(f, (lmoo.models.Model, lmoo.models.CompiledModel)):
                found.reasons.setdefault(_place(f), reason)

    evaluation._compiled = recording
    try:
        pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.rst"))]
        pages += sorted((ROOT / "docs" / "howto").glob("*.rst"))
        for page in pages:
            _run_examples(page)
        for script in sorted((ROOT / "docs" / "examples").glob("plot_*.py")):
            _run_script(script)
    finally:
        evaluation._compiled = tried
    return found


def _run_examples(page: Path) -> None:
    """Run the doctests of a page; their output does not matter."""
    test = doctest.DocTestParser().get_doctest(page.read_text(), {}, page.name, str(page), 0)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        doctest.DocTestRunner(verbose=False).run(test, out=lambda text: None)


def _run_script(script: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
        exec(compile(script.read_text(), str(script), "exec"), {"__name__": "__main__"})


def of_modules(name: str, files: list[Path]) -> Found:
    """Return the functions of modules that return one number for each point."""
    found = Found(name)
    for file in files:
        module = _imported(file)
        for f in () if module is None else list(vars(module).values()):
            if not isinstance(f, types.FunctionType) or f.__module__ != module.__name__:
                continue
            x = _arguments(f)
            if x is not None:
                found.add(f, T, x)
    return found


def _imported(file: Path) -> Any:
    """Return a module; None if it cannot be imported."""
    # Tests import what they share from their own folder and from tests/.
    sys.path[:0] = [str(file.parent), str(ROOT / "tests")]
    try:
        name = f"models_of_{file.stem}"
        spec: Any = importlib.util.spec_from_file_location(name, file)
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        with contextlib.redirect_stdout(io.StringIO()):
            spec.loader.exec_module(module)
        return module
    except BaseException:
        return None
    finally:
        del sys.path[:2]


def _arguments(f: Any) -> Any:
    """Return parameters for which a function has one number for each point, or None."""
    if next(iter(inspect.signature(f).parameters), "") not in ("t", "x", "w", "points"):
        return None
    names = parameter_names_of(f)
    if names is not None:
        defaults = f.__defaults__ or ()
        names = names[: len(names) - sum(not isinstance(value, (int, float)) for value in defaults)]
    for n in (1, 2, 3, 4, 5, 6) if names is None else (len(names),):
        x = 0.5 + 0.1 * np.arange(n)
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                value = f(T.copy(), *x)
        except BaseException:
            continue
        if isinstance(value, np.ndarray) and value.shape == T.shape and value.dtype == float:
            return x if n else None
    return None


def table(collections: list[Found]) -> str:
    """Return the table of the documentation."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 28 12 12 24 24", ""]
    rows = [("Functions of", "all", "traced", "not, written to be called or to fail", "other")]
    counts = [(found.name, len(found.reasons), found.traced, found.made) for found in collections]
    counts.append(("together", *(sum(c[k] for c in counts) for k in (1, 2, 3))))
    for name, every, traced, made in counts:
        rows.append((name, str(every), str(traced), str(made), str(every - traced - made)))
    for row in rows:
        lines += [f"   {'*' if k == 0 else ' '} - {cell}" for k, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def _printed(found: Found) -> Found:
    """Print the functions of a collection that are not traced."""
    print(f"{found.name}: {found.traced} of {len(found.reasons)} traced")
    for place, reason in found.reasons.items():
        if reason is not None:
            print(f"    {place}: {'(made so) ' * _is_made(place)}{reason}")
    return found


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--table", action="store_true", help="write the table of docs/models.rst")
    options.add_argument("--check", action="store_true", help="compare it with that file")
    arguments = options.parse_args()
    tests = sorted((ROOT / "tests").rglob("*.py"))
    refused = [file for file in tests if any(part in str(file) for part in REFUSED)]
    others = sorted((ROOT / "benchmarks").glob("*.py"))
    for module in (natural_models, scientific_models):
        others.remove(Path(module.__file__))
    fitted, apart = fitted_both_ways("natural models", natural_models.MODELS)
    sciences, others_apart = fitted_both_ways("scientific models", scientific_models.MODELS)
    apart += others_apart
    collections = [_printed(fitted), _printed(sciences)]
    collections += [_printed(regressions()), _printed(examples())]
    collections.append(_printed(of_modules("benchmarks", others)))
    files = [file for file in tests if file not in refused]
    collections.append(_printed(of_modules("tests", files)))
    traced = sum(found.traced for found in collections)
    count = sum(len(found.reasons) for found in collections)
    made = sum(found.made for found in collections)
    share, without = 100 * traced / count, 100 * traced / (count - made)
    print(
        f"together: {traced} of {count}, {share:.1f} %; {made} of the others are written to be ",
        end="",
    )
    print(f"called or to fail, {without:.1f} % without these")
    print(f"fits that differ from those with trace=False: {len(apart)}", *apart, sep="\n    ")
    apart_from_these = of_modules("tests of refusals and checks", refused)
    print(f"{apart_from_these.name}: {apart_from_these.traced} of {len(apart_from_these.reasons)}")
    kinds = Counter(
        (reason or "").rpartition("py:")[2].partition(": ")[2].partition(": ")[0][:70] for reason in
        apart_from_these.reasons.values() if reason is not None
    )  # fmt: skip
    for kind, k in kinds.most_common():
        print(f"    {k:3} {kind}")
    if arguments.table:
        TABLE.write_text(table(collections), encoding="utf-8")
    return int(arguments.check and TABLE.read_text(encoding="utf-8") != table(collections))


if __name__ == "__main__":
    sys.exit(main())
