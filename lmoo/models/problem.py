"""The problem of fitting a model to one curve; compiled if the model is."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from lmoo._core.arrays import Array
from lmoo.problems.arguments import check_callable
from lmoo.problems.complexdata import ComplexParts, complex_curve, is_complex
from lmoo.problems.curveproblem import CurveProblem
from lmoo.problems.data import curve_data
from lmoo.problems.measured import measured
from lmoo.problems.names import parameter_names_of, printable
from lmoo.problems.sigma import checked_absolute_sigma
from lmoo.problems.typed import Bounds, Constraints, Expressions, Fixed, NanPolicy, Priors

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
    parameter_names: Sequence[str] | None = None,
    bounds: Bounds | None = None,
    fixed: Fixed | None = None,
    nan_policy: NanPolicy = "raise",
    ties: Expressions | None = None,
    priors: Priors | None = None,
    derived: Expressions | None = None,
    constraints: Constraints | None = None,
    absolute_sigma: bool | None = None,
) -> Any:
    """Return the problem of fitting one curve; compiled if the model is.

    Parameters
    ----------
    f, t, y, sigma, jac, parameter_names, bounds, fixed, nan_policy
        As for `CurveProblem`.
    ties, priors, derived, constraints, absolute_sigma
        As for `CurveProblem`.

    Returns
    -------
    CurveProblem, or CompiledProblem
        ``f.problem(t, y, sigma)`` for a compiled model.  Compiled models support neither a
        covariance matrix nor a user's `jac`; with these the model is called as a function.

    Raises
    ------
    TypeError, ValueError
        As for `CurveProblem`.

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
    given = parameter_names is not None
    names = printable(map(str, parameter_names or ())) if given else parameter_names_of(f)
    problem.parameter_names, problem.bounds, problem.fixed = names, bounds, fixed
    problem.ties, problem.priors, problem.derived = ties, priors, derived
    problem.constraints = constraints
    axes.describe(problem)
    problem.absolute_sigma = checked_absolute_sigma(absolute_sigma, sigma, level=4)
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
