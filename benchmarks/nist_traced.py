"""NIST's nonlinear regressions with traced models: digits, evaluations, and what could be traced.

Run: python benchmarks/nist_traced.py
"""

import numpy as np

import lmoo
from lmoo.datasets import nist, nist_names
from lmoo.datasets._nist_models import MODELS


def nelson(x, b1, b2, b3):
    """Evaluate Nelson's model with its variables as the rows of an array."""
    return b1 - b2 * x[0] * np.exp(-b3 * x[1])


def digits(x, certified):
    """Return the digits that agree, at most 11, in the parameter where fewest do."""
    with np.errstate(divide="ignore"):
        return min(11.0, float(np.min(-np.log10(np.abs(x - certified) / np.abs(certified)))))


def main() -> None:
    """Fit each problem from both starts and print a line for each problem."""
    found, evaluations, traced = [], 0, 0
    for name in nist_names():
        data = nist(name)
        f = nelson if name == "Nelson" else MODELS[name].value
        problem = lmoo.CurveProblem(f, data.x.T, MODELS[name].response(data.y))
        line = []
        for start in data.starts:
            result = lmoo.Solver().solve(problem, start)
            found.append(digits(result.x, data.certified))
            evaluations += result.nfev + result.njev
            traced += result.evaluation.startswith("compiled")
            line.append(f"{found[-1]:5.1f} {result.nfev:4d} {result.njev:4d}")
        print(f"{name:10} {line[0]}   {line[1]}   {result.evaluation[:60]}")
    solved = sum(d >= 6 for d in found)
    print(
        f"{solved} of {len(found)} with 6 digits, mean {np.mean(found):.2f}, {evaluations} "
        f"evaluations of values and derivatives, {traced} compiled"
    )


if __name__ == "__main__":
    main()
