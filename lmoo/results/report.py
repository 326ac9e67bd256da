"""The report of a solve as text; the report for notebooks uses the same rows and facts."""

from collections.abc import Sequence
from math import ceil, inf, log10
from typing import NamedTuple

import numpy as np

from lmoo.results.fit import Fit
from lmoo.results.parametertable import derived_of, interval_of
from lmoo.results.robust import OUTLIER
from lmoo.results.statistics import aic, bic, linear_interval, r_squared

__all__ = ["Row", "correlations", "facts", "rows", "text", "verdict", "warnings"]

# The smallest correlation that is listed, and the largest number of them.
_SMALLEST, _MOST = 0.1, 12
# Parameters that the table has, and of which correlations are listed; names in a sentence.
_ROWS, _NAMES = 200, 20


class Row(NamedTuple):
    """The line of a parameter in the table; columns that do not apply are empty strings."""

    name: str
    value: str
    error: str
    relative: str
    interval: str
    bounds: str


_HEADER = Row("parameter", "value", "standard error", "relative", "95 % interval", "bounds")
# Alignment of the columns: names and bounds left, numbers right.
_ALIGNED = "<>>>><"


def text(result: Fit) -> str:
    """Return the report: the reason for stopping, the parameters, the fit and the counts."""
    lines = [verdict(result), f"  {result.message}", ""]
    lines += _table(rows(result))
    if result.x.size > _ROWS:
        lines.append(f"  and {result.x.size - _ROWS} more parameters")
    lines += ["", *(f"  {label:<28}{value}" for label, value in facts(result))]
    pairs = [f"{a}, {b}  {r:.4f}" for a, b, r in correlations(result)]
    if pairs:
        more = _more(result)
        pairs += [f"and {more} more"] if more else []
        labels = [f"correlations above {_SMALLEST}", *[""] * (len(pairs) - 1)]
        lines += [f"  {label:<28}{pair}" for label, pair in zip(labels, pairs, strict=True)]
    lines += [f"  {line}" for line in warnings(result)]
    return "\n".join(lines)


def verdict(result: Fit) -> str:
    """Return the first line: whether a minimum was found."""
    found = "a minimum was found" if result.success else "NO minimum was found"
    return f"Nonlinear least squares: {found} (status {result.status}, {result.status.name})"


# ---- parameters -----------------------------------------------------------------------------


def rows(result: Fit) -> list[Row]:
    """Return the table of the parameters, with its header."""
    limits = linear_interval(result, 0.95, None)
    out = [_HEADER]
    errors = result.standard_errors
    for j, name in enumerate(result.parameter_names[:_ROWS]):
        value, error = float(result.x[j]), float(errors[j])
        relative = f"{100 * error / abs(value):.2g} %" if value and np.isfinite(error) else "-"
        interval = _range(float(limits[j, 0]), float(limits[j, 1]))
        shown = f"+- {error:.4g}"
        if result.fixed_or_active[j]:
            shown, relative, interval = _fixed_or_active(result, j), "-", "-"
        out.append(Row(name, f"{value:.10g}", shown, relative, interval, _bounds(result, j)))
    return out + _derived_rows(result)


def _derived_rows(result: Fit) -> list[Row]:
    """Return the lines of the derived quantities."""
    if result.related is None:
        return []
    out = []
    for (name, (value, error)), text in zip(derived_of(result), result.related.texts, strict=True):
        relative = f"{100 * error / abs(value):.2g} %" if value and np.isfinite(error) else "-"
        interval = _range(*interval_of(result, name, 0.95, "linear", None))
        out.append(Row(name, f"{value:.10g}", f"+- {error:.4g}", relative, interval, f"= {text}"))
    return out


def _range(low: float, high: float) -> str:
    """Return an interval with two digits more than are needed to distinguish its ends."""
    size, width = max(abs(low), abs(high)), high - low
    digits = 4
    if 0 < width < inf:
        digits = min(max(4, 3 + ceil(log10(size / width))), 16)
    return f"{low:.{digits}g} .. {high:.{digits}g}"


def _fixed_or_active(result: Fit, j: int) -> str:
    """Return why a parameter has no standard error."""
    if result.fixed[j]:
        return "fixed"
    return "at lower bound" if result.active_mask[j] < 0 else "at upper bound"


def _bounds(result: Fit, j: int) -> str:
    """Return the finite bounds of a parameter, or its tie; "" if there are none."""
    if result.related is not None and result.related.ties[j]:
        return f"= {result.related.ties[j]}"
    low, high = result.lower[j], result.upper[j]
    if result.fixed[j] or not (np.isfinite(low) or np.isfinite(high)):
        return ""
    ends = [f"{end:.6g}" if np.isfinite(end) else "" for end in (low, high)]
    return f"{ends[0]} .. {ends[1]}".strip()


