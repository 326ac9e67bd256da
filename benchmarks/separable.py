"""NIST's problems from their far starts, with linear parameters eliminated and without.

    python benchmarks/separable.py
    python benchmarks/separable.py --around 10

With --around, iterations are also summed over so many starts around each far one, whose parameters
differ from it by 10 % (standard deviation); fits that end elsewhere are left out on both sides.
"""

import argparse

import numpy as np
from nist_traced import digits, nelson

import lmoo
from lmoo.datasets import nist, nist_names
from lmoo.datasets._nist_models import MODELS


def problems():
    """Yield name, data set and problem."""
    for name in nist_names():
        data = nist(name)
        f = nelson if name == "Nelson" else MODELS[name].value
        yield name, data, lmoo.CurveProblem(f, data.x.T, MODELS[name].response(data.y))


def from_the_starts() -> None:
    """Fit each problem that has a linear parameter, and print a line for each."""
    full, reduced = lmoo.Solver(), lmoo.Solver(separable=True)
    totals = np.zeros(2, dtype=int)
    fewer = same = more = 0
    print(f"{'':10} {'iterations':>17}  {'evaluations (f + J)':>21}  {'digits':>12}")
    print(f"{'':10} {'full':>8} {'reduced':>8}  {'full':>10} {'reduced':>10}")
    for name, data, problem in problems():
        try:
            found = reduced.solve(problem, data.starts[0])
        except ValueError:
            print(f"{name:10} has no linear parameter")
            continue
        before = full.solve(problem, data.starts[0])
        fewer += found.nit < before.nit
        same += found.nit == before.nit
        more += found.nit > before.nit
        totals += before.nit, found.nit
        print(
            f"{name:10} {before.nit:8d} {found.nit:8d}  {before.nfev:5d} +{before.njev:4d} "
            f"{found.nfev:5d} +{found.njev:4d}  {best_digits(before, data):5.1f} "
            f"{best_digits(found, data):5.1f}"
        )
    share = 1.0 - totals[1] / totals[0]
    print(
        f"iterations: {totals[0]} and {totals[1]}, {100 * share:.0f} % fewer; fewer for {fewer} "
        f"problems, as many for {same}, more for {more}"
    )


def around(count: int, first: int, factor: float) -> None:
    """Print the sums of iterations over starts around the far ones."""
    full, reduced = lmoo.Solver(), lmoo.Solver(separable=True, factor=factor)
    sums = np.zeros(2, dtype=int)
    fewer = more = 0
    print(f"{count} starts around each: certified solution found by both, and by each; iterations")
    for name, data, problem in problems():
        both, hits, total = 0, np.zeros(2, dtype=int), np.zeros(2, dtype=int)
        for seed in range(first, first + count):
            start = np.random.default_rng(seed).normal(1.0, 0.1, data.starts[0].size)
            try:
                fits = [solver.solve(problem, data.starts[0] * start) for solver in (full, reduced)]
            except ValueError:
                break
            found = [fit.success and best_digits(fit, data) >= 6 for fit in fits]
            hits += found
            if all(found):
                both += 1
                total += [fit.nit for fit in fits]
        else:
            sums += total
            fewer, more = fewer + (total[1] < total[0]), more + (total[1] > total[0])
            print(f"{name:10} {both:3d} {hits[0]:3d} {hits[1]:3d}  {total[0]:6d} {total[1]:6d}")
    print(f"iterations: {sums[0]} and {sums[1]}; fewer for {fewer} problems, more for {more}")


def best_digits(result, data):
    """Return the digits that agree, up to an exchange of equal terms and the sign of a width."""
    x, certified = np.abs(result.x), np.abs(data.certified)
    return max(digits(x, certified), digits(np.sort(x), np.sort(certified)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--around", type=int, default=0, help="number of starts around each")
    parser.add_argument("--first", type=int, default=0, help="first seed of these")
    parser.add_argument("--factor", type=float, default=0.3, help="that of the reduced problems")
    options = parser.parse_args()
    from_the_starts()
    if options.around:
        around(options.around, options.first, options.factor)
