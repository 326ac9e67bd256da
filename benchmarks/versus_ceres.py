"""Compare robust fits with those of Ceres, on the problems of NIST with outliers.

    pip install pyceres
    python benchmarks/versus_ceres.py [names of problems]

Both solvers start at the certified values of the data without outliers, as a loss may have several
minima.  Every tenth point, two at least, is moved by ten standard deviations of the certified fit;
the scale of the loss is twice this deviation.

Ceres minimises ``1/2 sum rho(f**2)`` with losses of its own; with lmoo's scale C, z = (f / C)**2
they are

    HuberLoss(C)      C**2 rho(z) of "huber"
    SoftLOneLoss(C)   C**2 rho(z) of "soft_l1"
    CauchyLoss(C)     C**2 rho(z) of "cauchy"
    ArctanLoss(C**2)  C**2 rho(z) of "arctan": Ceres' is a atan(s / a), without a square
    TukeyLoss(C)      C**2 rho(z) of "tukey"; pyceres has none, so that the formulas of Ceres 2,
                      loss_function.cc, are given to it as a Python class

Ceres' steps for a loss are those of Triggs et al. with rho'' left out where it would make the model
indefinite, so it takes many iterations with large residuals.  Digits are -log10 of the largest
relative difference of a parameter, and of the relative difference of the costs.  Ceres compares
costs, which shows a parameter to about half of their digits.  The residual of Lanczos1 is rounding.
"""

import sys
from typing import Any

import numpy as np

import lmoo
from lmoo.datasets import nist, nist_names

try:
    import pyceres
except ImportError:
    sys.exit("benchmarks/versus_ceres.py needs pyceres: pip install pyceres")

LOSSES = ("huber", "soft_l1", "cauchy", "arctan", "tukey")


class Tukey(pyceres.LossFunction):
    """Ceres' TukeyLoss(a)."""

    def __init__(self, a: float) -> None:
        super().__init__()
        self.a2 = a * a

    def Evaluate(self, s: float, rho: Any) -> None:  # noqa: N802, Ceres' name
        """Set rho and its two derivatives at s."""
        value = max(1.0 - s / self.a2, 0.0)
        rho[:] = [self.a2 / 3.0 * (1.0 - value**3), value * value, -2.0 / self.a2 * value]


def ceres_loss(name: str, scale: float) -> Any:
    """Return Ceres' loss that is C**2 rho((f / C)**2)."""
    if name == "tukey":
        return Tukey(scale)
    found = {"huber": pyceres.HuberLoss, "soft_l1": pyceres.SoftLOneLoss}
    if name in found:
        return found[name](scale)
    if name == "cauchy":
        return pyceres.CauchyLoss(scale)
    return pyceres.LossFunction({"name": "arctan", "params": [scale * scale]})


class Rows:
    """Residual and Jacobian of a problem, evaluated once for all points."""

    def __init__(self, problem: Any) -> None:
        self.problem, self.at = problem, b""
        self.f, self.jacobian = np.empty(0), np.empty((0, 0))

    def evaluate(self, x: np.ndarray) -> None:
        """Evaluate at x, unless that has been done."""
        if x.tobytes() != self.at:
            self.f, self.jacobian = self.problem.residual(x), self.problem.jacobian(x)
            self.at = x.tobytes()


class Point(pyceres.CostFunction):
    """One point as a cost function of Ceres."""

    def __init__(self, rows: Rows, i: int, n: int) -> None:
        super().__init__()
        self.rows, self.i = rows, i
        self.set_num_residuals(1)
        self.set_parameter_block_sizes([n])

    def Evaluate(self, parameters: Any, residuals: Any, jacobians: Any) -> bool:  # noqa: N802
        """Set the residual, and its derivatives if Ceres asks for them."""
        self.rows.evaluate(np.array(parameters[0]))
        residuals[0] = self.rows.f[self.i]
        if jacobians is not None and jacobians[0] is not None:
            jacobians[0][:] = self.rows.jacobian[self.i]
        return bool(np.isfinite(residuals[0]))


def ceres(problem: Any, m: int, x0: np.ndarray, loss: Any) -> tuple[np.ndarray, float]:
    """Return parameters and cost of Ceres' solution."""
    rows, x, whole = Rows(problem), np.array(x0), pyceres.Problem()
    points = [Point(rows, i, x.size) for i in range(m)]
    for point in points:
        whole.add_residual_block(point, loss, [x])
    options = pyceres.SolverOptions()
    options.linear_solver_type = pyceres.LinearSolverType.DENSE_QR
    options.max_num_iterations = 3000
    options.function_tolerance = options.gradient_tolerance = 1e-30
    options.parameter_tolerance = 1e-16
    options.minimizer_progress_to_stdout = False
    options.logging_type = pyceres.LoggingType.SILENT
    summary = pyceres.SolverSummary()
    pyceres.solve(options, whole, summary)
    return x, float(summary.final_cost)


def with_outliers(name: str) -> tuple[Any, np.ndarray, float]:
    """Return a problem with outliers, the certified parameters, and the scale of the loss."""
    data = nist(name)
    certified = np.array(data.certified)
    residual = data.residual(certified)
    m = residual.size
    deviation = float(np.sqrt(residual @ residual / (m - certified.size)))
    moved = np.zeros(m)
    which = np.random.default_rng(m).choice(m, max(2, m // 10), replace=False)
    moved[which] = 10.0 * deviation

    def outlying(x: np.ndarray) -> np.ndarray:
        return np.asarray(data.residual(x) - moved)

    return lmoo.FunctionProblem(outlying, data.jacobian), certified, 2.0 * deviation


def digits(a: Any, b: Any) -> float:
    """Return the number of digits that agree, 16 at most."""
    scale = np.maximum(np.abs(a), np.abs(b))
    apart = np.abs(np.subtract(a, b)) / np.where(scale > 0.0, scale, 1.0)
    return float(min(16.0, -np.log10(max(float(np.max(apart)), 1e-16))))


def main(names: list[str]) -> None:
    """Print the digits for each problem and loss."""
    print(f"{'digits of x / cost':20}" + "".join(f"{name:>14}" for name in LOSSES))
    worst = 16.0
    for name in names:
        problem, x0, scale = with_outliers(name)
        cells = []
        for loss in LOSSES:
            ours = lmoo.Solver(loss=loss, f_scale=scale).solve(problem, x0)
            x, cost = ceres(problem, ours.residual.size, x0, ceres_loss(loss, scale))
            of_x, of_cost = digits(ours.x, x), digits(ours.cost, cost)
            better = "<" if ours.cost < cost else ">" if of_cost < 8 else " "
            cells.append(f"{of_x:6.1f} /{of_cost:5.1f}{better if of_cost < 8 else ' '}")
            worst = min(worst, of_cost)
        print(f"{name:20}" + "".join(f"{cell:>14}" for cell in cells), flush=True)
    print(f"fewest digits of a cost: {worst:.1f};  < lmoo's cost is lower, > Ceres' is")


if __name__ == "__main__":
    main(sys.argv[1:] or list(nist_names()))
