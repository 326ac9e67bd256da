"""Statistics of a fit; the methods of `Result` document them."""

from collections.abc import Sequence
from math import inf, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lmoo._core.arrays import Array
from lmoo.problems.arguments import (
    described,
    integer,
    positive,
    real_array,
    real_number,
    shortened,
)
from lmoo.problems.columns import is_frame, numbers_of
from lmoo.problems.complexdata import has_complex, joined
from lmoo.problems.curve import Curve
from lmoo.problems.data import points
from lmoo.problems.measured import in_unit_of_y, new_points
from lmoo.problems.missing import refuse_masked_points
from lmoo.results.curve import curve_of, slopes
from lmoo.results.distributions import t_factor
from lmoo.results.fit import Fit
from lmoo.results.linearization import jacobian_of, unit_columns

_EPS = 2.0**-52


# ---- arguments ------------------------------------------------------------------------------


def probability(name: str, value: Any) -> float:
    """Return value as a float; ValueError unless it is between 0 and 1."""
    if not 0.0 < real_number(name, value) < 1.0:
        raise ValueError(f"{name} must be between 0 and 1, such as 0.95; it is {value!r}")
    return float(value)


def parameter_index(result: Fit, which: Any, name: str = "j") -> int:
    """Return the index of a parameter that is given by name or index.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.results.statistics import parameter_index
    >>> problem = lmoo.FunctionProblem(lambda x: x, parameter_names=["a", "b"])
    >>> result = lmoo.Solver().solve(problem, [1.0, 2.0])
    >>> parameter_index(result, "b"), parameter_index(result, -1)
    (1, 1)
    """
    names = result.parameter_names
    if isinstance(which, str):
        if which not in names:
            raise ValueError(f"{name} must be one of {', '.join(names)}; it is {which!r}")
        return names.index(which)
    j = integer(name, which)
    if not -len(names) <= j < len(names):
        raise ValueError(
            f"{name} must be a parameter, by name or from 0 to {len(names) - 1}; it is {which!r}"
        )
    return j % len(names)


def quantity(result: Fit, which: Any, name: str = "j") -> Any:
    """Return the index of a parameter, or the name of a derived quantity."""
    derived = () if result.related is None else result.related.derived
    return which if which in derived else parameter_index(result, which, name)


def residual_scale(result: Fit, scaled: bool | None) -> float:
    """Return the standard deviation of the residuals: the estimate, or 1 if it is known.

    With a loss it is always estimated.
    """
    return result.scale_of_errors(scaled)


def t_quantile(result: Fit, level: float, scaled: bool | None) -> float:
    """Return the quantile of Student's t for a level; of the normal distribution if not scaled."""
    dof = result.degrees_of_freedom
    if not result.is_scaled(scaled) and result.robust is None:
        return t_factor(level, inf)
    return t_factor(level, dof) if dof > 0 else inf


# ---- numbers --------------------------------------------------------------------------------


def information(result: Fit, penalty: float) -> float:
    """Return ``m log(chi2 / m) + penalty k`` for the k parameters that are not fixed."""
    m = result.observations
    if m == 0 or result.robust is not None or result.is_part:
        return nan
    k = m - result.degrees_of_freedom
    # From the norm, as its square may overflow or underflow.
    with np.errstate(divide="ignore"):
        return float(2 * m * np.log(result.data_norm / sqrt(m)) + penalty * k)


def aic(result: Fit) -> float:
    """Return Akaike's criterion."""
    return information(result, 2.0)


def bic(result: Fit) -> float:
    """Return Schwarz's criterion."""
    return information(result, float(np.log(max(result.observations, 1))))


