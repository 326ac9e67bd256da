"""One fit by each of the drivers: they have one numerical core, and give one result."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

import lmoo

Array = np.ndarray
Model = Callable[..., Any]

DRIVERS = ("FunctionProblem", "CurveProblem", "RowBlockProblem", "curve_fit", "curve_fit_many")


class Fit(NamedTuple):
    x: Array
    stderr: Array
    success: bool
    status: str
    nfev: int  # 0 where the driver does not tell


class Blocks(lmoo.RowBlockProblem):
    """A curve in blocks of rows."""

    def __init__(self, f: Model, t: Array, y: Array, size: int = 7) -> None:
        super().__init__([(t[k : k + size], y[k : k + size]) for k in range(0, t.size, size)])
        self.f = f

    def residual(self, x: Array, block: Any) -> Array:
        t, y = block
        with quiet():
            return np.asarray(self.f(t, *x) - y)


class BlocksWithJacobian(Blocks):
    def __init__(self, f: Model, t: Array, y: Array, jac: Model) -> None:
        super().__init__(f, t, y)
        self.jac = jac

    def jacobian(self, x: Array, block: Any) -> Array:
        with quiet():
            return np.asarray(self.jac(block[0], *x))


@contextmanager
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def fit(
    driver: str,
    f: Model,
    t: Array,
    y: Array,
    p0: Any,
    *,
    jac: Model | None = None,
    bounds: Any = None,
    trace: bool | str = "auto",
    **options: Any,
) -> Fit:
    """Fit f(t, *parameters) to y by one driver; a failed curve_fit has no success and NaN.

    jac: (m, n), or (k, m, n) for a stack; bounds: (lower, upper); trace: of the drivers that have
    it.
    """
    p0 = np.asarray(p0, float)
    if driver == "curve_fit":
        if bounds is not None:
            options["bounds"] = bounds
        try:
            with quiet(), warnings.catch_warnings():
                # Undetermined: an infinite covariance says so too.
                warnings.simplefilter("ignore", lmoo.OptimizeWarning)
                x, covariance = lmoo.curve_fit(f, t, y, p0=p0, jac=jac, trace=trace, **options)
        except RuntimeError as error:
            nan = np.full(p0.size, np.nan)
            return Fit(nan, nan, False, str(error), 0)
        return Fit(x, np.sqrt(np.diag(covariance)), True, "", 0)
    solver = lmoo.Solver(bounds=bounds, **options)
    if driver == "curve_fit_many":
        # In company, of which the others have another size.
        stack = np.stack([y, 2.0 * y, y])
        with quiet():
            fits = lmoo.curve_fit_many(f, t, stack, p0, jac=jac, solver=solver, trace=trace)
        status = lmoo.Status(int(fits.status[0]))
        return Fit(fits.x[0], fits.stderr[0], bool(fits.success[0]), status.name, int(fits.nfev[0]))
    problem: Any
    if driver == "FunctionProblem":
        if jac is None:
            problem = lmoo.FunctionProblem(lambda x: f(t, *x) - y)
        else:
            derivatives = jac
            problem = lmoo.FunctionProblem(lambda x: f(t, *x) - y, lambda x: derivatives(t, *x))
    elif driver == "CurveProblem":
        problem = lmoo.CurveProblem(f, t, y, jac=jac, trace=trace)
    elif jac is None:
        problem = Blocks(f, t, y)
    else:
        problem = BlocksWithJacobian(f, t, y, jac)
    with quiet():
        result = solver.solve(problem, p0)
        errors = result.standard_errors
    return Fit(result.x, errors, result.success, result.status.name, result.nfev)


def by_complex_step(f: Model) -> Model:
    """The exact Jacobian of an analytic model, (m, n), or (k, m, n) for a stack."""

    def jac(t: Array, *parameters: Any) -> Array:
        columns = []
        for j in range(len(parameters)):
            shifted = [
                np.asarray(p) + (1e-30j * max(float(np.max(np.abs(p))), 1e-30) if j == k else 0.0)
                for k, p in enumerate(parameters)
            ]
            step = 1e-30 * max(float(np.max(np.abs(parameters[j]))), 1e-30)
            columns.append(np.imag(f(t, *shifted)) / step)
        return np.stack(np.broadcast_arrays(*columns), axis=-1)

    return jac


def relative_offset(f: Model, jac: Model, t: Array, y: Array, x: Array) -> float:
    """The reduction of |f|^2 that the linear model at x predicts, over |f|^2: 0 at a minimum."""
    with quiet():
        residual = f(t, *x) - y
        columns = jac(t, *x)
        norms = np.linalg.norm(columns, axis=0)
        if not (np.isfinite(columns).all() and norms.any()):
            return float("nan")
        # Columns that are no more than a rounding error of others do not count.
        u, s, _ = np.linalg.svd(columns[:, norms > 0.0] / norms[norms > 0.0], full_matrices=False)
        u = u[:, s > 1e-8 * s[0]]
        return float(np.sum((u.T @ residual) ** 2) / (residual @ residual))
