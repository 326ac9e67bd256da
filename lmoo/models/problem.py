"""The problem of fitting a model to one curve; compiled if the model is."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from lmoo._core.arrays import Array
from lmoo.problems.arguments import check_callable
from lmoo.problems.complexdata import ComplexParts, complex_curve, is_complex
from lmoo.problems.curveproblem import CurveProblem
from lmoo.problems.data import curve_data
from lmoo.problems.measured import measured
from lmoo.problems.names import parameter_names_of
from lmoo.problems.typed import NanPolicy

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from lmoo.models.library import CompiledModel


def curve_problem(
    f: Callable[..., Any],
    t: Any,
    y: ArrayLike,
    sigma: ArrayLike | None = None,
    jac: Callable[..., Any] | None = None,
    *,
    nan_policy: NanPolicy = "raise",
) -> Any:
    """Return the problem of fitting one curve; compiled if the model is.

    The arguments are those of `CurveProblem`, which has the errors.

    Returns
    -------
    CurveProblem, or CompiledProblem
        ``f.problem(t, y, sigma)`` for a compiled model.  Compiled models support neither a
        covariance matrix nor a user's `jac`; with these the model is called as a function.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> from lmoo.models.problem import curve_problem
    >>> model = lmoo.models.Exponential()
    >>> t = np.linspace(0, 4, 9)
    >>> problem = curve_problem(model, t, model(t, 3.0, 0.5, 1.0))
    >>> isinstance(problem, lmoo.CompiledProblem), problem.parameter_names
    (True, ('amplitude', 'rate', 'offset'))
    """
    t, y, sigma, _, axes = measured(t, y, sigma)
    if is_complex(y):
        check_callable(f, jac)
        parts = ComplexParts(f), None if jac is None else ComplexParts(jac)
        problem = problem_of(*parts, *complex_curve(t, y, sigma, nan_policy))
    else:
        problem = problem_of(f, jac, *curve_data(t, y, sigma, nan_policy))
    problem.parameter_names = parameter_names_of(f)
    axes.describe(problem)
    return problem


def problem_of(
    f: Callable[..., Any],
    jac: Callable[..., Any] | None,
    t: Any,
    y: Array,
    sigma: Array | None,
) -> Any:
    """Return the problem for data that `curve_data` has checked, without names and bounds."""
    check_callable(f, jac)
    if jac is None and is_compiled_model(f):
        model: Any = f
        if sigma is None or sigma.ndim == 1:
            return model.problem(t, y, sigma)
        jac = model.jacobian if model.provides_jacobian else None
    return CurveProblem._of(f, jac, t, y, sigma)


def is_compiled_model(f: Any) -> TypeIs[CompiledModel]:
    """Return whether a model is evaluated without Python: a `CompiledModel`."""
    if type(f) is FunctionType:
        return False
    # Imported here because most models are functions: `from lmoo import curve_fit` stays fast.
    from lmoo.models.library import CompiledModel

    return isinstance(f, CompiledModel)
