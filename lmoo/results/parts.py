"""The results of single problems, of a fit of several with shared parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.kernels import enorm
from lmoo.losses.loss import LOSSES, kernel_of, loss_of
from lmoo.problems.arguments import integer
from lmoo.problems.joint import residual_of
from lmoo.problems.kinds import is_joint
from lmoo.results.arrowfactor import ArrowFactor
from lmoo.results.fit import Fit
from lmoo.results.linearization import problem_of
from lmoo.results.mapped import MappedFactor
from lmoo.results.robust import Robust

Kind = TypeVar("Kind", bound=Fit)


@dataclass(frozen=True, eq=False)
class PartFactor:
    """The errors of some parameters of a joint fit, with the methods of a `Factor`.

    Attributes
    ----------
    whole : ArrowFactor or MappedFactor
    index : (n,) intp array
        The parameters among all.
    excluded : (n,) bool array or None
    degrees : int
        Degrees of freedom of the joint fit.
    deviation : float
        Standard deviation of its residual.
    """

    whole: ArrowFactor | MappedFactor
    index: NDArray[np.intp]
    excluded: NDArray[np.bool_] | None = None
    degrees: int = 0
    deviation: float = float("nan")

    def check(self, n: int) -> None:
        """Raise ValueError if it is not that of n parameters."""
        size = self.whole.acnorm.size
        self.whole.check(size)
        index = self.index
        if (
            index.shape != (n,)
            or index.dtype != np.intp
            or (index < 0).any()
            or (index >= size).any()
        ):
            raise ValueError(f"index must be {n} of the {size} parameters")

    @property
    def acnorm(self) -> Array:
        """The norms of the columns in the Jacobian of all problems, (n,)."""
        return self.whole.acnorm[self.index]

    @property
    def error(self) -> float:
        """Relative error of the entries of J."""
        return self.whole.error

    @property
    def undetermined(self) -> NDArray[np.bool_]:
        """Parameters that the problems together do not determine, (n,) bool."""
        return self.whole.undetermined[self.index]

    @property
    def rank(self) -> int:
        """The number of free parameters that are determined."""
        free = ~self.undetermined if self.excluded is None else ~(self.undetermined | self.excluded)
        return int(np.count_nonzero(free))

    def standard_errors(self, sigma: float) -> Array:
        """Return the standard errors, (n,)."""
        return self.whole.standard_errors_of(self.index, sigma)

    def covariance(self, sigma: float) -> Array:
        """Return the covariance, (n, n)."""
        return self.whole.covariance_of(self.index, sigma)

    def covariance_of(self, which: Sequence[int], sigma: float) -> Array:
        """Return the covariance of some of them."""
        return self.whole.covariance_of(self.index[np.asarray(which, dtype=np.intp)], sigma)

    def correlation(self, sigma: float = 1.0) -> Array:
        """Return the correlations, (n, n)."""
        return self.whole.correlation_of(self.index, sigma)

    def correlation_of(self, which: Sequence[int], sigma: float = 1.0) -> Array:
        """Return the correlations of some of them."""
        return self.whole.correlation_of(self.index[np.asarray(which, dtype=np.intp)], sigma)

    def prediction_error(self, directions: Array, sigma: float = 1.0) -> Array:
        """Return sigma times the root of ``d @ inv(J.T @ J) @ d`` for each row d, (k, n)."""
        return self.whole.prediction_error_of(directions, self.index, sigma)


def part(kind: type[Kind], result: Fit, k: int) -> Kind:
    """Return the result of problem k of a joint fit, of the class `kind`; see `Result.part`."""
    joint = problem_of(result, "part")
    if not is_joint(joint):
        raise TypeError(
            f"part needs the result of a JointProblem; its problem is a {type(joint).__name__}"
        )
    count = len(joint.problems)
    if not -count <= integer("k", k) < count:
        raise ValueError(f"k must be from 0 to {count - 1}; it is {k}")
    k = int(k) % count
    index = joint.indices[k]
    rows = _rows(result, joint, k)
    names = tuple(joint._own_names[k])
    return part_of(kind, result, joint.problems[k], index, rows, names)


def _rows(result: Fit, joint: Any, k: int) -> slice:
    """Return the rows of problem k in the residual."""
    lengths = vars(result).get("_lengths")
    if lengths is None:
        lengths = [
            residual_of(one, result.x[index]).size
            for one, index in zip(joint.problems, joint.indices, strict=True)
        ]
        vars(result)["_lengths"] = lengths
    begin = sum(lengths[:k])
    return slice(begin, begin + lengths[k])


def part_of(
    kind: type[Kind],
    result: Fit,
    problem: Any,
    index: NDArray[np.intp],
    rows: slice | NDArray[np.intp],
    names: tuple[str, ...],
) -> Kind:
    """Return the result of some rows and parameters of a joint fit.

    Parameters
    ----------
    kind : type
        `PartResult`.
    result : Fit
    problem : Problem
    index : (n,) intp array
        The parameters of the problem among all.
    rows : slice or array of int
        Its rows in the residual.
    names : tuple of str

    Raises
    ------
    ValueError
        The loss is a function that could not be stored with the result.
    """
    residual = result.residual[rows].copy()
    fnorm, robust = enorm(residual), None
    if result.robust is not None:
        fnorm, robust = _with_loss(result, residual)
    factor: Any = result.factor
    if factor is not None:
        factor = PartFactor(
            factor, index, None, result.degrees_of_freedom, result.residual_deviation
        )
    return kind(
        x=result.x[index],
        cost=0.5 * fnorm * fnorm,
        residual=residual,
        observations=residual.size,
        status=result.status,
        message=result.message,
        nfev=result.nfev,
        njev=result.njev,
        nit=result.nit,
        parameter_names=names,
        fnorm=fnorm,
        factor=factor,
        problem=problem,
        solver=result.solver,
        lower=result.lower[index],
        upper=result.upper[index],
        fixed=result.fixed[index],
        active_mask=result.active_mask[index],
        evaluation=result.evaluation,
        _gradient=result.gradient[index],
        robust=robust,
        x0=None if result.x0 is None else result.x0[index],
        absolute_sigma=result.absolute_sigma,
    )


def _with_loss(result: Fit, residual: Array) -> tuple[float, Robust]:
    """Return the root of twice the cost of some rows, and the field `robust` for them."""
    whole, solver = result.robust, result.solver
    assert whole is not None
    if solver is None and whole.name not in LOSSES:
        raise ValueError(
            f"the result of one problem needs the loss, {whole.name}, which this result does not "
            "have: its solver could not be pickled; solve again"
        )
    loss = loss_of(whole.name if solver is None else solver.loss)
    kernel = kernel_of(loss, whole.scale)
    assert kernel is not None
    robust = Robust(whole.name, whole.scale, kernel.weights(residual), kernel.sums(residual))
    return kernel.norm(residual), robust
