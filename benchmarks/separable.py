"""NIST's problems from their far starts, with linear parameters eliminated and without.

Run: python benchmarks/separable.py
"""

import numpy as np
from nist_traced import digits, nelson

import lmoo
from lmoo.datasets import nist, nist_names
from lmoo.datasets._nist_models import MODELS


def main() -> None:
    """Fit each problem that has a linear parameter, and print a line for each."""
    full, reduced = lmoo.Solver(), lmoo.Solver(separable=True)
    totals = np.zeros(2, dtype=int)
    fewer = same = more = 0
    print(f"{'':10} {'iterations':>17}  {'evaluations (f + J)':>21}  {'digits':>12}")
    print(f"{'':10} {'full':>8} {'reduced':>8}  {'full':>10} {'reduced':>10}")
    for name in nist_names():
        data = nist(name)
        f = nelson if name == "Nelson" else MODELS[name].value
        problem = lmoo.CurveProblem(f, data.x.T, MODELS[name].response(data.y))
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


def best_digits(result, data):
    """Return the digits that agree, up to an exchange of equal terms and the sign of a width."""
    x, certified = np.abs(result.x), np.abs(data.certified)
    return max(digits(x, certified), digits(np.sort(x), np.sort(certified)))


if __name__ == "__main__":
    main()
