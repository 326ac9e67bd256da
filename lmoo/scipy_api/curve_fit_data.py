"""The data of `curve_fit` as a problem, with the conversions and checks of scipy's."""

from typing import Any

import numpy as np

from lmoo._core.masks import plain, refuse_masked, separated
from lmoo._core.solve import finite_curve
from lmoo.models.problem import is_compiled_model, problem_of
from lmoo.problems.arguments import check_callable, described, real_array
from lmoo.problems.complexdata import ComplexParts, complex_curve, is_complex
from lmoo.problems.curveproblem import CurveProblem
from lmoo.problems.data import curve_data
from lmoo.problems.measured import measured
from lmoo.problems.typed import NanPolicy

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
    derivatives = jac if callable(jac) else None
    # Copies of long data would be a large part of the memory of a fit.
    known = finite_curve(xdata, ydata, sigma, False) if sigma_x is None else None
    if known is not None:
        problem = problem_of(f, derivatives, xdata, *known)
        problem.called = _NAMES
        return problem
    xdata, ydata, sigma, sigma_x, axes = measured(xdata, ydata, sigma, sigma_x, _NAMES)
    if isinstance(xdata, (np.ndarray, list, tuple)):
        xdata = _real("xdata", xdata)
        if xdata.ndim > 1 and is_compiled_model(f):
            xdata = tuple(xdata)
    policy: NanPolicy = nan_policy or "raise"
    check = _check_of(check_finite, nan_policy)
    if is_complex(ydata):
        if sigma_x is not None:
            raise ValueError("sigma_x is for real curves; ydata is complex")
        check_callable(f, derivatives)
        data = complex_curve(xdata, ydata, sigma, policy, _NAMES, check)
        of_parts = None if derivatives is None else ComplexParts(derivatives)
        problem = problem_of(ComplexParts(f), of_parts, *data)
    elif sigma_x is not None:
        if isinstance(jac, str):
            raise ValueError(f"jac must be None or callable with sigma_x; it is {jac!r}")
        y = _values(ydata, xdata)
        problem = CurveProblem(f, xdata, y, sigma, jac, sigma_x=sigma_x, nan_policy=policy)
    else:
        data = curve_data(xdata, _values(ydata, xdata), sigma, policy, _NAMES, check)
        problem = problem_of(f, derivatives, *data)
    axes.describe(problem)
    problem.called = _NAMES
    return problem


def _check_of(check_finite: bool | None, nan_policy: str | None) -> str | None:
    """Return the argument `check` of `curve_data`."""
    if check_finite or (check_finite is None and nan_policy is None):
        return "finite"
    return None if nan_policy is None else "nan"


def _values(ydata: Any, xdata: Any) -> Any:
    """Return ydata as an array; a single number is repeated for each point, as by scipy."""
    y = _real("ydata", ydata)
    if y.size != 1:
        return y
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
            f"{name} must be real numbers; it is {described(data)} ({error})"
        ) from error
    except OverflowError as error:
        raise ValueError(f"{name} must be within the range of double precision: {error}") from error
    array = real_array(name, array if array.ndim else data)
    return array if mask is None else np.ma.array(array, mask=mask)
