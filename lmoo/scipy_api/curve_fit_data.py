"""The data of `curve_fit` as a problem, with the conversions and checks of scipy's."""

from typing import Any

import numpy as np

from lmoo._core.masks import plain, refuse_masked, separated
from lmoo._core.solve import finite_curve
from lmoo.models.problem import is_compiled_model, problem_of
from lmoo.problems.arguments import real_array, shortened
from lmoo.problems.complexdata import ComplexParts, complex_curve, is_complex
from lmoo.problems.curveproblem import CurveProblem, check_callable
from lmoo.problems.data import curve_data
from lmoo.problems.measured import measured

__all__ = ["curve_fit_problem"]

_NAMES = ("xdata", "ydata")


def curve_fit_problem(
    f: Any,
    xdata: Any,
    ydata: Any,
    sigma: Any,
    jac: Any,
    check_finite: Any,
    nan_policy: Any,
    sigma_x: Any = None,
) -> Any:
    """Return the problem of the data, without names and bounds of its parameters."""
    if nan_policy not in (None, "raise", "omit"):
        raise ValueError(f"`nan_policy` must be 'raise', 'omit' or None; it is {nan_policy!r}")
    known = finite_curve(xdata, ydata, sigma) if sigma_x is None else None
    if known is not None:
        problem = problem_of(f, jac if callable(jac) else None, xdata, *known)
    else:
        xdata, ydata, sigma, sigma_x, axes = measured(xdata, ydata, sigma, sigma_x, _NAMES)
        problem = _checked_problem(f, xdata, ydata, sigma, jac, check_finite, nan_policy, sigma_x)
        axes.describe(problem)
    problem.called = _NAMES
    return problem


def _checked_problem(
    f: Any,
    xdata: Any,
    ydata: Any,
    sigma: Any,
    jac: Any,
    check_finite: Any,
    nan_policy: Any,
    sigma_x: Any,
) -> Any:
    """Return the problem of data without units."""
    if isinstance(xdata, (np.ndarray, list, tuple)):
        xdata = _real("xdata", xdata)
        if xdata.ndim > 1 and is_compiled_model(f):
            xdata = tuple(xdata)
    if is_complex(ydata):
        if sigma_x is not None:
            raise ValueError("sigma_x is for real curves; ydata is complex")
        return _complex_problem(
            f, xdata, ydata, sigma, jac, _check_of(check_finite, nan_policy), nan_policy
        )
    y = _real("ydata", ydata)
    if y.size == 1:
        y = _repeated(y, xdata)
    check = _check_of(check_finite, nan_policy)
    if sigma_x is not None:
        if isinstance(jac, str):
            raise ValueError(f"jac must be None or callable with sigma_x; it is {jac!r}")
        return CurveProblem(
            f, xdata, y, sigma, jac, sigma_x=sigma_x, nan_policy=nan_policy or "raise"
        )
    data = curve_data(xdata, y, sigma, nan_policy or "raise", _NAMES, check)
    return problem_of(f, jac if callable(jac) else None, *data)


def _complex_problem(
    f: Any, xdata: Any, ydata: Any, sigma: Any, jac: Any, check: str | None, nan_policy: Any
) -> Any:
    """Return the problem of complex data."""
    check_callable(f, jac if callable(jac) else None)
    data = complex_curve(xdata, ydata, sigma, nan_policy or "raise", _NAMES, check)
    return problem_of(ComplexParts(f), ComplexParts(jac) if callable(jac) else None, *data)


def _check_of(check_finite: bool | None, nan_policy: str | None) -> str | None:
    """Return the argument `check` of `curve_data`."""
    if check_finite or (check_finite is None and nan_policy is None):
        return "finite"
    return None if nan_policy is None else "nan"


def _repeated(y: Any, xdata: Any) -> Any:
    """Return y repeated for each point, as scipy broadcasts a single number."""
    points = xdata[0] if isinstance(xdata, tuple) else xdata
    y = refuse_masked("ydata", y)
    return np.full(points.shape[-1:], y.item()) if isinstance(points, np.ndarray) else y


def _real(name: str, data: Any) -> Any:
    """Return data as a float64 array; objects are converted to float."""
    if type(data) is np.ndarray and data.dtype == np.float64:
        return data
    data, mask = separated(data)
    try:
        array = np.asarray(plain(data))
        if array.dtype.kind == "O" and array.ndim:
            array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must be an array of real numbers; it is {shortened(data)}: {error}"
        ) from error
    except OverflowError as error:
        raise ValueError(f"{name} must be within the range of double precision: {error}") from error
    array = real_array(name, array if array.ndim else data)
    return array if mask is None else np.ma.array(array, mask=mask)
