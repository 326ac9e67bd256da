"""Nonlinear least-squares problems of CUTEst, A to M: lmoo beside scipy's methods, lmfit and GSL.

    python benchmarks/cutest.py [--class jac-free|diff-free|jac-bounds|diff-bounds|all]
        [--only NAME,...] [--peers] [--save FILE] [--compare FILE] [--cache FILE] [--plot FILE]
        [--list]

Evaluations of the residual are counted, those for differences included; nothing is timed.  A
problem is solved where the norm of f is within 1e-6 of the best that any method ever found, or
within 1e-10.  The cache holds the best norms, the results of the other methods and the list of
the problems; ``--peers`` runs the other methods where their results are missing, those of GSL
where libgsl-dev is installed.  ``--save`` writes lmoo's results of this run, ``--compare`` sets
them beside those of an earlier one.

The area is that under the performance profile (Dolan, More' 2002, "Benchmarking optimization
software with performance profiles", Math. Program. 91) from factor 1 to 100 on a logarithmic
axis, of evaluations of f plus Jacobians: 1 for the best method on every problem.  "all solve" is
their sum over the problems that all methods solve.  "reach" counts until |f| was first as low as
a solution's, without what a method needs to stop.  A false success reports success with a cost
above the best by more than 1e-6 of that at the start.
"""

import argparse
import ctypes
import functools
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize
from common import versions
from s2mpj import Problem, UnsuitableError, names

import lmoo

try:
    import lmfit
except ImportError:
    lmfit = None

CLASSES = ("jac-free", "jac-bounds", "diff-bounds", "diff-free")
CACHE = Path("/tmp/lmoo-cutest.json")
TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15}
GUARD = 20.0  # seconds of processor time a solve
RELATIVE, ABSOLUTE = 1e-6, 1e-10
ROUNDING = 1e-14  # relative to the norm at the start
LARGEST = 100.0  # factor at which the performance profile ends


class LimitError(Exception):
    """Too many evaluations, or too much time."""


class Record(NamedTuple):
    """One solve."""

    status: str
    success: bool
    norm: float
    residuals: int
    jacobians: int
    path: list[tuple[int, float]] = []  # noqa: RUF012, as no record changes it

    @property
    def calls(self) -> int:
        return self.residuals + self.jacobians

    def reaches(self, size: float) -> float:
        """Return the evaluations after which |f| was no larger than this, first."""
        return next((calls for calls, reached in self.path if reached <= size), np.inf)


Results = dict[str, Record]


class Counted:
    """Residual and Jacobian of a problem: counted, limited, with the best point seen."""

    def __init__(self, problem: Problem, analytic: bool) -> None:
        self.problem, self.analytic = problem, analytic
        self.residuals = self.jacobians = 0
        self.most = 1000 * (problem.n + 1)
        self.end = time.process_time() + GUARD
        self.best_x, self.best = problem.start, np.inf
        self.path: list[tuple[int, float]] = []

    def residual(self, x: np.ndarray) -> np.ndarray:
        # Methods look at their limits between Jacobians, and then say themselves that they stop.
        if self.residuals > self.most + 2 * self.problem.n + 2:
            raise LimitError("evaluations")
        if time.process_time() > self.end:
            raise LimitError("time")
        self.residuals += 1
        f = self.problem.residual(np.asarray(x))
        size = norm(f)
        if size < self.best and self.inside(x):
            self.best, self.best_x = size, np.array(x)
            self.path.append((self.residuals + self.jacobians, float(f"{size:.10e}")))
        return f

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        if time.process_time() > self.end:
            raise LimitError("time")
        self.jacobians += 1
        return self.problem.jacobian(np.asarray(x))

    def inside(self, x: np.ndarray) -> bool:
        return bool(np.all((x >= self.problem.lower) & (x <= self.problem.upper)))

    def run(self, method: "Method") -> tuple[Record, np.ndarray]:
        """Solve; where the method fails or is stopped, take the best point it has seen."""
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                x, success, status = method(self)
        except LimitError as limit:
            x, success, status = self.best_x, False, f"limit of {limit}"
        except (ValueError, TypeError, ArithmeticError, RuntimeError, np.linalg.LinAlgError) as e:
            x, success, status = self.best_x, False, type(e).__name__
        x = np.clip(x, self.problem.lower, self.problem.upper)
        size = norm(self.problem.residual(x))
        record = Record(status, bool(success), size, self.residuals, self.jacobians, self.path)
        return record, x


