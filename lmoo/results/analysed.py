"""A solved problem with its statistics, intervals, profiles and predictions."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo.results.presented import PresentedFit

if TYPE_CHECKING:
    from lmoo.results.curvature import Nonlinearity


# The methods of the dataclass are inherited; generating them again would slow down `import lmoo`.
@dataclass(frozen=True, eq=False, init=False, repr=False)
class AnalysedFit(PresentedFit):
    """A `Fit` with the methods of `lmoo.Result` that analyse it."""

    # ---- statistics -------------------------------------------------------------------------

    @property
    def r_squared(self) -> float:
        """Coefficient of determination: 1 - S / S0, where S0 is that of the best constant.

        Both sums of squares have the weights of the fit.  nan with a loss, and if all values of y
        are equal; TypeError if the problem does not define its curve, see `lmoo.curve.Curve`.
        """
        from lmoo.results import statistics

        return statistics.r_squared(self)

    @property
    def aic(self) -> float:
        """Akaike's criterion, ``m log(2 cost / m) + 2 k`` for k parameters that are not fixed.

        It is defined as in lmfit: constants that are equal for all models of the same data are
        left out, and the variance is not counted as a parameter.  nan with a loss, which is no
        likelihood.
        """
        from lmoo.results import statistics

        return statistics.aic(self)

    @property
    def bic(self) -> float:
        """Schwarz's criterion, ``m log(2 cost / m) + k log(m)``; see `aic`."""
        from lmoo.results import statistics

        return statistics.bic(self)

    def jacobian(self) -> NDArray[np.float64]:
        """Return the Jacobian at x, (m, n), evaluated by the solver's strategy at the first call.

        If the strategy uses differences, central differences within the bounds are taken.  Columns
        of fixed parameters are 0.  Ties are left out: the columns are derivatives by each parameter
        with all others fixed.

        Raises
        ------
        TypeError
            The problem is a `RowBlockProblem`, whose rows are never in memory together.
        ValueError
            The result has no problem.
        """
        from lmoo.results.linearization import jacobian_of

        return jacobian_of(self).copy()

    @property
    def leverage(self) -> NDArray[np.float64]:
        """Diagonal of the hat matrix ``J inv(J.T J) J.T``, (m,).

        It is the derivative of a point's fitted value by its measured one, between 0 and 1.  The
        sum is `rank`.  Raises as `jacobian`.
        """
        from lmoo.results import statistics

        return statistics.leverage(self)

    @property
    def standardized_residuals(self) -> NDArray[np.float64]:
        """``residual / (s sqrt(1 - leverage))``, (m,), of variance 1 if the model is right.

        nan for points of leverage 1, and for all points if m = n.  Raises as `jacobian`.
        """
        from lmoo.results import statistics

        return statistics.standardized_residuals(self)

    def confidence_interval(
        self,
        level: float = 0.95,
        method: Literal["linear", "profile"] = "linear",
        scaled: bool | None = None,
    ) -> NDArray[np.float64]:
        """Return the confidence intervals of the parameters.

        Parameters
        ----------
        level : float, default 0.95
            Probability that an interval contains its parameter.
        method : {"linear", "profile"}
            "linear": x -/+ t times the standard error, with Student's t for m - n degrees of
            freedom.  "profile": the values at which the sum of squares, minimised over all other
            parameters, has grown by t^2 s^2 (Bates and Watts 1988, section 6.1; Venzon and
            Moolgavkar 1988).  Each end takes a few fits.  Profile intervals are accurate for
            nonlinear models too.
        scaled : bool, optional
            True: the variance is estimated from the residual.  False: residuals were divided by
            their known standard deviations, and t is the quantile of the normal distribution.
            None: False if ``absolute_sigma`` is true, else True.

        Returns
        -------
        (n, 2) float64 array
            Lower and upper ends.  A profile interval ends at a bound if it reaches one.  It is
            open (-inf or inf) on a side where the sum of squares does not grow enough or the model
            has no values.  Linear intervals ignore bounds; for parameters that are fixed or at an
            active bound they have length 0.

        Raises
        ------
        ValueError
            `level` or `method` is invalid; a profile of a result without its problem.

        Warns
        -----
        BetterMinimumWarning
            A profile has found a lower sum of squares than that of this result.

        Examples
        --------
        >>> import lmoo
        >>> from lmoo.datasets import nist
        >>> data = nist("DanWood")
        >>> result = lmoo.Solver().solve(data, data.starts[1])
        >>> result.confidence_interval().round(4)
        array([[0.7181, 0.8196],
               [3.7168, 4.004 ]])
        >>> result.confidence_interval(method="profile").round(4)
        array([[0.7196, 0.8208],
               [3.7181, 4.0042]])
        """
        from lmoo.results import statistics

        level = statistics.probability("level", level)
        if method == "linear":
            return statistics.linear_interval(self, level, scaled)
        if method != "profile":
            raise ValueError(f"method must be 'linear' or 'profile'; it is {method!r}")
        from lmoo.results.profile import intervals

        return intervals(self, level, scaled)

    def interval(
        self,
        name: str,
        level: float = 0.95,
        method: Literal["linear", "profile"] = "linear",
        scaled: bool | None = None,
    ) -> tuple[float, float]:
        """Return the confidence interval of a parameter or of a derived quantity.

        Parameters
        ----------
        name : str
        level, method, scaled
            As for `confidence_interval`.

        Returns
        -------
        lower, upper : float

        Raises
        ------
        ValueError
            The name is not known; otherwise as for `confidence_interval`.

        Examples
        --------
        >>> import lmoo
        >>> from lmoo.datasets import nist
        >>> data = nist("DanWood")
        >>> result = lmoo.Solver(derived={"double": "2*b2"}).solve(data, data.starts[1])
        >>> [round(end, 4) for end in result.interval("double", method="profile")]
        [7.4361, 8.0084]
        """
        from lmoo.results.parametertable import interval_of

        return interval_of(self, name, level, method, scaled)

    def profile(
        self, j: int | str, level: float = 0.99, scaled: bool | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the profile t of a parameter, which is a straight line for a linear model.

        Parameters
        ----------
        j : int or str
            Index or name of the parameter, or name of a derived quantity.
        level : float, default 0.99
            The profile extends to the quantile of tau for this level.
        scaled : bool, optional
            As for `confidence_interval`.

        Returns
        -------
        values : (k,) float64 array
            Values of the parameter, ascending; they include its value in x.
        tau : (k,) float64 array
            ``sign(value - x_j) sqrt((S(value) - S(x)) / s^2)``, where S(value) is the least sum of
            squares with the parameter at this value.

        Raises
        ------
        ValueError
            There is no such parameter, the parameter is fixed, or m <= n.

        Examples
        --------
        >>> import lmoo
        >>> from lmoo.datasets import nist
        >>> data = nist("DanWood")
        >>> values, tau = lmoo.Solver().solve(data, data.starts[1]).profile("b2")
        >>> values.shape == tau.shape, bool((tau[1:] > tau[:-1]).all())
        (True, True)
        """
        from lmoo.results import statistics
        from lmoo.results.profile import trace

        level = statistics.probability("level", level)
        found = trace(self, statistics.quantity(self, j), level, scaled)
        return found.values, found.tau

    def predict(
        self,
        t: Any = None,
        interval: Literal["confidence", "prediction"] | None = None,
        level: float = 0.95,
        sigma: ArrayLike | None = None,
        scaled: bool | None = None,
    ) -> Any:
        """Return the model's values at t, and confidence or prediction intervals.

        Parameters
        ----------
        t : array_like, optional
            The independent variable, converted like the data: numbers, lists and arrays of real
            numbers become float64 arrays, quantities those in the unit of the data, and of a table
            with the names of `lmoo.fit` the columns are taken.  None: that of the data.
        interval : {None, "confidence", "prediction"}
            "confidence": an interval for the value of the model; "prediction": for a new
            observation, including its error.  Both are linear and pointwise.
        level : float, default 0.95
        sigma : float or (k,) array_like, optional
            Standard deviations of the new observations, in the units of the sigma of the data.
            None: those of the data, which must be equal for all points if t is new.  The problem
            must define them, see `lmoo.curve.Curve`.
        scaled : bool, optional
            As for `confidence_interval`.

        Returns
        -------
        y : (k,) float64 array
            Complex for a complex curve.  For a tuple of grids, or an array of shape (2, ny, nx),
            it has the shape of the grid.
        lower, upper : (k,) float64 arrays
            Only with an interval.  Infinite if the data do not determine the value.  For a complex
            curve their real parts are the limits of the real part, and likewise the imaginary ones.

        Raises
        ------
        TypeError
            The problem has no model ``f(t, ...)``.
        ValueError
            ``interval`` or `level` is invalid; `sigma` is needed.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> t = np.arange(6.0)
        >>> y = [1.0, 2.9, 5.2, 6.9, 9.1, 11.0]
        >>> problem = lmoo.CurveProblem(lambda t, a, b: a + b * t, t, y)
        >>> result = lmoo.Solver().solve(problem, [0.0, 0.0])
        >>> y, lower, upper = result.predict([10.0], interval="prediction")
        >>> y.round(3), lower.round(3), upper.round(3)
        (array([21.081]), array([20.329]), array([21.833]))
        """
        from lmoo.results import statistics

        return statistics.predict(self, t, interval, level, sigma, scaled)

    def components(self, t: Any = None) -> dict[str, NDArray[np.float64]]:
        """Return the curve of each part of a model that is a sum of models.

        Parameters
        ----------
        t : array_like, optional
            The independent variable, as for `predict`.  None: that of the data.

        Returns
        -------
        dict of str to (k,) float64 array
            The terms of the sum by their names (a prefix, or the text of the term), in their order;
            they add up to ``predict(t)``.  A model that is no sum is its own part.

        Raises
        ------
        TypeError
            The model is a function, which does not know its parts, or the problem has no model.
        ValueError
            The result has no problem.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> model = lmoo.models.Lorentzian(prefix="peak_") + lmoo.models.Linear(prefix="base_")
        >>> t = np.linspace(-3, 3, 31)
        >>> y = 2 / (1 + t**2) + 0.1 * t + 1
        >>> result = lmoo.fit(model, t, y)
        >>> parts = result.components([0.0, 1.0])
        >>> list(parts), bool(np.allclose(sum(parts.values()), result.predict([0.0, 1.0])))
        (['peak', 'base'], True)
        """
        from lmoo.results.components import components

        return components(self, t)

    def nonlinearity(self) -> Nonlinearity:
        """Return the curvatures that show whether linear standard errors are reliable.

        Returns
        -------
        Nonlinearity
            Root mean square relative curvatures, intrinsic and of the parameters, times sqrt(F) for
            95 % (Bates and Watts 1980).  It prints as a sentence.  nan without degrees of freedom,
            with undetermined parameters, and for a fit that has not converged.

        Raises
        ------
        TypeError, ValueError
            As `jacobian`.

        Examples
        --------
        >>> import lmoo
        >>> from lmoo.datasets import nist
        >>> data = nist("Rat43")
        >>> print(lmoo.Solver().solve(data, data.starts[1]).nonlinearity())
        Linear errors may mislead: curvature 0.27 of the model, 4.1 of its parameters (0.3 is much).
        """
        from lmoo.results.curvature import nonlinearity

        return nonlinearity(self)
