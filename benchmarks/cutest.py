"""Nonlinear least-squares problems of CUTEst, A to M: compare lmoo with scipy, lmfit and GSL.

    python benchmarks/cutest.py [--class jac-free|diff-free|jac-bounds|diff-bounds|all]
        [--only NAME,...] [--peers] [--save FILE] [--compare FILE] [--cache FILE] [--plot FILE]
        [--list]

Evaluations of the residual are counted, including those for differences; nothing is timed.  A
problem is solved if the norm of f is within 1e-6 of the best that any method has found, or within
1e-10.  The cache contains the best norms, the results of the other methods and the list of the
problems.  ``--peers`` runs the other methods if their results are missing; GSL needs libgsl-dev.
``--save`` writes lmoo's results of this run; ``--compare`` shows differences from an earlier run.

The area is that under the performance profile (Dolan, More' 2002, "Benchmarking optimization
software with performance profiles", Math. Program. 91) from factor 1 to 100 on a logarithmic
axis, of evaluations of f plus Jacobians: 1 for the best method on every problem.  "all solve" is
the sum of evaluations over the problems that all methods solve.  "reach" counts evaluations until
|f| was first as low as a solution's, without those that a method needs to stop.  A false success
reports success with a cost above the best by more than 1e-6 of that at the start.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from common import versions
from cutest_cache import Cache
from cutest_methods import GSL, Counted, Record, Results, gsl, lmfit, ours, peers
from cutest_tables import changes, plot, summary, table

CLASSES = ("jac-free", "jac-bounds", "diff-bounds", "diff-free")
CACHE = Path("/tmp/lmoo-cutest.json")


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


def read(path: str) -> dict[str, Results]:
    saved = json.loads(Path(path).read_text())
    return {
        kind: {name: Record(*record) for name, record in results.items()}
        for kind, results in saved.items()
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="CUTEst's least-squares problems, A to M.")
    parser.add_argument("--class", dest="kind", choices=(*CLASSES, "all"), default="all")
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument(
        "--peers", action="store_true", help="run the other methods where results are missing"
    )
    parser.add_argument("--save", help="file for lmoo's results")
    parser.add_argument("--compare", help="file of an earlier --save")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--plot", help="file for the profiles")
    parser.add_argument(
        "--list", action="store_true", help="list the problems left out, with reasons"
    )
    parser.add_argument("--quiet", action="store_true", help="print only the summaries")
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
