"""The result of a solve: `Fit` with statistics, reports, storage and plots as methods."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from lmoo.results.analysed import AnalysedFit

if TYPE_CHECKING:
    from lmoo.results.curvature import Nonlinearity
    from lmoo.results.parametertable import ParameterTable
    from lmoo.results.related import Value


# The methods of the dataclass are inherited; generating them again would slow down `import lmoo`.
@dataclass(frozen=True, eq=False, init=False, repr=False)
class Result(AnalysedFit):
    """Result of a solve.

    Attributes
    ----------
    x : (n,) float64 array
        The best point found.
    cost : float
        ``1/2 sum(residual**2)`` at x, with a loss ``1/2 sum(C**2 rho((residual / C)**2))``; inf
        where that overflows.  With priors their ``1/2 ((value - mean) / sigma)**2`` are added.
    residual : (m,) float64 array
        The residual at x; empty for a `RowBlockProblem`.  That of a complex curve has the real
        parts of its points followed by the imaginary ones.
    observations : int
        The number m of residuals; 0 if the residual could not be evaluated.
    status : Status
        Why the solve stopped; the values are MINPACK's.
    message : str
        The status in words, with the tolerances.
    nfev, njev, nit : int
        Numbers of evaluations of the residual (including those for numeric derivatives), of
        Jacobians (including exact second derivatives along a step, see `GeodesicAcceleration`), and
        of iterations, that is, of trial points.
    parameter_names : tuple of str
        The names of the parameters; x[0], x[1], ... if the problem does not name them.
    problem : Problem
        The problem that was solved; None for a result that was read from a file, or pickled with a
        problem that cannot be pickled.
    solver : Solver
        The solver; None in the same cases.
    lower, upper : (n,) float64 array
        Bounds of the parameters; -inf and inf without bounds.
    fixed : (n,) bool array
        Parameters that were fixed.
    active_mask : (n,) int8 array
        -1 for an active lower bound, 1 for an active upper bound, else 0.
    seconds : float
        Duration of the solve; nan for a solve by `Solver.iterate`.
    history : History or None
        The iterations as arrays, with ``Solver.solve(..., history=True)``.
    robust : Robust or None
        With a loss: its name, its scale and the weights of the points.
    related : Related or None
        With ties, priors, derived quantities or constraints: what these add to the result.
    estimated_t : array, tuple of arrays or None
        With errors in x (``sigma_x``): the estimates of the true values of t.  The residual then
        is, for each point, its distance from the curve in units of the errors, with the sign of
        ``f(t, ...) - y``.
    x0 : (n,) float64 array or None
        The starting values; nan for parameters that need none, as they are eliminated.  None for a
        result without them, such as one that an earlier version has stored.
    absolute_sigma : bool
        Whether the standard deviations of the data are known: residuals were divided by them, and
        errors are not scaled by the residual.  The problem says it, see `CurveProblem`; it is the
        default of ``scaled`` in all methods.
    evaluation : str
        How the model was evaluated: "compiled from <function>" for a function that was traced (see
        `lmoo.trace`); "called, because <reason>" for one that was not; "compiled" for a compiled
        model, such as those of `lmoo.models`, and for a problem that is compiled; "called" for
        other problems.  Counts are those of what was done: ``nfev`` and ``njev``
        evaluations of the compiled model, besides which the function was called at the start and
        at the solution.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> t = np.arange(5.0)
    >>> y = np.array([1.1, 2.9, 5.2, 6.8, 9.1])
    >>> result = lmoo.Solver().solve(lmoo.FunctionProblem(lambda x: x[0] + x[1] * t - y), [0, 0])
    >>> result.success, result.x.round(6), result.standard_errors.round(6)
    (True, array([1.04, 1.99]), array([0.146287, 0.059722]))
    """

    # ---- parameters -------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Value:
        """Return value and standard error of a parameter, or of a derived quantity, by its name.

        Raises
        ------
        KeyError
            The name is not known.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> t = np.arange(5.0)
        >>> solver = lmoo.Solver(derived={"zero": "-a/b"})
        >>> result = lmoo.fit("a + b*t", t, [1.1, 2.9, 5.2, 6.8, 9.1], solver=solver)
        >>> print(result["b"], "and", result["zero"])
        1.990 +- 0.060 and -0.523 +- 0.087
        """
        from lmoo.results.parametertable import value_of

        return value_of(self, name)

    @property
    def params(self) -> ParameterTable:
        """The parameters as a tuple of rows with name, value, stderr, lower, upper, fixed, tie."""
        from lmoo.results.parametertable import table

        return table(self)

    @property
    def quantities(self) -> dict[str, Value]:
        """Values and standard errors of the parameters with their units, by name.

        Those of a parameter without a unit are numbers.

        Examples
        --------
        >>> import lmoo
        >>> result = lmoo.fit("a + b*t", [0.0, 1.0, 2.0], [1.0, 3.0, 5.1])
        >>> print(result.quantities["b"])
        2.050 +- 0.029
        """
        from lmoo.results.parametertable import quantities_of

        return quantities_of(self)

    @property
    def derived(self) -> dict[str, Value]:
        """Values and standard errors of the derived quantities, by name."""
        from lmoo.results.parametertable import derived_of

        return dict(derived_of(self))

    # ---- joint fits -------------------------------------------------------------------------

    def part(self, k: int) -> PartResult:
        """Return the result of one problem of a `JointProblem`.

        Parameters
        ----------
        k : int
            Number of the problem; negative numbers count from the last.

        Returns
        -------
        PartResult
            Values, residual and cost are those of the problem, errors and degrees of freedom those
            of the joint fit.  It has `predict`, `plot` and `report`; profiles are those of the
            joint result.

        Raises
        ------
        TypeError
            The problem is no `JointProblem`.
        ValueError
            There is no such problem; the result has no problem.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> line = lambda t, slope, offset: slope * t + offset
        >>> t = np.arange(4.0)
        >>> parts = [lmoo.CurveProblem(line, t, y) for y in ([0, 1.1, 2, 3], [5, 6, 7.1, 8])]
        >>> problem = lmoo.JointProblem(parts, shared=["slope"])
        >>> result = lmoo.Solver().solve(problem, {"slope": 0, "offset": 0})
        >>> result.part(1).parameter_names, result.part(1).predict([10.0]).round(3)
        (('slope', 'offset'), array([15.025]))
        """
        from lmoo.results.parts import part

        return part(PartResult, self, k)

    def covariance_of(
        self, which: Sequence[int | str], scaled: bool | None = None
    ) -> NDArray[np.float64]:
        """Return the covariance of some parameters.

        Parameters
        ----------
        which : sequence of int or str
            Indices or names of parameters.
        scaled : bool, optional
            As for `covariance`.

        Returns
        -------
        (k, k) float64 array
            In the order of `which`.  For a `JointProblem` it takes no matrix of all parameters.

        Raises
        ------
        ValueError
            There is no such parameter.

        Examples
        --------
        >>> import lmoo
        >>> from lmoo.datasets import nist
        >>> data = nist("DanWood")
        >>> result = lmoo.Solver().solve(data, data.starts[1])
        >>> bool(result.covariance_of(["b2"])[0, 0] == result.covariance()[1, 1])
        True
        """
        from lmoo.results import statistics

        return statistics.covariance_of(self, which, scaled)


@dataclass(frozen=True, eq=False, init=False, repr=False)
class PartResult(Result):
    """The result of one problem of a joint fit, from `Result.part` or ``fits[i]``.

    Values, residual, cost and ``fnorm`` are those of the problem; degrees of freedom, the standard
    deviation of the residual and all errors are those of the joint fit.  It has ``predict``,
    ``plot`` and ``report``.  Profiles, leverages, AIC and BIC are those of the joint fit alone.
    """

    is_part = True

    @property
    def degrees_of_freedom(self) -> int:
        """Degrees of freedom of the joint fit."""
        return 0 if self.factor is None else self._joint.degrees

    @property
    def residual_deviation(self) -> float:
        """Standard deviation of the residual of the joint fit."""
        return float("nan") if self.factor is None else self._joint.deviation

    @property
    def _joint(self) -> Any:
        """The `PartFactor`."""
        return self.factor

    def confidence_interval(
        self,
        level: float = 0.95,
        method: Literal["linear", "profile"] = "linear",
        scaled: bool | None = None,
    ) -> NDArray[np.float64]:
        """Return linear confidence intervals, (n, 2), as `Result.confidence_interval`."""
        if method == "profile":
            self._refuse("a profile")
        return super().confidence_interval(level, method, scaled)

    def profile(
        self, j: int | str, level: float = 0.99, scaled: bool | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Raise TypeError: the other problems belong to a profile."""
        self._refuse("a profile")

    @property
    def leverage(self) -> NDArray[np.float64]:
        """TypeError: it depends on the other problems."""
        self._refuse("leverage")

    @property
    def standardized_residuals(self) -> NDArray[np.float64]:
        """TypeError: they depend on the other problems."""
        self._refuse("standardized_residuals")

    def nonlinearity(self) -> Nonlinearity:
        """Raise TypeError: it depends on the other problems."""
        self._refuse("nonlinearity")

    def to_dict(self) -> dict[str, Any]:
        """Raise TypeError: a part is stored with the joint fit."""
        self._refuse("to_dict")

    def to_json(self, indent: int | None = None) -> str:
        """Raise TypeError: a part is stored with the joint fit."""
        self._refuse("to_json")

    def _refuse(self, what: str) -> NoReturn:
        raise TypeError(
            f"{what} of one problem of a joint fit depends on the others: ask the joint result"
        )
