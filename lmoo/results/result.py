"""What a solve returns."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo.results.fit import Fit

if TYPE_CHECKING:
    from lmoo.results.curvature import Nonlinearity

__all__ = ["Result"]


# What is inherited is not made again: `import lmoo` would take longer.
@dataclass(frozen=True, eq=False, init=False, repr=False)
class Result(Fit):
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
        What was solved; None for a result that was read from a file, or pickled with a problem that
        cannot be.
    solver : Solver
        What it was solved with; None likewise.
    lower, upper : (n,) float64 array
        Bounds that x was kept within; -inf and inf where there are none.
    fixed : (n,) bool array
        Parameters that were held at their start.
    active_mask : (n,) int8 array
        -1 for a parameter that the gradient holds at its lower bound, 1 at its upper one, else 0.
    seconds : float
        How long the solve took; nan for one that was iterated.
    history : History or None
        The iterations as arrays, where ``Solver.solve(..., history=True)`` was asked for them.
    evaluation : str
        How the model was evaluated: "compiled from <function>" for a function that was traced (see
        `lmoo.trace`); "called, because <reason>" for one that was not; "called" and "compiled" for
        problems that are no curve's.  Counts are those of what was done: ``nfev`` and ``njev``
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

    # ---- statistics -------------------------------------------------------------------------

    @property
    def r_squared(self) -> float:
        """Coefficient of determination, 1 less the sum of squares over that of the best constant.

        With the weights of the fit.  nan where all of y are equal; TypeError where the problem
        does not say what curve it fits, see `lmoo.curve.Curve`.
        """
        from lmoo.results import statistics

        return statistics.r_squared(self)

    @property
    def aic(self) -> float:
        """Akaike's criterion, ``m log(2 cost / m) + 2 k`` for k parameters that are not fixed.

        As in lmfit: constants that are the same for all models of the same data are left out, and
        the variance is not counted as a parameter.
        """
        from lmoo.results import statistics

        return statistics.aic(self)

    @property
    def bic(self) -> float:
        """Schwarz's criterion, ``m log(2 cost / m) + k log(m)``; otherwise as `aic`."""
        from lmoo.results import statistics

        return statistics.bic(self)

    def jacobian(self) -> NDArray[np.float64]:
        """Return the Jacobian at x, (m, n), evaluated anew by the solver's strategy, and kept.

        Strategies that take differences are represented by central ones, within the bounds; columns
        of fixed parameters are 0.

        Raises
        ------
        TypeError
            For a `RowBlockProblem`, whose rows nobody holds.
        ValueError
            The result has no problem.
        """
        from lmoo.results.linearization import jacobian_of

        return jacobian_of(self).copy()

    @property
    def leverage(self) -> NDArray[np.float64]:
        """Diagonal of the hat matrix ``J inv(J.T J) J.T``, (m,): how far a point fits itself.

        Between 0 and 1, with the sum `rank`.  Raises as `jacobian`.
        """
        from lmoo.results import statistics

        return statistics.leverage(self)

    @property
    def standardized_residuals(self) -> NDArray[np.float64]:
        """``residual / (s sqrt(1 - leverage))``, (m,), of variance 1 where the model is right.

        nan where the leverage is 1, and for all where m = n.  Raises as `jacobian`.
        """
        from lmoo.results import statistics

        return statistics.standardized_residuals(self)

    def confidence_interval(
        self, level: float = 0.95, method: str = "linear", scaled: bool = True
    ) -> NDArray[np.float64]:
        """Return the confidence intervals of the parameters.

        Parameters
        ----------
        level : float, default 0.95
            Probability that an interval holds its parameter.
        method : {"linear", "profile"}
            "linear": x -+ t times the standard error, with Student's t for m - n degrees of
            freedom.  "profile": where the sum of squares, minimised over all other parameters, has
            grown by t^2 s^2 (Bates and Watts 1988, section 6.1; Venzon and Moolgavkar 1988).  It
            takes a few fits for each end, and is right where the model is not linear too.
        scaled : bool, default True
            The variance is estimated from the residual; False: residuals were divided by their
            known deviations, and t is that of the normal distribution.

        Returns
        -------
        (n, 2) float64 array
            Lower and upper ends.  Profile intervals end at a bound that is met first, and are
            open (-inf, inf) on a side where the sum of squares never grows by that much, or the
            model ends before.  Linear ones know of no bounds; they are the value itself for
            parameters that are held.

        Raises
        ------
        ValueError
            `level` or `method` is none; a profile of a result without its problem.

        Warns
        -----
        BetterMinimumWarning
            A profile has found a lower sum of squares than this result has.

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

    def profile(
        self, j: int | str, level: float = 0.99, scaled: bool = True
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the profile t of a parameter: a straight line where the model is linear.

        Parameters
        ----------
        j : int or str
            Position or name of the parameter.
        level : float, default 0.99
            How far to go: until tau passes the quantile that belongs to this level.
        scaled : bool, default True
            As for `confidence_interval`.

        Returns
        -------
        values : (k,) float64 array
            Values of the parameter, ascending; that of x is among them.
        tau : (k,) float64 array
            ``sign(value - x_j) sqrt((S(value) - S(x)) / s^2)``, where S(value) is the least sum of
            squares with the parameter at this value.

        Raises
        ------
        ValueError
            There is no such parameter, it is fixed, or there are no more observations than
            parameters.

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
        found = trace(self, statistics.position(self, j), level, scaled)
        return found.values, found.tau

    def predict(
        self,
        t: Any = None,
        interval: str | None = None,
        level: float = 0.95,
        sigma: ArrayLike | None = None,
        scaled: bool = True,
    ) -> Any:
        """Return the model's values at t, and how well they are known.

        Parameters
        ----------
        t : array_like, optional
            What the model takes, converted as data are: numbers, lists and arrays of real numbers
            become float64 arrays.  None: that of the data.
        interval : {None, "confidence", "prediction"}
            "confidence": of the model's value; "prediction": of a new observation, whose own
            scatter comes on top.  Both from linear theory, point by point.
        level : float, default 0.95
        sigma : float or (k,) array_like, optional
            Standard deviations of the new observations, in the units of the sigma that was given
            for the data.  None: as the data, which must have one for all where t is new, and a
            problem that says so: see `lmoo.curve.Curve`.
        scaled : bool, default True
            As for `confidence_interval`.

        Returns
        -------
        y : (k,) float64 array
        lower, upper : (k,) float64 arrays
            Only with an interval.  Infinite where the data do not determine the value.

        Raises
        ------
        TypeError
            The problem has no model ``f(t, ...)``.
        ValueError
            `interval` or `level` is none; `sigma` is needed.

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

    def nonlinearity(self) -> "Nonlinearity":
        """Return the curvatures that tell whether linear errors can be trusted.

        Returns
        -------
        Nonlinearity
            Root mean square relative curvatures, intrinsic and of the parameters, times sqrt(F) for
            95 % (Bates and Watts 1980); prints as a sentence.  nan where there is nothing to judge
            by: no degree of freedom, parameters that are not determined.

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

    # ---- reports, storage -------------------------------------------------------------------

    def report(self, nonlinearity: bool = False) -> str:
        """Return the report that ``str(result)`` is.

        Parameters
        ----------
        nonlinearity : bool, default False
            With a sentence on whether linear errors can be trusted, see `nonlinearity`.
        """
        from lmoo.results.report import text

        lines = [text(self)]
        if nonlinearity:
            lines.append(f"  {self.nonlinearity()}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.report()

    def _repr_html_(self) -> str:
        from lmoo.results.html import html

        return html(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a dict of numbers, strings, lists and dicts.

        Fields and statistics by their names, standard errors, covariance, correlation and 95 %
        intervals among them; not the problem, the solver and the history.

        Examples
        --------
        >>> import lmoo
        >>> result = lmoo.Solver().solve(lmoo.FunctionProblem(lambda x: x - 3.0), [1.0])
        >>> stored = result.to_dict()
        >>> stored["x"], stored["standard_errors"]
        ([3.0], [inf])
        >>> lmoo.Result.from_dict(stored).x
        array([3.])
        """
        from lmoo.results.storage import to_dict

        return to_dict(self)

    def to_json(self, indent: int | None = None) -> str:
        """Return `to_dict` as JSON.

        Numbers that JSON does not know are the strings "inf", "-inf" and "nan", which ``float``
        reads in Python and ``Number`` does not in JavaScript; every parser reads the whole.
        """
        from lmoo.results.storage import to_json

        return to_json(self, indent)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Result":
        """Return the result that `to_dict` returned, or ``json.loads`` of what `to_json` did.

        It has no problem and no solver: what needs these, profiles, predictions and the Jacobian,
        says so.

        Raises
        ------
        ValueError
            `stored` is no such thing: parts are missing, of another type or shape, or the status
            is none.
        """
        from lmoo.results.storage import from_dict

        return from_dict(cls, stored)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: always, so that a problem that cannot be is left out."""
        from lmoo.results.storage import frozen

        # Not what can be made again.
        kept = {part.name: getattr(self, part.name) for part in fields(self)}
        return {**kept, **{name: frozen(kept[name]) for name in ("problem", "solver")}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        from lmoo.results.storage import check, thawed

        missing = {part.name for part in fields(self)}.difference(state)
        if missing:
            raise ValueError(
                f"the stored result has no {', '.join(sorted(missing))}: it is incomplete, or of "
                "another version of lmoo"
            )
        vars(self).update(state)
        vars(self).update({name: thawed(state[name]) for name in ("problem", "solver")})
        try:
            check(self)
        except (TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"the stored result is damaged: {error}") from error

    def __copy__(self) -> "Result":
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> "Result":
        # The problem is what was solved, and no part of what came out.
        shared = {id(part): part for part in (self.problem, self.solver)}
        twin = object.__new__(type(self))
        vars(twin).update(copy.deepcopy(vars(self), {**memo, **shared}))
        return twin

    # ---- pictures ---------------------------------------------------------------------------

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw data, fit and bands, with the residuals below; see `lmoo.plotting.plot`."""
        from lmoo.results import plotting

        return plotting.plot(self, ax, **options)

    def plot_profile(self, j: int | str, ax: Any = None, **options: Any) -> Any:
        """Draw the profile of a parameter; see `lmoo.plotting.plot_profile`."""
        from lmoo.results import plotting

        return plotting.plot_profile(self, j, ax, **options)

    def plot_contour(self, i: int | str, j: int | str, ax: Any = None, **options: Any) -> Any:
        """Draw the joint regions of two parameters; see `lmoo.plotting.plot_contour`."""
        from lmoo.results import plotting

        return plotting.plot_contour(self, i, j, ax, **options)

    def plot_convergence(self, ax: Any = None, **options: Any) -> Any:
        """Draw how the solve converged; see `lmoo.plotting.plot_convergence`."""
        from lmoo.results import plotting

        return plotting.plot_convergence(self, ax, **options)
