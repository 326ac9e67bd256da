"""The evaluation of the models of a `JointProblem`: compiled from their functions, or called."""

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.errors import TraceError, TraceWarning
from lmoo.models.tracing import evaluation as single
from lmoo.problems.kinds import evaluation_text


@dataclass(frozen=True, eq=False, slots=True)
class JointEvaluation:
    """The evaluation of the models of the members.

    Attributes
    ----------
    members : tuple of Evaluation or None
        None for a member that is no curve with a model.
    reason : str or None
        Why all functions are called; None if one at least is compiled.
    problem : object
        None if no member is replaced.
    problems : tuple of Problem
        The problems of the members.
    """

    members: tuple[Any, ...]
    reason: str | None
    problem: Any
    problems: tuple[Any, ...]

    @property
    def text(self) -> str:
        """The text of `Result.evaluation`."""
        if self.reason is not None:
            return f"called, because {self.reason}"
        texts = Counter(map(evaluation_text, self.problems, self.members))
        if len(texts) == 1:
            return next(iter(texts))
        return "; ".join(f"{count} of {len(self.members)} {text}" for text, count in texts.items())

    def solution(self, problem: Any, x: Array) -> tuple[None, str | None]:
        """Return None, and where a model differs from its function at the end of a fit."""
        for k, (one, index) in enumerate(zip(self.members, problem.indices, strict=True)):
            if one is None or one.problem is None:
                continue
            part = problem.problems[k]
            _, reason = one.solution(part, np.ascontiguousarray(x[index]))
            if reason is not None:
                if part.trace is True:
                    raise TraceError(f"at the solution of problems[{k}] {reason}")
                return None, f"problems[{k}]: {reason}"
        return None, None

    def called_instead(self, problem: Any, reason: str) -> "JointEvaluation":
        """Return the evaluation by calls of all functions; warn."""
        warnings.warn(
            f"a model that was traced differs from its function at the solution: {reason}. The fit "
            "has been made again with the functions; trace=False makes it so at once",
            TraceWarning,
            stacklevel=4,
        )
        parts = tuple(problem.problems)
        return JointEvaluation((None,) * len(parts), f"at the solution {reason}", None, parts)


def evaluation_of(
    problem: Any, x: Array, because: str | None = None, edges: Array | None = None
) -> JointEvaluation:
    """Return how the models of a joint problem are evaluated in a fit that starts at x.

    Parameters
    ----------
    problem : JointProblem
    x : (n,) float64 array
    because : str, optional
        Why functions are to be called whatever they are.
    edges : (2, n) float64 array, optional
        As for the evaluation of one curve.

    Raises
    ------
    TraceError
        A function must be called, and its problem's `trace` is True.
    """
    members = tuple(
        _member(part, x, index, because, edges)
        for part, index in zip(problem.problems, problem.indices, strict=True)
    )
    compiled = any(one is not None and one.problem is not None for one in members)
    return JointEvaluation(members, None, problem if compiled else None, tuple(problem.problems))


def _member(
    part: Any, whole: Array, index: Any, because: str | None, edges: Array | None
) -> single.Evaluation | None:
    """Return how the model of one of the problems is evaluated."""
    x = np.ascontiguousarray(whole[index])
    if because is None and np.size(getattr(part, "y", x)) < x.size:
        # Compiled problems have at least as many residuals as parameters.
        because = "there are fewer points than parameters"
    return single.evaluation_of(
        part, x, because, alone=False, edges=None if edges is None else edges[:, index]
    )