def _table(table: list[Row]) -> list[str]:
    """Return the lines of the table; columns that are empty for all parameters are left out."""
    kept = [k for k in range(len(_HEADER)) if any(row[k] for row in table[1:])]
    widths = {k: max(len(row[k]) for row in table) for k in kept}
    lines = ("  ".join(f"{row[k]:{_ALIGNED[k]}{widths[k]}}" for k in kept) for row in table)
    return [f"  {line}".rstrip() for line in lines]


# ---- the fit --------------------------------------------------------------------------------


def facts(result: Fit) -> list[tuple[str, str]]:
    """Return the numbers of the fit with their labels."""
    m, dof = result.observations, result.degrees_of_freedom
    n, free = result.x.size, result.free_count
    out = [
        (
            f"cost = 1/2 sum of {'squares' if result.robust is None else 'rho'}",
            f"{result.cost:.10g}",
        ),
        *_priors(result),
        ("observations, parameters", f"{m}, {n} ({max(dof, 0)} degrees of freedom)"),
    ]
    if dof > 0:
        out += [
            ("residual standard deviation", f"{result.residual_deviation:.6g}"),
            ("reduced chi-square", f"{result.reduced_chi_square:.6g}"),
        ]
    out += _loss(result) if result.robust else [*_r_squared(result), *_information(result)]
    out += [
        ("rank of the Jacobian", f"{result.rank} of {free}"),
        (
            "evaluations",
            f"{result.nfev} residuals, {result.njev} Jacobians, {result.nit} iterations",
        ),
    ]
    if np.isfinite(result.seconds):
        out.append(("time", _duration(result.seconds)))
    return out


def _priors(result: Fit) -> list[tuple[str, str]]:
    """Return the priors, with the share of the cost that is theirs."""
    related = result.related
    if related is None or not related.priors:
        return []
    lines = zip(related.priors, related.means.tolist(), related.sigmas.tolist(), strict=True)
    shown = ", ".join(f"{name}: {mean:.6g} +- {sigma:.4g}" for name, mean, sigma in lines)
    share = 0.5 * float(related.rows @ related.rows)
    return [("priors", shown), ("cost of the priors", f"{share:.6g}")]


def _information(result: Fit) -> list[tuple[str, str]]:
    return [("AIC, BIC", f"{aic(result):.6g}, {bic(result):.6g}")]


def _loss(result: Fit) -> list[tuple[str, str]]:
    """Return the loss, and how many points it takes for outliers."""
    assert result.robust is not None
    weights = result.loss_weights
    out = [
        ("loss", f"{result.robust.name}, f_scale = {result.robust.scale:.6g}"),
        ("standard errors", "sandwich formula of the loss"),
    ]
    if weights.size:
        low = int(np.count_nonzero(weights < OUTLIER))
        out.append(("points of weight below 1/2", f"{low} of {weights.size}"))
    return out


def _r_squared(result: Fit) -> list[tuple[str, str]]:
    """Return R squared if the problem defines its curve; else an empty list."""
    try:
        return [("R squared", f"{r_squared(result):.6g}")]
    except Exception:
        # A report must not fail because of a problem's as_curve().
        return []


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def correlations(result: Fit) -> list[tuple[str, str, float]]:
    """Return the largest correlations, with the names of the two parameters."""
    return [
        (result.parameter_names[i], result.parameter_names[j], r)
        for i, j, r in _correlated(result)[:_MOST]
    ]


def _correlated(result: Fit) -> list[tuple[int, int, float]]:
    """Return pairs of parameters and their correlation, the largest magnitude first."""
    if result.factor is None:
        return []
    matrix = result._linear.correlation_of(
        np.arange(min(result.x.size, _ROWS)), result.scale_of_errors()
    )
    pairs = [
        (i, j, float(matrix[i, j]))
        for i in range(len(matrix))
        for j in range(i + 1, len(matrix))
        if abs(matrix[i, j]) > _SMALLEST
    ]
    return sorted(pairs, key=lambda pair: -abs(pair[2]))


def _more(result: Fit) -> int:
    """Return the number of correlations that are not listed."""
    return max(len(_correlated(result)) - _MOST, 0)


def _some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def warnings(result: Fit) -> list[str]:
    """Return warnings about the standard errors."""
    lines = []
    free = result.free_count
    if result.degrees_of_freedom <= 0:
        lines.append(
            "There are as many parameters as observations, or more: the data do not determine "
            "standard errors."
        )
    if result.factor is not None and result.rank < free:
        lines.append(
            f"The Jacobian has rank {result.rank} of {free}: the data do not determine "
            f"{_some(result.undetermined)}."
        )
    at_bound = [
        name for name, side in zip(result.parameter_names, result.active_mask, strict=True) if side
    ]
    if result.related is not None and result.related.active:
        lines.append(
            f"Active constraints: {', '.join(result.related.active)}; standard errors are those "
            "with these as equations."
        )
    if at_bound:
        lines.append(
            f"Active bounds: {_some(at_bound)}; the standard errors of the other parameters "
            "are those with these fixed."
        )
    return lines