Method = Callable[[Counted], tuple[np.ndarray, bool, str]]


def norm(f: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        size = float(np.linalg.norm(f))
    return size if np.isfinite(size) else np.inf


# ---- methods -----------------------------------------------------------------------------------


def ours(counted: Counted) -> tuple[np.ndarray, bool, str]:
    p = counted.problem
    function = lmoo.FunctionProblem(
        counted.residual, counted.jacobian if counted.analytic else None
    )
    bounds = (p.lower, p.upper) if p.bounded else None
    result = lmoo.Solver(bounds=bounds).solve(function, p.start)
    return result.x, result.success, result.status.name


def leastsq(**options: float) -> Method:
    def method(counted: Counted) -> tuple[np.ndarray, bool, str]:
        jacobian = counted.jacobian if counted.analytic else None
        limit = {"maxfev": counted.most} if options else {}
        x, _, _, _, status = scipy.optimize.leastsq(
            counted.residual, counted.problem.start, Dfun=jacobian, full_output=True,
            **limit, **options,
        )  # fmt: skip
        return x, status in (1, 2, 3, 4), f"ier {status}"

    return method


def least_squares(name: str, **options: Any) -> Method:
    def method(counted: Counted) -> tuple[np.ndarray, bool, str]:
        p = counted.problem
        result = scipy.optimize.least_squares(
            counted.residual, p.start, counted.jacobian if counted.analytic else "2-point",
            (p.lower, p.upper) if p.bounded else (-np.inf, np.inf),
            method=name, x_scale="jac", max_nfev=counted.most, **TIGHT, **options,
        )  # fmt: skip
        return result.x, result.success, f"status {result.status}"

    return method


def with_lmfit(counted: Counted) -> tuple[np.ndarray, bool, str]:
    p = counted.problem
    parameters = lmfit.Parameters()
    for j in range(p.n):
        parameters.add(f"p{j}", value=p.start[j], min=p.lower[j], max=p.upper[j])

    def vector(values: Any) -> np.ndarray:
        return np.array([v.value for v in values.values()])

    options = {"Dfun": lambda v: counted.jacobian(vector(v))} if counted.analytic else {}
    result = lmfit.minimize(
        lambda v: counted.residual(vector(v)), parameters, method="leastsq",
        max_nfev=counted.most, calc_covar=False, nan_policy="propagate", **TIGHT, **options,
    )  # fmt: skip
    return vector(result.params), result.success, f"ier {result.ier}"


def gsl_library() -> ctypes.CDLL | None:
    """Compile gsl.c; None where there is no GSL."""
    source, folder = Path(__file__).with_name("gsl.c"), tempfile.mkdtemp()
    target = Path(folder) / "gsl.so"
    command = ["cc", "-O2", "-fPIC", "-shared", str(source), "-o", str(target)]
    built = subprocess.run([*command, "-lgsl", "-lgslcblas", "-lm"], capture_output=True)
    return ctypes.CDLL(str(target)) if built.returncode == 0 else None


def with_gsl(geodesic: bool) -> Method:
    """Return a method of GSL, multifit_nlinear with its defaults and tight tolerances."""
    evaluation = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_double)
    )

    def method(counted: Counted) -> tuple[np.ndarray, bool, str]:
        n, m = counted.problem.n, counted.problem.m
        library = gsl()
        stopped: list[BaseException] = []

        def call(function: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...]) -> Any:
            def callback(x: Any, out: Any) -> int:
                try:
                    value = function(np.ctypeslib.as_array(x, (n,)).copy())
                    np.ctypeslib.as_array(out, shape)[...] = value
                except Exception as error:  # which may not pass through C
                    stopped.append(error)
                    return 1
                return 0

            return evaluation(callback)

        f = call(counted.residual, (m,))
        J = call(counted.jacobian, (m, n)) if counted.analytic else evaluation()
        x = counted.problem.start.copy()
        tight = [ctypes.c_double(1e-15)] * 3
        pointer = x.ctypes.data_as(ctypes.c_void_p)
        status = library.gsl_solve(m, n, pointer, f, J, geodesic, counted.most, *tight)
        if stopped:
            raise stopped[0]
        return x, status == 0, f"status {status}"

    return method


