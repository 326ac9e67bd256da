"""A solved problem: its solution, and the statistics that follow from the last QR factor.

Statistics, profiles, reports and plots are functions of a `Fit`.  Its subclass `Result` has them as
methods.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lmoo.results.factor import Factor
from lmoo.results.robust import Robust
from lmoo.status import Status

if TYPE_CHECKING:
    from lmoo.results.history import History
    from lmoo.results.mapped import MappedFactor
    from lmoo.results.related import Related


def _unknown() -> Any:
    """Return None, the default of arrays that `Fit` creates."""
    return None


def _filled(n: int, value: float) -> NDArray[np.float64]:
    """Return n times the same number."""
    array = np.empty(n)
    array.fill(value)
    return array


@dataclass(frozen=True, eq=False)
class Fit:
    """A solved problem; the attributes are described at `lmoo.Result`."""

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
    factor: "Factor | MappedFactor | None" = field(repr=False)
    problem: Any = field(default=None, repr=False)
    solver: Any = field(default=None, repr=False)
    lower: NDArray[np.float64] = field(default_factory=_unknown, repr=False)
    upper: NDArray[np.float64] = field(default_factory=_unknown, repr=False)
    fixed: NDArray[np.bool_] = field(default_factory=_unknown, repr=False)
    active_mask: NDArray[np.int8] = field(default_factory=_unknown, repr=False)
    seconds: float = field(default=float("nan"), repr=False)
    history: "History | None" = field(default=None, repr=False)
    evaluation: str = field(default="called", repr=False)
    # With bounds the factor contains the free parameters alone, so the gradient is stored.
    _gradient: NDArray[np.float64] | None = field(default=None, repr=False)
    # With a loss; the factor then is that of the scaled rows, over the root of the mean of h.
    robust: Robust | None = field(default=None, repr=False)
    # With ties, priors, derived quantities or constraints; the factor then is a MappedFactor.
    related: "Related | None" = field(default=None, repr=False)
    # With errors in x: the estimates of the true t, in the form of t.
    estimated_t: Any = field(default=None, repr=False)
    x0: NDArray[np.float64] | None = field(default=None, repr=False)
    # Model and data as text with labels, for a result that has no problem.
    _subject: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    # Units of parameters and R squared, for a result that has no problem.
    _units: Mapping[str, Any] = field(default_factory=dict, repr=False)
    _r_squared: float = field(default=float("nan"), repr=False)
    # Whether residuals were divided by known standard deviations, as the problem says.
    absolute_sigma: bool = field(default=False, repr=False)

    # Solves the problem again with more parameters fixed: (fit, x, fixed, maxfev) -> Fit.  The
    # solver sets it, as this module must not import the solver.
    _solve_again: ClassVar[Callable[..., "Fit"]]

    # Whether it is the result of one problem of a joint fit.
    is_part: ClassVar[bool] = False

    def _error_alone(self, j: int) -> float:
        """Return the error of what active constraints hold, without them; 0 if unknown."""
        return 0.0

    def _reached(self, j: int, value: float, x: NDArray[np.float64]) -> float:
        """Return quantity j at a point where its coordinate has a value."""
        return value

    def __post_init__(self) -> None:
        n = self.x.size
        # Without bounds; np.full would take longer.
        if self.lower is None:
            object.__setattr__(self, "lower", _filled(n, -np.inf))
        if self.upper is None:
            object.__setattr__(self, "upper", _filled(n, np.inf))
        if self.fixed is None:
            object.__setattr__(self, "fixed", np.zeros(n, dtype=bool))
        if self.active_mask is None:
            object.__setattr__(self, "active_mask", np.zeros(n, dtype=np.int8))

    @property
    def success(self) -> bool:
        """Whether a minimum was found: status 1 to 4."""
        return self.status.success

    def __bool__(self) -> bool:
        """Return `success`: a fit that has not converged is false."""
        return self.success

    @property
    def units(self) -> Mapping[str, Any]:
        """Units of parameters by name, of a fit with quantities; {} for numbers.

        Those of a result that was read from a dict are texts where the package of the units is not
        installed.
        """
        return getattr(self.problem, "units", None) or self._units or {}

    @property
    def fixed_or_active(self) -> NDArray[np.bool_]:
        """Parameters that are fixed or whose bound is active, (n,) bool; the others are free."""
        return np.asarray(self.fixed | (self.active_mask != 0))

    @cached_property
    def _linear(self) -> Any:
        """The factor of the free parameters."""
        assert self.factor is not None
        if not isinstance(self.factor, Factor):
            return self.factor
        excluded = self.fixed_or_active
        return replace(self.factor, excluded=excluded) if excluded.any() else self.factor

    @property
    def degrees_of_freedom(self) -> int:
        """``m - n``, where n counts the parameters that are not fixed.

        Tied parameters do not count, nor do the rows of priors.  In a joint fit the parameters do
        not count that the data leave undetermined, as those of a curve without points: the free
        ones count by `rank`.
        """
        if self.related is not None:
            return self.observations - self.related.fitted
        if self.factor is not None and getattr(self.factor, "counts_rank", False):
            # That of a joint fit.
            at_bounds = int(np.count_nonzero(self.fixed_or_active & ~self.fixed))
            return self.observations - self.rank - at_bounds
        return self.observations - int(np.count_nonzero(~self.fixed))

    @property
    def residual_deviation(self) -> float:
        """Standard deviation of the residual, ``sqrt(2 cost / (m - n))``; inf if m = n.

        With a loss that of the good points: the s with which ``s**2 inv(J.T @ J)`` is the
        covariance of the parameters, see "Robust losses" in the documentation.
        """
        dof = self.degrees_of_freedom
        if self.robust is not None:
            return self.robust.deviation(self.observations, dof)
        return self.data_norm / float(np.sqrt(dof)) if dof > 0 else float("inf")

    @property
    def data_norm(self) -> float:
        """Norm of the residual, without the rows of priors."""
        return self.fnorm if self.related is None else self.related.norm

    @property
    def loss_slope(self) -> float:
        """Root of the growth of the cost of a loss over that of the sum of squares; 1 without."""
        return 1.0 if self.robust is None else self.robust.slope(self.observations)

    @property
    def loss_weights(self) -> NDArray[np.float64]:
        """Weight of each point in the loss, rho'(z), (m,): 1 for a good point, 0 for an outlier.

        All 1 without a loss; empty for a `RowBlockProblem`, whose rows are not kept.
        """
        return np.ones(self.residual.size) if self.robust is None else self.robust.weights

    @property
    def f_scale(self) -> float:
        """Scale C of the loss, given or estimated; nan without a loss."""
        return float("nan") if self.robust is None else self.robust.scale

    @property
    def rank(self) -> int:
        """Numerical rank of the columns of the free parameters in the last Jacobian.

        It is the number of free parameters if the data determine all of them.
        """
        return 0 if self.factor is None else int(self._linear.rank)

    @property
    def free_count(self) -> int:
        """Number of parameters that were free at the solution; those that are tied do not count."""
        if self.related is not None and self.factor is not None:
            return int(self._linear.free)
        return int(np.count_nonzero(~self.fixed_or_active))

    @property
    def undetermined(self) -> tuple[str, ...]:
        """Names of the parameters that the data do not determine."""
        if self.factor is None:
            return self.parameter_names
        flags = self._linear.undetermined
        return tuple(name for name, flag in zip(self.parameter_names, flags, strict=True) if flag)

    @property
    def gradient(self) -> NDArray[np.float64]:
        """``J.T @ f`` of the last Jacobian, (n,); nan if no Jacobian was evaluated.

        For a parameter at an active bound it is not 0: it is the Lagrange multiplier of the bound,
        the derivative of the cost by the bound.  For fixed parameters it is 0 if the derivatives
        are differences, as these are not evaluated.  With ties, it is the derivative by each
        parameter that is fitted, in which tied parameters follow; 0 for these.
        """
        if self._gradient is not None:
            return self._gradient
        out = np.full(self.x.size, np.nan)
        if self.factor is not None:
            with np.errstate(over="ignore", invalid="ignore"):
                assert isinstance(self.factor, Factor)
                out[self.factor.ipvt] = self.factor.r.T @ self.factor.qtf
        return out

    @property
    def standard_errors(self) -> NDArray[np.float64]:
        """Standard errors of the parameters, (n,), in their units.

        The roots of the diagonal of `covariance`, computed without squares.  They are inf for
        parameters that the data do not determine, and for all parameters if m = n unless
        ``absolute_sigma`` is true.  They are 0 for parameters that are fixed or at an active bound;
        those of the other parameters are the standard errors of a fit in which these are fixed.
        A fit that has not converged has none: nan.
        """
        if not self.success:
            return np.full(self.x.size, np.nan)
        deviation = self.scale_of_errors()
        if self.factor is None or deviation == np.inf:
            return np.where(self.fixed_or_active, 0.0, np.inf)
        return np.asarray(self._linear.standard_errors(deviation))

    @property
    def stderr(self) -> NDArray[np.float64]:
        """The same as `standard_errors`."""
        return self.standard_errors

    def is_scaled(self, scaled: bool | None = None) -> bool:
        """Return whether errors are scaled by the residual: `scaled`, or by ``absolute_sigma``."""
        return not self.absolute_sigma if scaled is None else bool(scaled)

    def scale_of_errors(self, scaled: bool | None = None) -> float:
        """Return the s with which ``s**2 inv(J.T @ J)`` is the covariance of the parameters.

        It is `residual_deviation`, inf without degrees of freedom, or 1 for a residual that was
        divided by its known standard deviation.  With a loss it is always estimated.  nan for a
        fit that has not converged: its last point has no errors.
        """
        if not self.success:
            return float("nan")
        if not self.is_scaled(scaled) and self.robust is None:
            return 1.0
        return self.residual_deviation

    def covariance(self, scaled: bool | None = None) -> NDArray[np.float64]:
        """Return the covariance of the parameters.

        Parameters
        ----------
        scaled : bool, optional
            True: multiply by the variance of the residual, ``2 cost / (m - n)``.  False: return
            ``inv(J.T @ J)``, for a residual that was divided by its known standard deviation.
            None: False if ``absolute_sigma`` is true, else True.
            With a loss both are the sandwich, as the scatter of the points is estimated.

        Returns
        -------
        (n, n) float64 array
            Parameters that J does not determine have variance inf and covariances nan; the other
            entries are the same for all solutions with this residual.  Rows and columns of
            parameters that are fixed or at an active bound are 0.  If scaled and m = n, the other
            entries are inf, as no degree of freedom is left to estimate the variance.  nan for a
            fit that has not converged.
        """
        if not self.success:
            return np.full((self.x.size, self.x.size), np.nan)
        deviation = self.scale_of_errors(scaled)
        if self.factor is None or deviation == np.inf:
            free = ~self.fixed_or_active
            return np.where(np.outer(free, free), np.inf, 0.0)
        return np.asarray(self._linear.covariance(deviation))

    @property
    def correlation(self) -> NDArray[np.float64]:
        """Correlations of the parameters, (n, n), with 1 on the diagonal.

        0 for parameters that are fixed or at an active bound, nan for undetermined ones.  All are
        nan for a fit that has not converged.
        """
        if not self.success:
            return np.full((self.x.size, self.x.size), np.nan)
        if self.factor is None:
            out = np.full((self.x.size, self.x.size), np.nan)
            np.fill_diagonal(out, 1.0)
            return out
        return np.asarray(self._linear.correlation(self.scale_of_errors()))

    @property
    def reduced_chi_square(self) -> float:
        """``2 cost / (m - n)``; about 1 if residuals were divided by their standard deviations."""
        return self.residual_deviation * self.residual_deviation
