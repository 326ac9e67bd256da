"""The model and the data of a fit, as text."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lmoo.problems.complexdata import has_complex
from lmoo.problems.kinds import is_joint
from lmoo.problems.names import parameter_names_of
from lmoo.results.curve import known_curve
from lmoo.results.fit import Fit
from lmoo.results.labels import axis_labels, variables_of
from lmoo.results.sigma import ORIGIN, origin_of_errors

# Longest text of a model.
_LONGEST = 300


def subject(result: Fit) -> list[tuple[str, str]]:
    """Return the model and the data of a fit, with labels."""
    problem = result.problem
    if problem is None:
        return [pair for pair in result._subject if pair[0] != ORIGIN]
    if is_joint(problem):
        count, shared = len(problem.problems), ", ".join(problem.shared)
        return [("problem", f"{count} problems with shared parameters: {shared}")]
    curve = known_curve(result)
    if curve is None:
        return [("problem", problem_text(problem))]
    return [("model", model_text(curve.f)), ("data", _data_text(result))]


def kept_subject(result: Fit) -> tuple[tuple[str, str], ...]:
    """Return the texts that a stored result keeps, as its problem is not stored with it."""
    return (*subject(result), (ORIGIN, origin_of_errors(result)))


def model_text(f: Any) -> str:
    """Return the formula of a model, or the name and the arguments of a function.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.results.report.subject import model_text
    >>> def decay(t, amplitude, rate):
    ...     pass
    >>> model_text(lmoo.Expression("a*exp(-b*t)")), model_text(decay)
    ('a*exp(-b*t)', 'decay(t, amplitude, rate)')
    """
    if has_complex(f):
        f = getattr(f, "f", f)
    text = getattr(f, "text", None) or getattr(getattr(f, "model", None), "text", None)
    if not isinstance(text, str):
        text = _function_text(f)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _function_text(f: Callable[..., Any]) -> str:
    """Return the name of a function with its arguments."""
    name = getattr(f, "__qualname__", None) or type(f).__name__
    name = "function" if name.endswith("<lambda>") else name.rpartition("<locals>.")[2]
    parameters = parameter_names_of(f) or ("...",)
    return f"{name}({', '.join([*(variables_of(f) or ('t',)), *parameters])})"


def problem_text(problem: Any) -> str:
    """Return the name of a problem, with that of its residual."""
    name = type(problem).__name__
    function = getattr(problem, "_residual", None)
    known = getattr(function, "__qualname__", "").rpartition("<locals>.")[2]
    return f"{name} of {known}" if known and not known.endswith("<lambda>") else name


def _data_text(result: Fit) -> str:
    """Return the number of points and the names of the data."""
    curve = known_curve(result)
    assert curve is not None
    parts = has_complex(curve.f)
    count = np.size(curve.y) // (2 if parts else 1)
    x, y = axis_labels(result)
    variables = f"{len(curve.t)} variables" if isinstance(curve.t, tuple) else x
    text = f"{count} {'complex ' if parts else ''}points, {y} against {variables}"
    if result.estimated_t is not None:
        text += ", both with errors"
    elif curve.sigma is not None:
        text += ", with sigma" if np.ndim(curve.sigma) < 2 else ", with a covariance matrix"
    return text
