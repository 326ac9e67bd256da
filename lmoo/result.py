"""What a solve returns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.kernels import qrfac
from lmoo.status import Status

if TYPE_CHECKING:
    from lmoo.solver import Solver

__all__ = ["Result"]


@dataclass(frozen=True, eq=False)
class Factor:
    """The factor of the last Jacobian, ``J[:, ipvt] = Q R``.

    Attributes
    ----------
    r : (n, n) float64 array, upper triangle
    ipvt : (n,) int32 array
    qtf : (n,) float64 array, ``(Q.T @ f)[:n]``
    acnorm : (n,) float64 array, the norms of the columns of J
    error : float
        Relative error of the entries of J, below which a singular value means nothing.
    """

    r: NDArray[np.float64]
    ipvt: NDArray[np.int32]
    qtf: NDArray[np.float64]
    acnorm: NDArray[np.float64]
    error: float

    @cached_property
    def _scaled_inverse(self) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
        """Return G with ``G @ G.T = inv(S.T @ S)``, undetermined parameters, and the rank.

        S is J with columns scaled to norm 1, so that units do not decide the rank (Golub, Van Loan
        2013, "Matrix computations", section 5.4.2).  Where S is deficient, G is that of a basic
        solution: whatever J determines has the same variance in every generalised inverse.
        """
        n = self.acnorm.size
        scaled = np.zeros((n, n))
        scaled[:, self.ipvt] = self.r
        scaled /= np.where(self.acnorm > 0, self.acnorm, 1.0)
        packed, ipvt, _, _ = qrfac(scaled)
        triangle = np.triu(packed[:n])
        diagonal = np.abs(np.diag(triangle))
        rank = int(np.count_nonzero(diagonal > self.error * max(diagonal[0], 1e-300)))
        inverse = np.linalg.inv(triangle[:rank, :rank])
        g = np.zeros((n, rank))
        g[ipvt[:rank]] = inverse
        undetermined = np.zeros(n, dtype=bool)
        if rank < n:
            # A parameter with a share in a direction along which J is zero is not determined.
            null = np.zeros((n, n - rank))
            null[ipvt[:rank]] = -inverse @ triangle[:rank, rank:]
            null[ipvt[rank:]] = np.eye(n - rank)
            null /= np.linalg.norm(null, axis=0)
            undetermined = np.abs(null).max(axis=1) > np.sqrt(self.error)
        return g, undetermined, rank

    @property
    def rank(self) -> int:
        """Rank of J, its columns scaled to norm 1."""
        return self._scaled_inverse[2]

    @property
    def undetermined(self) -> NDArray[np.bool_]:
        """Which parameters J does not determine."""
        return self._scaled_inverse[1]

    def deviations(self, sigma: float) -> NDArray[np.float64]:
        """Return sigma times the roots of the diagonal of ``inv(J.T @ J)``, without overflow."""
        g, undetermined, _ = self._scaled_inverse
        with np.errstate(all="ignore"):
            return np.where(
                undetermined, np.inf, sigma / self.acnorm * np.sqrt((g * g).sum(axis=1))
            )

    def covariance(self, sigma: float) -> NDArray[np.float64]:
        """Return sigma^2 ``inv(J.T @ J)``; inf and nan for what is not determined."""
        g, undetermined, _ = self._scaled_inverse
        with np.errstate(all="ignore"):
            unit = sigma / self.acnorm
            out = (g @ g.T) * unit * unit[:, None]
            out = 0.5 * out + 0.5 * out.T
        out[undetermined] = np.nan
        out[:, undetermined] = np.nan
        out[undetermined, undetermined] = np.inf
        return out


def _unknown() -> Any:
    """Stand for an array that `Result` makes where none is given."""
    return None


@dataclass(frozen=True, eq=False)
class Result:
    """What a solve came to.

    Attributes
    ----------
    x : (n,) float64 array
        The best point found.
    cost : float
        ``1/2 sum(residual**2)`` at x; inf where that overflows.
    residual : (m,) float64 array
        The residual at x; empty for a `RowBlockProblem`, whose rows nobody holds.
    observations : int
        The number m of residuals; 0 where none could be evaluated.
    status : Status
        Why it stopped; its values are MINPACK's.
    message : str
        The same in words, with the numbers that decided.
    nfev, njev, nit : int
        Evaluations of the residual (those for numeric derivatives included), Jacobians, and
        iterations, which are the trial points judged.
    parameter_names : tuple of str
        The names of the parameters, x[0], x[1], ... where the problem gives none.
    problem : Problem
        What was solved; None for a result that was read from a file.
    solver : Solver
        What it was solved with; None likewise.
    lower, upper : (n,) float64 array
        Bounds that x was kept within; -inf and inf where there are none.
    fixed : (n,) bool array
        Parameters that were held at their start.
    active_mask : (n,) int8 array
        -1 for a parameter that the gradient holds at its lower bound, 1 at its upper one, else 0.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> t = np.arange(5.0)
    >>> y = np.array([1.1, 2.9, 5.2, 6.8, 9.1])
    >>> result = lmoo.Solver().solve(lmoo.FunctionProblem(lambda x: x[0] + x[1] * t - y), [0, 0])
    >>> result.success, result.x.round(6), result.standard_errors.round(6)
    (True, array([1.04, 1.99]), array([0.146287, 0.059722]))
    """

    x: NDArray[np.float64]
    cost: float
    residual: NDArray[np.float64]
    observations: int
    status: Status
    message: str
    nfev: int
    njev: int
    nit: int
    parameter_names: tuple[str, ...]
    fnorm: float = field(repr=False)
    factor: Factor | None = field(repr=False)
    problem: Any = field(default=None, repr=False)
    solver: "Solver | None" = field(default=None, repr=False)
    lower: NDArray[np.float64] = field(default_factory=_unknown, repr=False)
    upper: NDArray[np.float64] = field(default_factory=_unknown, repr=False)
    fixed: NDArray[np.bool_] = field(default_factory=_unknown, repr=False)
    active_mask: NDArray[np.int8] = field(default_factory=_unknown, repr=False)

    def __post_init__(self) -> None:
        n = self.x.size
        free = {
            "lower": np.full(n, -np.inf),
            "upper": np.full(n, np.inf),
            "fixed": np.zeros(n, dtype=bool),
            "active_mask": np.zeros(n, dtype=np.int8),
        }
        for name, value in free.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)

    @property
    def success(self) -> bool:
        """Whether a minimum was found: status 1 to 4."""
        return self.status.success

    @property
    def degrees_of_freedom(self) -> int:
        """``m - n``."""
        return self.observations - self.x.size

    @property
    def residual_deviation(self) -> float:
        """Standard deviation of the residual, ``sqrt(2 cost / (m - n))``; inf where m = n."""
        dof = self.degrees_of_freedom
        return self.fnorm / float(np.sqrt(dof)) if dof > 0 else float("inf")

    @property
    def rank(self) -> int:
        """Numerical rank of the last Jacobian; n where all parameters are determined."""
        return 0 if self.factor is None else self.factor.rank

    @property
    def undetermined(self) -> tuple[str, ...]:
        """Names of the parameters that the data do not determine."""
        if self.factor is None:
            return self.parameter_names
        flags = self.factor.undetermined
        return tuple(name for name, flag in zip(self.parameter_names, flags, strict=True) if flag)

    @property
    def gradient(self) -> NDArray[np.float64]:
        """``J.T @ f`` of the last Jacobian, (n,); nan before there is one."""
        out = np.full(self.x.size, np.nan)
        if self.factor is not None:
            with np.errstate(over="ignore", invalid="ignore"):
                out[self.factor.ipvt] = self.factor.r.T @ self.factor.qtf
        return out

    @property
    def standard_errors(self) -> NDArray[np.float64]:
        """Standard errors of the parameters, (n,), in their units.

        The roots of the diagonal of `covariance`, taken without squaring anything; inf for
        parameters that the data do not determine, and for all where m = n.
        """
        if self.factor is None or self.degrees_of_freedom <= 0:
            return np.full(self.x.size, np.inf)
        return self.factor.deviations(self.residual_deviation)

    def covariance(self, scaled: bool = True) -> NDArray[np.float64]:
        """Return the covariance of the parameters.

        Parameters
        ----------
        scaled : bool, default True
            Times the variance of the residual, ``2 cost / (m - n)``; False gives
            ``inv(J.T @ J)``, for a residual that was divided by its known standard deviation.

        Returns
        -------
        (n, n) float64 array
            Parameters that J does not determine have variance inf and covariances nan; the rest
            is what any solution with the same residual has.  Scaled with m = n: all inf, as
            nothing is left to estimate the variance from.
        """
        if self.factor is None or (scaled and self.degrees_of_freedom <= 0):
            return np.full((self.x.size, self.x.size), np.inf)
        return self.factor.covariance(self.residual_deviation if scaled else 1.0)

    def __str__(self) -> str:
        from lmoo.report import text

        return text(self)


def names_of(names: Sequence[str] | None, n: int) -> tuple[str, ...]:
    """Return n names of parameters."""
    if names is None:
        return tuple(f"x[{j}]" for j in range(n))
    if len(names) != n:
        raise ValueError(f"parameter_names must have one entry per parameter, {n}: {names!r}")
    return tuple(str(name) for name in names)
