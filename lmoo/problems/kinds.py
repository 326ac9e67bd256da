"""The form of a problem's residual, and what a problem provides: asked of any kind of problem."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from lmoo._core.abi1 import CompiledProblem

if TYPE_CHECKING:
    from typing_extensions import TypeIs

Form = Literal["whole", "blocks", "joint", "points"]
_FORMS = ("whole", "blocks", "joint", "points")

# The methods of which one gives the residual.
_RESIDUALS = {"residual", "evaluate"}

Method = TypeVar("Method", bound=Callable[..., Any])


def form_of(problem: Any) -> Form:
    """Return in which form a problem gives its residual: its attribute ``residual_form``.

    "whole", the default: ``residual(x)`` returns all of it.  "blocks": ``residual(x, block)``
    returns the rows of one of its ``blocks``.  "joint": it has ``problems`` with shared parameters.
    "points": a curve with errors in x, whose points are moved too.

    Raises
    ------
    TypeError
        "many": the problem is a `BatchProblem`.
    ValueError
        Another value.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.problems.kinds import form_of
    >>> form_of(lmoo.RowBlockProblem()), form_of(lmoo.FunctionProblem(abs))
    ('blocks', 'whole')
    """
    found: Form | Literal["many"] = getattr(problem, "residual_form", "whole")
    if found == "many":
        raise TypeError(
            f"problem must be a single one, and a {type(problem).__name__} has many: "
            "lmoo.solve_many(problem, x0) solves them"
        )
    if found not in _FORMS:
        raise ValueError(
            f"residual_form of a problem must be one of {', '.join(map(repr, _FORMS))}; that of "
            f"the {type(problem).__name__} is {found!r}"
        )
    return found


def reason_to_call(problem: Any) -> str | None:
    """Return why the model of a curve must be called; None if a compiled trace may replace it."""
    if problem.trace is False:
        return "trace is False"
    if problem.jac is not None or problem.jacobian is not None:
        return "its derivatives are given"
    return "the problem has a residual of its own" if problem._overrides_residual() else None


def in_blocks(problem: Any) -> bool:
    """Return whether the rows of a problem come in blocks, and are never in memory together."""
    return getattr(problem, "residual_form", None) == "blocks"


def is_joint(problem: Any) -> bool:
    """Return whether a problem consists of several with shared parameters."""
    return getattr(problem, "residual_form", None) == "joint"


def is_compiled(problem: Any) -> TypeIs[CompiledProblem]:
    """Return whether a problem is evaluated without Python."""
    return isinstance(problem, CompiledProblem)


def evaluation_text(problem: Any, evaluation: Any = None) -> str:
    """Return the text of `Result.evaluation` for a problem, or for a part of a joint one.

    Parameters
    ----------
    problem : Problem
    evaluation : Evaluation or JointEvaluation, optional
        How its model is evaluated, if that was to be found out.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.problems.kinds import evaluation_text
    >>> evaluation_text(lmoo.models.Linear().problem([0, 1, 2], [1, 3, 5]))
    'compiled'
    >>> evaluation_text(lmoo.FunctionProblem(abs))
    'called'
    """
    if evaluation is not None:
        return str(evaluation.text)
    return "compiled" if is_compiled(problem) else "called"


def optional(method: Method) -> Method:
    """Mark a method of a base class that a subclass may define; see `has_jacobian`."""
    method.is_optional = True  # type: ignore[attr-defined]
    return method


def hide_jacobian(problem: Any) -> None:
    """Mark a problem as one without derivatives, whose method ``jacobian`` must not be called."""
    problem.jacobian = None


def has_jacobian(problem: Any) -> bool:
    """Return whether a problem of any kind provides its Jacobian.

    Its attribute ``provides_jacobian`` says so; without it, the problem has a method ``jacobian``
    that is not only that of a base class.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.problems.kinds import has_jacobian
    >>> has_jacobian(lmoo.FunctionProblem(abs)), has_jacobian(lmoo.FunctionProblem(abs, abs))
    (False, True)
    """
    if _has_pairs(problem) and getattr(problem, "residual_form", "whole") in ("whole", "blocks"):
        return True
    known = getattr(problem, "provides_jacobian", None)
    if known is not None:
        return bool(known)
    method = getattr(problem, "jacobian", None)
    # Of the function: a missing attribute of a bound method takes microseconds.
    function = getattr(method, "__func__", method)
    return callable(method) and not getattr(function, "is_optional", False)


class Pairs:
    """Base of problems that may define `evaluate` instead of `residual` and `jacobian`."""

    # Whether `evaluate` is used instead of `residual`; asked in each solve.
    _is_paired = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # That of the most derived class; one that defines both has a helper of that name.
        owners = (vars(base).keys() & _RESIDUALS for base in cls.__mro__)
        cls._is_paired = next(filter(None, owners)) == {"evaluate"}


def is_paired(problem: Any, form: Form = "whole") -> bool:
    """Return whether the residual of a `Problem` is that of its `evaluate`, not of `residual`.

    Attributes of the problem itself come before those of its class.  It is False for problems whose
    residual has another form.
    """
    return _has_pairs(problem) and getattr(problem, "residual_form", "whole") == form


def _has_pairs(problem: Any) -> bool:
    """Return the same for a problem of any form; asked several times in each solve."""
    of_class: bool | None = getattr(problem, "_is_paired", None)
    if of_class is None:
        return False
    own = vars(problem)
    return "residual" not in own and ("evaluate" in own or of_class)
