"""`CurveProblem`: a model y = f(t) and the data of one curve, as a problem."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.arrays import Array
from lmoo._core.masks import refuse_masked
from lmoo._core.solve import CurveResidual, Residual, finite_curve, is_single
from lmoo.errors import EvaluationError
from lmoo.problems.arguments import check_callable, checked_trace
from lmoo.problems.axes import Axes
from lmoo.problems.complexdata import ComplexParts, complex_curve, is_complex
from lmoo.problems.curve import UNKNOWN, Curve
from lmoo.problems.data import checked_policy, curve_data
from lmoo.problems.kinds import hide_jacobian, is_paired, reason_to_call
from lmoo.problems.measured import measured
from lmoo.problems.names import parameter_names_of, printable
from lmoo.problems.problem import Problem
from lmoo.problems.sigma import checked_absolute_sigma, checked_sigma, whitened, whitening
from lmoo.problems.typed import Bounds, Constraints, Expressions, Fixed, NanPolicy, Priors, Trace

_RETURN = "return a number for each point, or leave points out of the data, t and y, by a mask"


class CurveProblem(Problem):
    """Fit ``y = f(t, *parameters)`` to one curve.

    Minimises ``1/2 sum(((f(t, *parameters) - y) / sigma)**2)``, or with a covariance matrix
    ``sigma = L @ L.T`` the sum of squares of ``inv(L) @ (f(t, *parameters) - y)``.

    Parameters
    ----------
    f : callable
        ``f(t, *parameters)`` returns the model's value at each of m points.
    t : object
        The independent variable, of any type that f takes: an (m,) or (k, m) array, a tuple of
        arrays, a table.  Lists and arrays of real numbers are converted to float64 arrays.
        Quantities of astropy and pint are passed to f without their units.
    y : (m,) array_like
        The dependent variable: an array, a series of pandas (with the index of t, if that has
        one), an xarray.DataArray or a quantity.  If it is complex, f returns complex (or real)
        numbers, and the residuals are the m real parts followed by the m imaginary ones.
        An image, (ny, nx), with t of shape (2, ny, nx), or a tuple of two such grids, is fitted as
        one row of points, in C order.
    sigma : float, (m,) array_like or (m, m) array_like, optional
        Positive standard deviations of y, or its covariance matrix.  Points that are masked
        (``numpy.ma``, or missing in nullable columns of pandas) in t, y, sigma or sigma_x, or on
        the diagonal of the matrix, are left out.  Quantities are converted to the unit of y.  For
        complex y a real sigma is the standard deviation of each of both parts; the real part of a
        complex one is that of the real part, its imaginary part that of the imaginary part; a
        matrix, (2 m, 2 m), is the covariance of the real parts followed by the imaginary ones.
    jac : callable, optional
        ``jac(t, *parameters)`` returns the derivatives of f by its parameters, (m, n), or (m,) for
        a single parameter.  None: differences.
    parameter_names : sequence of str, optional
        None: the attribute ``parameter_names`` of f, or the names in its signature, including
        arguments with a default.
    bounds, fixed : optional
        See `lmoo.bounds.limits`; they are checked when the problem is solved.
    ties, priors, derived, constraints : optional
        Relations of the parameters, as for `Solver`; they are checked when the problem is solved.
    nan_policy : {"raise", "omit"}
        What to do with NaN in t, y, sigma or sigma_x, and infinite y: raise ValueError, or leave
        these points out.
    trace : {"auto", True, False}
        Whether f is traced (see `lmoo.trace`) and runs compiled, with exact derivatives.  "auto":
        where that is possible; f is called at the start and at the solution, to check the values
        and for the residual.  True: it must be possible.  False: f itself is called throughout.
    linear_parameters : sequence of str or int, optional
        Names or positions of parameters that f is linear in, jointly, see ``separable`` of
        `Solver`.  None: those of a model that is traced are found.
    sigma_x : float, array_like or tuple, optional
        Standard deviations of t, which is in error as y is: a number or (m,) for one variable; a
        tuple of these, one for each variable, or (k, m), for several; 0 for what is exact.  Or the
        covariances of the variables of each point, (m, k, k); or those of the variables and y, with
        y last, (m, k + 1, k + 1), without `sigma`.  The sum of squares then has those of
        the errors of t, and what is fitted are distances from the curve: see "Errors in x" in the
        documentation.
    absolute_sigma : bool, optional
        Whether sigma is known as it is: errors of the result are then not scaled by the residual,
        see ``absolute_sigma`` of `Result`.  None, False: only its relative size counts.  True
        without sigma assumes errors of 1, and warns.

    Attributes
    ----------
    f, jac, bounds, fixed, trace, ties, priors, derived, constraints, sigma_x, absolute_sigma
        As given; for complex y f and jac are functions of the parts, whose attribute ``f`` is what
        was given.
    t : object
    y : (m,) float64 array
        For complex y its parts, (2 m,).
    labels, t_units, y_unit, units
        Names and units of the data, as for `Problem`.  Set from series, labelled arrays and
        quantities; labels can be set.
    sigma : None, (m,) or (m, m) float64 array
        Read-only array.  The attribute can be set; the new value is checked.
    parameter_names : tuple of str or None

    Raises
    ------
    TypeError
        `f` or `jac` is not callable; `y`, `sigma` or a list in `t` has an entry that is not a real
        number.
    ValueError
        `y` is not 1-D, is empty or is not finite; `sigma` has another shape, is not positive or is
        not a covariance matrix; NaN in `t`; an unknown `nan_policy`.  During the solve: f returns
        an array whose shape is not that of y.

    TraceError
        When the problem is solved: `trace` is True, and f cannot be traced.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> def decay(t, amplitude, rate):
    ...     return amplitude * np.exp(-rate * t)
    >>> t = np.linspace(0, 4, 9)
    >>> problem = lmoo.CurveProblem(decay, t, decay(t, 3, 0.5), sigma=0.1)
    >>> result = lmoo.Solver().solve(problem, [1, 1])
    >>> dict(zip(result.parameter_names, result.x.round(6).tolist()))
    {'amplitude': 3.0, 'rate': 0.5}
    """

    def __init__(
        self,
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
        trace: Trace = "auto",
        ties: Expressions | None = None,
        priors: Priors | None = None,
        derived: Expressions | None = None,
        constraints: Constraints | None = None,
        linear_parameters: Sequence[str | int] | None = None,
        sigma_x: Any = None,
        absolute_sigma: bool | None = None,
    ) -> None:
        check_callable(f, jac)
        self.trace = checked_trace(trace)
        checked_policy(nan_policy)
        known = finite_curve(t, y, sigma) if sigma_x is None else None
        if known is not None:
            self._set(f, jac, t, *known)
        else:
            self._set_measured(f, jac, nan_policy, *measured(t, y, sigma, sigma_x))
        # sigma_x may have the errors of y.
        self.absolute_sigma = checked_absolute_sigma(absolute_sigma, self._sigma)
        self.parameter_names = (
            parameter_names_of(f)
            if parameter_names is None
            else printable(map(str, parameter_names))
        )
        self.bounds, self.fixed = bounds, fixed
        self._relate(ties, priors, derived, constraints, linear_parameters)

    def _set_measured(
        self,
        f: Any,
        jac: Any,
        nan_policy: str,
        t: Any,
        y: Any,
        sigma: Any,
        sigma_x: Any,
        axes: Axes,
    ) -> None:
        """Set data that are to be converted, that have missing points, or that are wrong."""
        axes.describe(self)
        if is_complex(y):
            if sigma_x is not None:
                raise ValueError("sigma_x is for real curves; y is complex")
            f, jac = ComplexParts(f), None if jac is None else ComplexParts(jac)
            self._set(f, jac, *complex_curve(t, y, sigma, nan_policy))
        elif sigma_x is not None:
            self._set_errors_in_x(f, jac, t, y, sigma, nan_policy, sigma_x)
        else:
            self._set(f, jac, *curve_data(t, y, sigma, nan_policy))

    # The values for problems created by `_of`.
    trace: Any = "auto"
    sigma_x: Any = None
    # Names of t and y in messages.
    called: tuple[str, str] = ("t", "y")
    # An `ErrorsInX`, and what `Solver` asks for.
    errors_in_x: Any = None
    _whitening: Array | None

    def _set_errors_in_x(
        self, f: Any, jac: Any, t: Any, y: Any, sigma: Any, nan_policy: str, sigma_x: Any
    ) -> None:
        """Set the data of a curve with errors in x, which go with points that are left out."""
        from lmoo.problems.errorsinx import data_with_errors

        t, y, sigma, errors = data_with_errors(t, y, sigma, nan_policy, sigma_x)
        self.errors_in_x, self.sigma_x, self.residual_form = errors, sigma_x, "points"
        self._set(f, jac, t, y, sigma)
        if errors.weights is not None:
            # What is known of y where x is known.
            self._whitening = errors.weights

    @classmethod
    def _of(
        cls, f: Callable[..., Any], jac: Any, t: Any, y: Array, sigma: Array | None
    ) -> CurveProblem:
        """Return the problem of data that `curve_data` returned, without names and bounds."""
        problem = cls.__new__(cls)
        problem._set(f, jac, t, y, sigma)
        return problem

    def _set(self, f: Callable[..., Any], jac: Any, t: Any, y: Array, sigma: Array | None) -> None:
        self.f, self.jac, self.t, self.y = f, jac, t, y
        self._set_sigma(sigma)
        if jac is None and type(self).jacobian is CurveProblem.jacobian:
            hide_jacobian(self)

    def _set_sigma(self, sigma: Array | None) -> None:
        self._whitening = whitening(sigma)
        if sigma is not None:
            # A change in place would not change the weights.
            sigma.flags.writeable = False
        self._sigma = sigma

    @property
    def sigma(self) -> Any:
        """Standard deviations or covariance matrix of y; the array is read-only."""
        return self._sigma

    @sigma.setter
    def sigma(self, value: Any) -> None:
        if self.errors_in_x is not None and self.errors_in_x.weights is not None:
            raise ValueError(
                "sigma must be left as it is where sigma_x has the covariances of x and y; make "
                "another problem"
            )
        self._set_sigma(checked_sigma(value, self.y.size))

    def residual(self, x: NDArray[np.float64]) -> Any:
        """Return ``(f(t, *x) - y) / sigma``, or ``inv(L) @ (f(t, *x) - y)``, (m,).

        With ``sigma_x`` too, that is the residual at t as it was measured.
        """
        # x.flat, as unpacking an array takes twice the time.
        return self._weighted(self.f(self.t, *x.flat))

    def _weighted(self, value: Any) -> Any:
        """Return the residual for the values that f returned."""
        value = refuse_masked("f", value, _RETURN)
        try:
            difference = value - self.y
            same = difference.shape == self.y.shape
        except (TypeError, ValueError, AttributeError) as error:
            self._refuse(value, error)
        if not same:
            self._refuse(value, None)
        difference = whitened(difference, self._whitening)
        # The residual keeps the precision of the model, which determines difference intervals.
        return difference.astype(np.float32) if is_single(value) else difference

    def _refuse(self, value: Any, cause: Exception | None) -> NoReturn:
        shape, t = np.shape(value) if isinstance(value, np.ndarray) else None, self.t
        for part in t if isinstance(t, tuple) else (t,):
            points = getattr(part, "shape", ())[0 if hasattr(part, "iloc") else -1 :][:1]
            if points == shape != self.y.shape:
                name, of = self.called
                raise ValueError(
                    f"{name} and {of} must have the same number of points; {name} has {points[0]} "
                    f"and {of} has {self.y.size}, and f returned a number for each point of {name}"
                ) from cause
        expected = f"f must return {self.y.size} real numbers, one for each point"
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise TypeError(f"{expected}; what it returned is not an array: {error}") from error
        if array.dtype.kind not in "biufc":
            raise TypeError(f"{expected}; it returned {value!r}") from cause
        first = self.t[0] if isinstance(self.t, tuple) else self.t
        differ = array.ndim == 1 and array.shape == np.shape(first)
        hint = f": t has {array.size} points, and y {self.y.size}" if differ else ""
        raise ValueError(
            f"{expected}; it returned an array of shape {array.shape}{hint}"
        ) from cause

    def _residual_source(self, n: int) -> Residual | None:
        """Return the residual in the form that the compiled loop calls most directly."""
        if self._overrides_residual():
            return None
        w = self._whitening
        if w is not None and w.ndim > 1:
            return None
        residual = CurveResidual(self.f, (None,) * n, {}, "residual", False, EvaluationError)
        return residual.bind(self.t, self.y, w, self._weighted)

    def jacobian(self, x: NDArray[np.float64]) -> Any:
        """Return the derivatives of `residual`, (m, n), from `jac`."""
        if self.jac is None:
            return super().jacobian(x)
        derivatives = np.asarray(refuse_masked("jac", self.jac(self.t, *x), _RETURN))
        if derivatives.ndim == 1 and x.size == 1:
            derivatives = derivatives[:, None]
        if derivatives.shape != (self.y.size, x.size):
            raise ValueError(
                f"jac must return {x.size} derivatives for each of {self.y.size} points; it "
                f"returned an array of shape {derivatives.shape}"
            )
        return whitened(derivatives, self._whitening)

    def as_curve(self) -> Curve:
        """Return model and data; only the model if a subclass overrides the residual."""
        if self._overrides_residual():
            return Curve(self.f, self.t, sigma=UNKNOWN, jac=self.jac)
        return Curve(self.f, self.t, self.y, self.sigma, self.jac)

    def reason_to_call(self) -> str | None:
        """Return why f must be called; None if a compiled trace may replace it."""
        reason = reason_to_call(self)
        if reason is not None:
            return reason
        y: Any = self.y
        if not isinstance(y, np.ndarray) or y.dtype != np.float64 or not y.flags.c_contiguous:
            return "y has been replaced"
        if self._whitening is not None and self._whitening.ndim > 1:
            return "sigma is a covariance matrix"
        return None

    def _overrides_residual(self) -> bool:
        """Return whether a subclass or the instance has another residual."""
        if type(self).residual is not CurveProblem.residual or "residual" in vars(self):
            return True
        return self._is_paired and is_paired(self)
