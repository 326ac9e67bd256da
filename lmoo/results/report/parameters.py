"""The table of the parameters: values and errors rounded together."""

from collections.abc import Iterator
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from lmoo._core.arrays import Array
from lmoo.problems.kinds import is_joint
from lmoo.problems.units import unit_label
from lmoo.results.fit import Fit
from lmoo.results.parametertable import derived_of, interval_of
from lmoo.results.rounding import Digits, digits_of
from lmoo.results.statistics import linear_interval

LEVEL = 0.95
# Parameters that the table has.
_ROWS = 200
# A relative error of more per cent than this is not a number of interest.
_MOST_PER_CENT = 1000.0


class Row(NamedTuple):
    """A line of the table; columns that do not apply are empty strings."""

    name: str
    value: str
    error: str = ""
    unit: str = ""
    relative: str = ""
    interval: str = ""
    start: str = ""
    limits: str = ""


def parameter_rows(result: Fit) -> tuple[list[Row], str]:
    """Return the rows of the table, the header first, and a sentence about those left out.

    Of a joint fit with many parameters the shared ones have rows, and the others a summary.
    Without a minimum there are neither errors nor intervals.
    """
    joint = result.problem if is_joint(result.problem) else None
    n, note = result.x.size, ""
    shown = min(n, _ROWS)
    if joint is not None and n > _ROWS:
        shown = min(len(joint.shared), _ROWS)
        note = (
            f"Of the {n - len(joint.shared)} parameters that belong to one problem each, the table "
            "has medians, and the range from the smallest to the largest."
        )
    elif n > _ROWS:
        note = f"The table has the first {_ROWS} of {n} parameters."
    rows = [_header(result), *_rows(result, shown)]
    if joint is not None and n > _ROWS:
        rows += _summaries(result, joint)
    return rows + _derived_rows(result), note


def _header(result: Fit) -> Row:
    related = result.related
    columns = ["bounds"]
    if related is not None and (any(related.ties) or related.derived):
        columns.append("ties")
    if related is not None and related.priors:
        columns.append("priors")
    interval = f"{100 * LEVEL:g} % interval"
    limits = ", ".join(columns)
    return Row(
        "parameter", "value", "standard error", "unit", "relative", interval, "start", limits
    )


def _rows(result: Fit, count: int) -> Iterator[Row]:
    """Yield the rows of the first parameters."""
    errors, limits = _errors(result), linear_interval(result, LEVEL, None)
    for j, name in enumerate(result.parameter_names[:count]):
        value, error = float(result.x[j]), float(errors[j])
        row = Row(name, f"{value:.10g}", *_no_error(result, j))
        if not row.error:
            row = _row(name, value, error, limits[j])
        start = np.nan if result.x0 is None or result.fixed[j] else float(result.x0[j])
        shown = f"{start:.6g}" if isfinite(start) else ""
        unit = result.units.get(name)
        yield row._replace(
            start=shown,
            limits=_limits(result, j),
            unit="" if unit is None else unit_label(unit),
        )


def _errors(result: Fit) -> Array:
    """Return the standard errors, nan if no minimum was found."""
    return result.standard_errors if result.success else np.full(result.x.size, np.nan)


def _row(name: str, value: float, error: float, limits: Any) -> Row:
    """Return a row with value, error and interval; the value alone if its error is nan."""
    digits = digits_of(value, error)
    if error != error:
        return Row(name, digits.number(value))
    relative = "-"
    if value and isfinite(error):
        share = 100.0 * error / abs(value)
        relative = f"{share:.2g} %" if share < _MOST_PER_CENT else f"> {_MOST_PER_CENT:.0f} %"
    interval = " .. ".join(_end(digits, float(end)) for end in limits)
    return Row(name, digits.number(value), f"+- {digits.error(error)}", "", relative, interval)


def _end(digits: Digits, end: float) -> str:
    return digits.number(end) if isfinite(end) else f"{end:g}"


def _no_error(result: Fit, j: int) -> tuple[str, ...]:
    """Return the columns of a parameter that has no standard error; () for others."""
    if result.fixed[j]:
        return "fixed", "", "-", "-"
    if result.success and result.active_mask[j]:
        return f"at {'lower' if result.active_mask[j] < 0 else 'upper'} bound", "", "-", "-"
    return ()


def _limits(result: Fit, j: int) -> str:
    """Return the finite bounds of a parameter, its tie and its prior."""
    related, found = result.related, []
    if related is not None and related.ties[j]:
        found.append(f"= {related.ties[j]}")
    low, high = float(result.lower[j]), float(result.upper[j])
    if not (found or result.fixed[j]) and (isfinite(low) or isfinite(high)):
        ends = [f"{end:.6g}" if isfinite(end) else "" for end in (low, high)]
        found.append(" .. ".join(ends).strip())
    name = result.parameter_names[j]
    if related is not None and name in related.priors:
        k = related.priors.index(name)
        found.append(f"prior {related.means[k]:.6g} +- {related.sigmas[k]:.4g}")
    return "; ".join(found)


def _derived_rows(result: Fit) -> list[Row]:
    """Return the rows of the derived quantities."""
    if result.related is None:
        return []
    out = []
    for (name, (value, error)), text in zip(derived_of(result), result.related.texts, strict=True):
        limits: tuple[float, float] = (np.nan, np.nan)
        if result.success:
            limits = interval_of(result, name, LEVEL, "linear", None)
        row = _row(name, float(value), float(error) if result.success else np.nan, limits)
        out.append(row._replace(limits=f"= {text}"))
    return out


def _summaries(result: Fit, joint: Any) -> list[Row]:
    """Return a row for each name of own parameters: medians, and the range of the values."""
    errors, shared = _errors(result), len(joint.shared)
    places: dict[str, list[int]] = {}
    for names, index in zip(joint._own_names, joint.indices, strict=True):
        for name, j in zip(names, index.tolist(), strict=True):
            if j >= shared:
                places.setdefault(name, []).append(j)
    rows = []
    for name, where in places.items():
        values = result.x[where]
        row = _row(name, float(np.median(values)), float(np.median(errors[where])), (np.nan,) * 2)
        ends = f"{values.min():.4g} .. {values.max():.4g}"
        interval = f"values {ends}"
        rows.append(row._replace(name=f"{name}, median of {len(where)}", interval=interval))
    return rows
