"""Step strategies: how lambda and the trust region change from step to step."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.solve import Asked, StepModel, Stepping, Table
from lmoo.problems.arguments import checked_capsule

__all__ = ["CompiledStep", "GeodesicAcceleration", "More", "Nielsen", "Step", "StepModel"]


class Step:
    """Base class of step strategies; subclass it and define `propose`.

    A strategy must store nothing in itself, so that solvers and threads may share it.  Values that
    it needs for later steps go into ``model.memory``.

    Examples
    --------
    Marquardt's strategy: divide lambda by ten after an accepted step, else multiply it by ten.

    >>> import lmoo
    >>> class Marquardt(lmoo.Step):
    ...     def propose(self, model):
    ...         last = model.memory.get("lambda", 0.01)
    ...         lambda_ = last / 10 if model.accepted else last * 10
    ...         model.memory["lambda"] = lambda_
    ...         return model.damped(lambda_), lambda_
    >>> problem = lmoo.datasets.nist("Misra1a")
    >>> result = lmoo.Solver(step=Marquardt()).solve(problem, problem.starts[0])
    >>> result.success, result.x.round(4)
    (True, array([2.389421e+02, 6.000000e-04]))
    """

    # Solvers ask for these two instead of the class.  Whether the steps are those of More, to which
    # curvature may add a part.
    _is_mores = False
    # Whether it uses the second derivative along a step, which can be exact.
    _wants_second = False

    def propose(self, model: StepModel) -> tuple[NDArray[np.float64], float]:
        """Return the next step p and its lambda.

        Parameters
        ----------
        model : StepModel
            The linear model at x and the outcome of the last step.  It is a copy, with the methods
            ``damped``, ``within`` and ``predicted_reduction``.

        Returns
        -------
        p : (n,) array_like of finite numbers
            The trial point is x + p.
        lambda_ : float
            0 if p is a full Gauss-Newton step; the stopping tests use such steps.
        """
        raise NotImplementedError(f"{type(self).__name__} must define propose(self, model)")

    def _bind(self) -> Stepping:
        """Return the object that the compiled loop uses for one solve."""
        return Asked(self.propose)


class _Compiled(Step):
    """Base class of strategies in compiled code."""

    _table: Any

    def propose(self, model: StepModel) -> tuple[NDArray[np.float64], float]:
        """Raise TypeError, as this strategy runs in compiled code only."""
        raise TypeError(f"{type(self).__name__} runs in compiled code and cannot be called")

    def _bind(self) -> Stepping:
        return Table(self._table)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class More(_Compiled):
    """More's steps, the default: lambda is such that the step is within the trust region.

    The radius follows the ratio of the actual to the predicted reduction of the sum of squares.

    Parameters
    ----------
    accelerate : bool, default True
        After ten steps in a row that the radius has limited, correct the steps for curvature as
        `GeodesicAcceleration` does, and let the radius grow up to tenfold.  Replace Gauss-Newton
        steps that contract linearly by their sum, a secant step.  False: More's steps alone, as in
        MINPACK.

    References
    ----------
    More' (1978), "The Levenberg-Marquardt algorithm: implementation and theory", sections 4, 5.

    Examples
    --------
    >>> import lmoo
    >>> problem = lmoo.datasets.nist("Misra1a")
    >>> lmoo.Solver(step=lmoo.More()).solve(problem, problem.starts[0]).success
    True
    """

    _is_mores = True

    def __init__(self, accelerate: bool = True) -> None:
        self.accelerate = bool(accelerate)

    @property
    def _table(self) -> str:
        return "default" if self.accelerate else "more"

    def __repr__(self) -> str:
        return f"More(accelerate={self.accelerate})"


class Nielsen(_Compiled):
    """Nielsen's rule: lambda follows the ratio of the reductions, without a trust region.

    An accepted step divides lambda by at most 3.  Each further rejected step in a row multiplies it
    by a factor that doubles.

    References
    ----------
    Nielsen (1999), "Damping parameter in Marquardt's method", IMM-REP-1999-05, Technical University
    of Denmark.

    Examples
    --------
    >>> import lmoo
    >>> problem = lmoo.datasets.nist("Misra1a")
    >>> lmoo.Solver(step=lmoo.Nielsen()).solve(problem, problem.starts[0]).success
    True
    """

    _table = "nielsen"


class GeodesicAcceleration(_Compiled):
    """More's steps with a correction by the second derivative of the residual along them.

    Each step takes one more evaluation.  The correction saves steps in narrow, curved valleys.

    References
    ----------
    Transtrum, Sethna (2012), "Improvements to the Levenberg-Marquardt algorithm for nonlinear
    least-squares minimization", arXiv:1201.5885.

    Examples
    --------
    >>> import lmoo
    >>> problem = lmoo.datasets.nist("Misra1a")
    >>> lmoo.Solver(step=lmoo.GeodesicAcceleration()).solve(problem, problem.starts[0]).success
    True
    """

    _table = "geodesic"
    _is_mores = _wants_second = True


class CompiledStep(_Compiled):
    """A strategy in compiled code: a table of functions, which the iteration calls.

    Parameters
    ----------
    table : PyCapsule
        A capsule of the name ``lmoo_step``.  It points to a ``lmoo_step`` of lmoo.h that lives as
        long as the capsule.

    Raises
    ------
    TypeError
        `table` is not such a capsule.

    Examples
    --------
    ``lmoo.Solver(step=lmoo.CompiledStep(package.table))``, see "Extending lmoo".
    """

    def __init__(self, table: Any) -> None:
        self._table = checked_capsule(table, "lmoo_step")
