"""Summaries of many fits: a line of text, and a table for notebooks."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo.results.report.escaping import html_text, visible
from lmoo.results.report.goodness import Fact
from lmoo.results.report.markup import facts_table, table
from lmoo.results.report.subject import model_text, problem_text
from lmoo.results.rounding import digits_of
from lmoo.status import Status

# Names in a line; characters of the model.
_NAMES = 6


def short(fits: Any) -> str:
    """Return the kind, the shape, the number of minima and the names in one line."""
    count, good = fits.success.size, int(np.count_nonzero(fits.success))
    names = (*fits.parameter_names, *fits.derived_names)
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    shape = " x ".join(map(str, fits.shape))
    listed = visible(", ".join(names[:_NAMES]))
    kind = type(fits).__name__
    return f"<{kind} of {shape} curves, {good} of {count} converged: {listed}{more}>"


def html(fits: Any) -> str:
    """Return the summary for notebooks."""
    title = f"<div><strong>{html_text(type(fits).__name__)}</strong></div>"
    body = f"{title}{facts_table(facts_of(fits))}{quartiles_table(fits)}"
    return f'<div style="color: inherit;">{body}</div>'


def facts_of(fits: Any) -> list[Fact]:
    """Return the model, the shape and how many fits have converged."""
    count, good = fits.success.size, int(np.count_nonzero(fits.success))
    facts = [
        subject_of(fits._batch),
        ("shape of the stack", " x ".join(map(str, fits.shape))),
        ("converged", f"{good} of {count}"),
        *_failures(fits),
    ]
    shared = getattr(fits, "shared", ())
    if shared:
        facts.append(("shared parameters", ", ".join(shared)))
    return facts


def subject_of(batch: Any) -> Fact:
    """Return the model of curves, or the problem that takes its place."""
    if batch.subject is not None:
        kept: Fact = batch.subject
        return kept
    model = batch.source
    problem = getattr(model, "__dict__", {}).get("problem", model)
    if callable(getattr(problem, "residual", None)):
        return "problem", problem_text(problem)
    return "model", model_text(getattr(model, "f", model))


def quartiles_table(fits: Any) -> str:
    """Return the table of the quartiles of each parameter, "" if no fit has converged."""
    header = ("parameter", "median", "lower quartile", "upper quartile", "median of the errors")
    names = (*fits.parameter_names, *fits.derived_names) if fits.success.any() else ()
    return table(header, [_quartiles(fits, name) for name in names])


def _failures(fits: Any) -> list[tuple[str, str]]:
    """Return the reasons for which fits have no minimum, with their numbers."""
    failed = np.asarray(fits.status)[~fits.success].ravel().tolist()
    found = Counter(failed).most_common()
    text = ", ".join(f"{number} {Status(status).name}" for status, number in found)
    return [("not converged", text)] if text else []


def _quartiles(fits: Any, name: str) -> tuple[str, ...]:
    """Return the row of a parameter, over the fits that have converged."""
    value, error = (_finite(part[fits.success]) for part in fits._quantity(name))
    if not value.size:
        return name, "nan", "nan", "nan", "nan"
    low, middle, high = np.quantile(value, [0.25, 0.5, 0.75]).tolist()
    spread = float(np.median(error)) if error.size else float("nan")
    digits = digits_of(middle, spread)
    ends = (digits.number(part) for part in (middle, low, high))
    return name, *ends, digits.error(spread)


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]