@functools.cache
def gsl() -> Any:
    return gsl_library()


FREE: dict[str, Method] = {
    "leastsq": leastsq(),
    "leastsq tight": leastsq(**TIGHT),
    "trf": least_squares("trf"),
    "dogbox": least_squares("dogbox"),
    "lm": least_squares("lm"),
}
GSL: dict[str, Method] = {"gsl": with_gsl(False), "gsl geodesic": with_gsl(True)}
BOUNDED: dict[str, Method] = {"trf": least_squares("trf"), "dogbox": least_squares("dogbox")}
if lmfit is not None:
    BOUNDED["lmfit"] = with_lmfit


def peers(kind: str) -> dict[str, Method]:
    if kind.endswith("bounds"):
        return BOUNDED
    # With differences for the second derivatives too, GSL's acceleration takes minutes a problem.
    return FREE | (GSL if kind.startswith("jac") else {"gsl": GSL["gsl"]})


# ---- cache -------------------------------------------------------------------------------------


class Cache:
    """Best norms, results of the other methods and the list of the problems, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data: dict[str, Any] = {
            "problems": {},
            "left out": {},
            "best": {},
            "peers": {},
            "paths": {},
        }
        if path.exists():
            self.data.update(json.loads(path.read_text()))
        self.loaded: dict[str, Problem] = {}

    def write(self) -> None:
        """Write the file, with what another process has added to it."""
        if self.path.exists():
            added = json.loads(self.path.read_text())
            for name, (size, who) in added["best"].items():
                self.note(name, who, size)
            for what in ("peers", "paths"):
                for method, done in added.get(what, {}).items():
                    self.data[what][method] = done | self.data[what].get(method, {})
        other = self.path.with_suffix(".new")
        other.write_text(json.dumps(self.data, indent=1))
        other.replace(self.path)

    def problem(self, name: str) -> Problem:
        if name not in self.loaded:
            self.loaded[name] = Problem(name)
        return self.loaded[name]

    def find(self, first: str, last: str) -> None:
        """Look for the problems that are least squares, once."""
        known, left_out = self.data["problems"], self.data["left out"]
        new = [n for n in names(first, last) if n not in known and n not in left_out]
        if not new:
            return
        print(f"looking through {len(new)} problems, once", flush=True)
        for name in new:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    p = Problem(name)
                reason = self.unusable(p)
            except UnsuitableError as other:
                reason = str(other)
            except Exception as error:  # some translations do not run
                reason = f"cannot be built: {error!r}"
            if reason is None:
                known[name] = {
                    "n": p.n, "m": p.m, "bounds": p.bounded, "start": norm(p.residual(p.start)),
                    "near": norm(p.residual(p.near())),
                }  # fmt: skip
            else:
                left_out[name] = reason
        self.write()

    def unusable(self, p: Problem) -> str | None:
        """Return why a problem is left out, if it is."""
        start = norm(p.residual(p.start))
        if not np.isfinite(start) or not np.isfinite(p.jacobian(p.start)).all():
            return "not finite at the start"
        if start == 0:
            return "solved at the start"
        # Many problems are there twice, as a sum of squares and as a system of equations.
        for name, other in self.data["problems"].items():
            if (
                (other["n"], other["m"], other["bounds"]) == (p.n, p.m, p.bounded)
                and abs(other["start"] - start) <= 1e-12 * start
                and abs(other["near"] - norm(p.residual(p.near()))) <= 1e-12 * other["near"]
                and all(
                    np.array_equal(getattr(self.problem(name), what), getattr(p, what))
                    for what in ("start", "lower", "upper")
                )
            ):
                return f"the same as {name}"
        if p.m < p.n:
            return f"m < n, n = {p.n}, m = {p.m}"
        self.loaded[p.name] = p
        return None

    def select(self, kind: str, only: list[str]) -> list[str]:
        bounded = kind.endswith("bounds")
        same = {
            name: reason.removeprefix("the same as ")
            for name, reason in self.data["left out"].items()
            if reason.startswith("the same as ")
        }
        wanted = {same.get(name, name) for name in only}
        return [
            name
            for name, about in sorted(self.data["problems"].items())
            if about["bounds"] == bounded and (not only or name in wanted)
        ]

    def note(self, name: str, who: str, size: float) -> None:
        """Keep a norm that is the best so far."""
        best = self.data["best"].get(name)
        if size < (np.inf if best is None else best[0]):
            self.data["best"][name] = [size, who]

    def best(self, name: str) -> float:
        return float(self.data["best"].get(name, [np.inf])[0])

    def start(self, name: str) -> float:
        return float(self.data["problems"][name]["start"])

    def keep(self, method: str, name: str, record: Record) -> None:
        """Keep the result of another method."""
        self.data["peers"].setdefault(method, {})[name] = record[:-1]
        self.data["paths"].setdefault(method, {})[name] = record.path

    def kept(self, method: str) -> Results:
        """Return the results of another method that are there."""
        paths = self.data["paths"].get(method, {})
        return {
            name: Record(*record, paths.get(name, []))
            for name, record in self.data["peers"].get(method, {}).items()
        }

    def near_best(self, name: str) -> float:
        """Return the norm up to which the problem is solved."""
        best = self.best(name)
        return best + max(RELATIVE * best, ABSOLUTE, ROUNDING * self.start(name))

    def solved(self, name: str, record: Record) -> bool:
        return record.norm <= self.near_best(name)

    def false(self, name: str, record: Record) -> bool:
        """Whether success is reported with a cost far above the best."""
        start = self.start(name)
        excess = (record.norm / start) ** 2 - (self.best(name) / start) ** 2
        return record.success and excess > RELATIVE


def run_peers(cache: Cache, kind: str, chosen: list[str]) -> None:
    for who, method in peers(kind).items():
        if who in GSL and gsl() is None:
            continue
        done = cache.data["peers"].get(f"{kind} {who}", {})
        for name in chosen:
            if name in done:
                continue
            record, _ = Counted(cache.problem(name), kind.startswith("jac")).run(method)
            cache.keep(f"{kind} {who}", name, record)
            cache.note(name, who, record.norm)
        cache.write()


def run_ours(cache: Cache, kind: str, chosen: list[str]) -> tuple[Results, dict[str, np.ndarray]]:
    results, points = {}, {}
    for name in chosen:
        record, x = Counted(cache.problem(name), kind.startswith("jac")).run(ours)
        results[name], points[name] = record, x
        cache.note(name, "lmoo", record.norm)
    cache.write()
    return results, points


# ---- output ------------------------------------------------------------------------------------


def cosine(p: Problem, x: np.ndarray) -> float:
    """Return the largest cosine between f and a column of J that no active bound explains."""
    f, J = p.residual(x), p.jacobian(x)
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(J, axis=0)
        cosines = J.T @ f / np.where(lengths > 0, lengths, 1) / max(norm(f), 1e-300)
    at_lower, at_upper = x <= p.lower, x >= p.upper
    cosines[(at_lower & (cosines > 0)) | (at_upper & (cosines < 0))] = 0
    return float(np.max(np.abs(cosines)))


def table(cache: Cache, kind: str, results: Results, points: dict[str, np.ndarray]) -> None:
    print(
        f"\n{kind}\n{'problem':<14}{'n':>4}{'m':>5}  {'status':<20}{'success':<8}"
        f"{'|f|':>14}{'f':>8}{'J':>6}{'best |f|':>14}  {'by':<14}verdict"
    )
    for name, record in results.items():
        about, (best, who) = cache.data["problems"][name], cache.data["best"][name]
        verdict = "" if cache.solved(name, record) else "not solved"
        if cache.false(name, record):
            verdict = f"false success, cosine {cosine(cache.problem(name), points[name]):.0e}"
        print(
            f"{name:<14}{about['n']:>4}{about['m']:>5}  {record.status:<20}"
            f"{'yes' if record.success else 'no':<8}{record.norm:>14.6e}{record.residuals:>8}"
            f"{record.jacobians:>6}{best:>14.6e}  {who:<14}{verdict}"
        )


def evaluations(
    cache: Cache, methods: dict[str, Results], chosen: list[str], reach: bool = False
) -> np.ndarray:
    """Return evaluations of f plus Jacobians, (methods, problems); inf where not solved.

    All of a solve, or with `reach` those until |f| was first as low as a solution's.
    """

    def count(name: str, record: Record) -> float:
        if reach:
            return record.reaches(cache.near_best(name))
        return record.calls if cache.solved(name, record) else np.inf

    return np.array([[count(name, run[name]) for name in chosen] for run in methods.values()])


def factors(calls: np.ndarray) -> np.ndarray:
    """Return evaluations over the fewest of any method."""
    fewest = calls.min(axis=0)
    return np.where(np.isfinite(fewest), calls / np.where(np.isfinite(fewest), fewest, 1), np.inf)


def areas(calls: np.ndarray) -> np.ndarray:
    """Return the areas under the performance profiles."""
    share = 1 - np.log(factors(calls)) / np.log(LARGEST)
    return np.mean(np.clip(share, 0, 1), axis=1)


def summary(cache: Cache, kind: str, methods: dict[str, Results], chosen: list[str]) -> None:
    calls = evaluations(cache, methods, chosen)
    reach = evaluations(cache, methods, chosen, reach=True)
    everyone = np.isfinite(calls).all(axis=0)
    print(
        f"\n{kind}: {f'of {len(chosen)}':<10}{'solved':>8}{'success':>9}{'false':>7}{'f':>10}"
        f"{'J':>8}{'all solve':>11}{'area':>7}{'reach':>11}{'area':>7}"
    )
    for k, (who, run) in enumerate(methods.items()):
        records = [run[name] for name in chosen]
        print(
            f"{who:<22}{np.isfinite(calls[k]).sum():>8}{sum(r.success for r in records):>9}"
            f"{sum(cache.false(name, run[name]) for name in chosen):>7}"
            f"{sum(r.residuals for r in records):>10}{sum(r.jacobians for r in records):>8}"
            f"{calls[k, everyone].sum():>11.0f}{areas(calls)[k]:>7.3f}"
            f"{reach[k, everyone].sum():>11.0f}{areas(reach)[k]:>7.3f}"
        )
    noteworthy(cache, methods, chosen, factors(calls)[0])


def noteworthy(
    cache: Cache, methods: dict[str, Results], chosen: list[str], ratio: np.ndarray
) -> None:
    """Print the problems on which lmoo is behind."""
    mine = methods["lmoo"]
    by = {n: [who for who, run in methods.items() if cache.solved(n, run[n])] for n in chosen}
    behind = [n for n in chosen if by[n] and "lmoo" not in by[n]]
    false = [n for n in chosen if cache.false(n, mine[n])]
    failed = [n for n in chosen if "lmoo" in by[n] and not mine[n].success]
    slow = [(n, r) for n, r in zip(chosen, ratio, strict=True) if 3 < r < np.inf]
    for title, shown in (
        ("not solved by lmoo, but by others", [f"{n} ({', '.join(by[n])})" for n in behind]),
        ("false successes of lmoo", false),
        ("failures of lmoo at the best point", [f"{n} {mine[n].status}" for n in failed]),
        ("more than 3 times the evaluations of the best", [f"{n} {r:.1f}" for n, r in slow]),
    ):
        print(f"  {title}: {len(shown)}: {', '.join(shown)}")


def changes(cache: Cache, before: Results, now: Results) -> None:
    """Print what differs from an earlier run."""
    both = [name for name in now if name in before]
    for title, chosen in (
        ("gained", [n for n in both if cache.solved(n, now[n]) > cache.solved(n, before[n])]),
        ("lost", [n for n in both if cache.solved(n, now[n]) < cache.solved(n, before[n])]),
        ("new false successes",
         [n for n in both if cache.false(n, now[n]) > cache.false(n, before[n])]),
        ("false successes gone",
         [n for n in both if cache.false(n, now[n]) < cache.false(n, before[n])]),
        ("other status", [
            f"{n} {before[n].status} -> {now[n].status}"
            for n in both if before[n].status != now[n].status
        ]),
    ):  # fmt: skip
        print(f"  {title}: {len(chosen)}: {', '.join(chosen)}")
    kept = [n for n in both if cache.solved(n, now[n]) and cache.solved(n, before[n])]
    if not kept:
        return
    ratio = np.array([now[n].calls / before[n].calls for n in kept])
    total = [sum(run[n].calls for n in kept) for run in (before, now)]
    print(
        f"  evaluations where both solve, {len(kept)} problems: {total[0]} -> {total[1]}, "
        f"geometric mean of the ratios {np.exp(np.mean(np.log(ratio))):.3f}"
    )
    order = np.argsort(ratio)
    for title, some in (("fewer", order[:8]), ("more", order[::-1][:8])):
        shown = [f"{kept[k]} {ratio[k]:.2f}" for k in some if abs(ratio[k] - 1) > 0.05]
        print(f"  {title}: {', '.join(shown)}")


def plot(path: str, cache: Cache, runs: dict[str, tuple[dict[str, Results], list[str]]]) -> None:
    """Draw performance profiles and data profiles (More', Wild 2009)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(runs), figsize=(5 * len(runs), 8), squeeze=False)
    for column, (kind, (methods, chosen)) in enumerate(runs.items()):
        ratios = factors(evaluations(cache, methods, chosen))
        n = np.array([cache.data["problems"][name]["n"] for name in chosen])
        budgets = evaluations(cache, methods, chosen, reach=True) / (n + 1)
        for k, who in enumerate(methods):
            for row, values in enumerate((ratios[k], budgets[k])):
                at = np.sort(values[np.isfinite(values)])
                axes[row, column].step(
                    np.r_[at[:1], at], np.arange(at.size + 1) / len(chosen), where="post", label=who
                )
        for row, label in enumerate(
            ("evaluations over the fewest", "evaluations to reach it / (n + 1)")
        ):
            axes[row, column].set(xscale="log", xlabel=label, ylim=(0, 1), title=kind)
            axes[row, column].grid(alpha=0.3)
        axes[0, column].set_xlim(1, LARGEST)
        axes[0, column].legend(loc="lower right", fontsize=8)
    axes[0, 0].set_ylabel("share of the problems solved")
    axes[1, 0].set_ylabel("share of the problems solved")
    figure.tight_layout()
    figure.savefig(path)


def read(path: str) -> dict[str, Results]:
    saved = json.loads(Path(path).read_text())
    return {
        kind: {name: Record(*record) for name, record in results.items()}
        for kind, results in saved.items()
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="CUTEst's least-squares problems, A to M.")
    parser.add_argument("--class", dest="kind", choices=(*CLASSES, "all"), default="all")
    parser.add_argument("--only", default="", help="names, with commas")
    parser.add_argument(
        "--peers", action="store_true", help="run the other methods' missing solves"
    )
    parser.add_argument("--save", help="file for lmoo's results")
    parser.add_argument("--compare", help="file of an earlier --save")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--plot", help="file for the profiles")
    parser.add_argument("--list", action="store_true", help="list what is left out, and why")
    parser.add_argument("--quiet", action="store_true", help="print the summaries alone")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    print(versions("scipy"), "" if lmfit is None else f"lmfit {lmfit.__version__}")
    cache = Cache(options.cache)
    cache.find("A", "M")
    if options.list:
        for name, reason in sorted(cache.data["left out"].items(), key=lambda item: item[1]):
            print(f"{name:<14}{reason}")
        return
    before = read(options.compare) if options.compare else {}
    only = [name for name in options.only.split(",") if name]
    kinds = CLASSES if options.kind == "all" else (options.kind,)
    saved, runs = {}, {}
    for kind in kinds:
        chosen = cache.select(kind, only)
        if not chosen:
            continue
        if options.peers:
            run_peers(cache, kind, chosen)
        results, points = run_ours(cache, kind, chosen)
        saved[kind] = results
        if not options.quiet:
            table(cache, kind, results, points)
        methods = {"lmoo": results}
        if all(name in before.get(kind, {}) for name in chosen):
            methods["lmoo before"] = {name: before[kind][name] for name in chosen}
        for who in peers(kind):
            done = cache.kept(f"{kind} {who}")
            if all(name in done for name in chosen):
                methods[who] = done
        summary(cache, kind, methods, chosen)
        if kind in before:
            changes(cache, before[kind], results)
        runs[kind] = (methods, chosen)
        sys.stdout.flush()
    if options.save:
        Path(options.save).write_text(json.dumps(saved, indent=1))
    if options.plot:
        plot(options.plot, cache, runs)


if __name__ == "__main__":
    main()