def r_squared(result: Fit) -> float:
    """Return 1 minus the weighted sum of squares divided by that of the best constant."""
    if result.problem is None and not np.isnan(result._r_squared):
        return result._r_squared
    curve = curve_of(result, "r_squared")
    if result.robust is not None or result.estimated_t is not None:
        return nan
    y = np.asarray(curve.y, dtype=np.float64).reshape(-1)
    # Columns of norm 1, as squares may overflow or underflow.
    if has_complex(curve.f):
        # A complex constant has two numbers.
        constants = curve.whitened(np.repeat(np.eye(2), y.size // 2, axis=0))
        columns = np.column_stack([curve.whitened(y), np.linalg.qr(unit_columns(constants)[0])[0]])
    else:
        columns = np.stack([curve.whitened(y), curve.whitened(np.ones_like(y))], axis=1)
    (z, *ones), (norm, *_) = (part.T for part in unit_columns(columns))
    about_mean = float(np.linalg.norm(z - sum(one * (one @ z) for one in ones)))
    # For equal values of y the difference is rounding error.
    if about_mean <= 16 * _EPS:
        return nan
    return 1.0 - (result.data_norm / float(norm) / about_mean) ** 2


def known_r_squared(result: Fit) -> float:
    """Return R squared; nan where the problem defines no curve."""
    try:
        return r_squared(result)
    except Exception:
        # A report must not fail because of a problem's as_curve().
        return nan


# ---- residuals ------------------------------------------------------------------------------


def leverage(result: Fit) -> Array:
    """Return the diagonal of the hat matrix, (m,): |row i of U|^2 where J = U S V^T."""
    if result.related is not None and result.factor is not None:
        shares = result._linear.prediction_error(jacobian_of(result)) ** 2
        return np.asarray(np.minimum(shares, 1.0))
    J = jacobian_of(result)[:, ~result.fixed_or_active]
    if J.shape[1] == 0:
        return np.zeros(len(J))
    U = np.linalg.svd(unit_columns(J)[0], full_matrices=False)[0]
    U = U[:, : result.rank]
    return np.asarray(np.minimum((U * U).sum(axis=1), 1.0))


def standardized_residuals(result: Fit) -> Array:
    """Return ``residual / (s sqrt(1 - leverage))``, (m,); nan if the leverage is 1."""
    if result.degrees_of_freedom <= 0:
        return np.full(result.residual.size, np.nan)
    remaining = 1.0 - leverage(result)
    with np.errstate(invalid="ignore", divide="ignore"):
        out = result.residual / (result.residual_deviation * np.sqrt(remaining))
    return np.where(remaining > 1e-12, out, np.nan)


# ---- intervals ------------------------------------------------------------------------------


def covariance_of(result: Fit, which: Sequence[int | str], scaled: bool | None) -> Array:
    """Return the covariance of some parameters; see `Result.covariance_of`."""
    where = [parameter_index(result, one, "which") for one in which]
    if not result.success:
        return np.full((len(where), len(where)), np.nan)
    deviation = result.scale_of_errors(scaled)
    if result.factor is None or deviation == inf:
        free = ~result.fixed_or_active[where]
        return np.where(np.outer(free, free), np.inf, 0.0)
    return np.asarray(result._linear.covariance_of(where, deviation))


def linear_interval(result: Fit, level: float, scaled: bool | None) -> Array:
    """Return x -/+ t times the standard errors, (n, 2)."""
    if not result.success:
        return np.full((result.x.size, 2), np.nan)
    errors = np.full(result.x.size, np.inf)
    if result.factor is not None:
        errors = result._linear.standard_errors(residual_scale(result, scaled))
    with np.errstate(invalid="ignore"):
        half = np.where(result.fixed_or_active, 0.0, t_quantile(result, level, scaled) * errors)
    return np.stack([result.x - half, result.x + half], axis=1)


def predict(
    result: Fit,
    t: Any,
    interval: str | None,
    level: float,
    sigma: ArrayLike | None,
    scaled: bool | None,
) -> Any:
    """Return the model at t, and the limits of the interval requested."""
    if interval not in (None, "confidence", "prediction"):
        raise ValueError(f"interval must be None, 'confidence' or 'prediction'; it is {interval!r}")
    level = probability("level", level)
    curve = curve_of(result, "predict", ("f", "t") if t is None else ("f",))
    where, shape = curve.t, None
    if t is not None:
        units, columns = (getattr(result.problem, name, ()) for name in ("t_units", "columns"))
        t, shape = new_points(t, units, columns, isinstance(curve.t, tuple))
        where = points_of(t)
        _check_numbers(where, curve.t)
    y = curve.values(where, result.x)

    def shown(values: Array) -> Any:
        array = joined(values) if has_complex(curve.f) else np.asarray(values)
        return array if shape is None else array.reshape(shape)

    if interval is None:
        return shown(y)
    errors = _model_errors(result, curve, where, scaled)
    if interval == "prediction":
        sigma = in_unit_of_y(sigma, getattr(result.problem, "y_unit", None))
        new = _observation_errors(curve, y.size, t is None, sigma)
        errors = np.hypot(errors, new * residual_scale(result, scaled))
    with np.errstate(invalid="ignore"):
        half = t_quantile(result, level, scaled) * errors
    return shown(y), shown(y - half), shown(y + half)


def _check_numbers(where: Any, of_data: Any) -> None:
    """Raise TypeError for points other than numbers, where those of the data are arrays of these.

    A function may take other points, if these are what it was fitted to.
    """
    pairs = zip(*(part if isinstance(part, tuple) else (part,) for part in (where, of_data)),
                strict=False)  # fmt: skip
    for part, fitted in pairs:
        if not isinstance(fitted, np.ndarray) or fitted.dtype.kind not in "biuf":
            continue
        if is_frame(part) or isinstance(part, (str, bytes)) or hasattr(part, "timetuple"):
            what = f"a table with the columns {shortened(list(part.columns))}" if is_frame(
                part) else described(part)  # fmt: skip
            raise TypeError(f"t must be real numbers, as those of the data; it is {what}")
        numbers_of("t", part)


def points_of(t: Any) -> Any:
    """Return t converted like the data of a `CurveProblem`; a number becomes one point."""
    scalar = isinstance(t, (int, float, np.number)) or (isinstance(t, np.ndarray) and t.ndim == 0)
    return np.atleast_1d(real_array("t", t)) if scalar else points(refuse_masked_points(t))


def _model_errors(result: Fit, curve: Curve, t: Any, scaled: bool | None) -> Array:
    """Return the standard errors of the model's values, (k,)."""
    if not result.success:
        return np.full(curve.values(t, result.x).size, np.nan)
    derivatives = slopes(curve, t, result)
    if result.factor is None:
        return np.full(len(derivatives), np.inf)
    errors: Array = result._linear.prediction_error(derivatives, residual_scale(result, scaled))
    return errors


def _observation_errors(curve: Curve, k: int, at_data: bool, sigma: ArrayLike | None) -> Array:
    """Return the standard deviations of new observations, in units of the residual's, (k,)."""
    if sigma is not None:
        return np.broadcast_to(positive("sigma", sigma), (k,))
    if curve.sigma is None:
        return np.ones(k)
    known = curve.standard_deviations()
    if known is None:
        raise _no_sigma("the problem does not define that of the data")
    if at_data:
        return np.array(known)
    if np.ptp(known) > 0:
        raise _no_sigma("that of the data differs from point to point")
    return np.full(k, known.flat[0])


def _no_sigma(why: str) -> ValueError:
    return ValueError(
        f"sigma must be given for interval='prediction', as {why}: sigma=..., a number or one for "
        "each of t"
    )
