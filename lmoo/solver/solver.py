"""`Solver`: options and the methods that solve a problem with them."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.abi1 import CompiledProblem
from lmoo.problems.kinds import is_joint
from lmoo.problems.names import by_name
from lmoo.problems.parameters import relations_of
from lmoo.problems.typed import SupportsResidual
from lmoo.results.fit import Fit
from lmoo.results.result import Result
from lmoo.solver.iteration import Iteration, keep_result
from lmoo.solver.options import SolverOptions
from lmoo.solver.record import Callback
from lmoo.solver.startingpoint import bad_start, known_start
from lmoo.status import Status


# The methods of the dataclass are inherited; generating them again would slow down `import lmoo`.
class Solver(SolverOptions):
    """Levenberg-Marquardt solver that converges to the accuracy that double precision allows.

    A solver is immutable and stores nothing of a solve, so threads may share one.

    Parameters
    ----------
    ftol : float, default 1e-20
        Stop (status 1) if the model predicts that a full Gauss-Newton step reduces the sum of
        squares by at most this, relatively, and the last step reduced it by no more.  The predicted
        reduction is a squared cosine: 1e-20 means a cosine of 1e-10.  A reduction below the errors
        of f and J also ends the solve, whatever ftol is.
    xtol : float, default 1e-10
        Stop (status 2) if the Gauss-Newton steps that remain change no parameter by more than
        this, relative to itself, or change f by at most ``30 xtol |f|`` through this parameter.
        The remaining change is estimated from the rate at which the steps contract.  Errors of
        forward differences may change a parameter by 30 times as much.
    gtol : float, default 0.0
        Stop (status 4) if the cosine of the angle between the residual and each column of the
        Jacobian is at most this.
    maxfev : int, optional
        Stop (status 5) after this number of evaluations of the residual; None: 1000 (n + 1).
    factor : float, default 0.3
        First radius of the trust region relative to ``|D x0|``.  With MINPACK's 100 the first step
        is in effect not limited, and may lead onto a plateau.
    diag : (n,) array_like or mapping, optional
        Positive scale factors D of the parameters, or a mapping of their names to these; None: the
        norms of the Jacobian's columns.
    jacobian : Jacobian, optional
        How derivatives are computed.  None: `Analytic` if the problem defines a ``jacobian``, else
        `ForwardDifference`.
    step : Step, optional
        How lambda and the trust region change.  None: ``More()``, which accelerates steps that make
        slow progress.  ``More(accelerate=False)`` takes More's steps alone.
    linear : type, optional
        A subclass of `LinearModel`, or a function that returns a new one: the linear algebra of the
        solve.  None: a dense QR factorisation, or `SparseCholesky` if the Jacobian is a sparse
        matrix of scipy.
    bounds : optional
        Bounds of the parameters; the problem is never evaluated outside.  A pair (lower, upper) of
        numbers or of one number per parameter; an object with ``lb`` and ``ub``; a mapping from
        names or positions of parameters to pairs of numbers; or a data frame with a row for each
        parameter and the columns lower and upper, or min and max.  None and infinities in these
        mean no bound; equal bounds fix a parameter.  None: the ``bounds`` of the problem.
    fixed : optional
        Fixed parameters: a sequence of names or positions, or a mapping from them to values.  None:
        the ``fixed`` of the problem.
    time_limit : float, optional
        Stop (status -3) after the first iteration that ends later than this, in seconds.  The time
        between two steps of an `Iteration` does not count, and an evaluation is not interrupted.
        None: no limit.
    loss : str, Loss or callable, default "linear"
        Function of the residuals whose sum is minimised: squares for "linear"; "huber", "soft_l1",
        "cauchy", "arctan" and "tukey" reduce the weight of large residuals, see `lmoo.losses`; or a
        function ``loss(z)``.
    f_scale : float or "mad", default 1.0
        The scale C of the loss: about the largest residual of a good point.  "mad" estimates it
        while the problem is solved, from the median of the residuals' magnitudes.
    ties : mapping, optional
        Parameters that follow from others, by name: ``{"b": "2*a"}``.  See "Relate parameters to
        each other" in the documentation, also for the next three.  None: those of the problem.
    priors : mapping, optional
        What is known before the fit of parameters and derived quantities, by name:
        ``{"tau": (3.1, 0.2)}``, mean and standard deviation.
    derived : mapping, optional
        Further quantities of which the result has values and errors: ``{"area": "a*b"}``.
    constraints : str, sequence or pair, optional
        Linear inequalities and equations: ``["a <= b", "a + b == 1"]``, or ``(A, b)`` for
        ``A x <= b``.
    separable : {False, True, "auto"}, default False
        Whether parameters that the residual is linear in are eliminated (variable projection): the
        iteration is over the others alone, with the best values of the linear ones at each point,
        so these need no starting values, and x0 may have any number for them.  They are those of a
        model that is data (built in, an `Expression`, or traced), or the problem's
        ``linear_parameters``.  A linear parameter that is fixed or has bounds is treated like the
        others.  True raises ValueError where this is not possible: none is known to be linear; with
        a loss, as these are found by least squares; with a ``linear`` model; with a ``jacobian``
        other than `Analytic` or differences without typical sizes.  "auto": there, and where a
        traced model has so many points that its Jacobian is not stored (about 10^5), all parameters
        are solved for.

    Raises
    ------
    TypeError
        An option of the wrong type.
    ValueError
        A tolerance that is negative or NaN; a `factor`, a ``time_limit``, a ``f_scale`` or an entry
        of `diag` that is not positive; a `maxfev` below 1; a loss that does not exist, or a
        function that is not a loss; a ``separable`` that is none of the three.

    See Also
    --------
    leastsq : The same iteration with MINPACK's tests, defaults and counts.

    References
    ----------
    More' (1978), "The Levenberg-Marquardt algorithm: implementation and theory", Lecture Notes
    in Mathematics 630.

    Golub, Pereyra (1973), "The differentiation of pseudo-inverses and nonlinear least squares
    problems whose variables separate", SIAM J. Numer. Anal. 10, 413; Kaufman (1975), "A variable
    projection method for solving separable nonlinear least squares problems", BIT 15, 49; O'Leary,
    Rust (2013), "Variable projection for nonlinear least squares problems", Comput. Optim. Appl.
    54, 579.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> rosenbrock = lmoo.FunctionProblem(
    ...     lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]))
    >>> result = lmoo.Solver().solve(rosenbrock, [-1.2, 1.0])
    >>> result.x.round(9), result.success
    (array([1., 1.]), True)
    """

    def solve(
        self,
        problem: SupportsResidual | CompiledProblem,
        x0: ArrayLike | Mapping[str, ArrayLike],
        callback: Callback | None = None,
        history: bool = False,
    ) -> Result:
        """Minimise the problem's sum of squares from x0.

        Parameters
        ----------
        problem : Problem, CompiledProblem or RowBlockProblem
            Or another object with a method ``residual(x)``, and optionally ``jacobian(x)``.
        x0 : (n,) array_like or mapping
            The starting point, real and finite; copied and converted to float64.  A mapping has
            values by name.  Values of tied parameters are not used, and may be left out of it.
        callback : callable, optional
            It is called as ``callback(record)`` after each iteration, with an `IterationRecord`.
            A true return value, or StopIteration, ends the solve with `Status.STOPPED`.
        history : bool, default False
            Store the records of all iterations as ``result.history``.

        Returns
        -------
        Result
            The result, also if no minimum was found: see `Result.success`.

        Raises
        ------
        EvaluationError
            The residual or the Jacobian cannot be evaluated at x0, or is not finite there.
        TypeError, ValueError
            x0, the residual or the Jacobian has the wrong type, shape or value; m < n.

        Notes
        -----
        Exceptions of the problem and of the callback, and KeyboardInterrupt, are passed on.  Their
        attribute ``lmoo_result`` is the `Result` with the best point so far, with
        `Status.UNFINISHED` and the history, if requested.  It has no problem and no solver, so that
        a stored exception does not keep these alive; ``dataclasses.replace`` can add both.  If
        nothing was evaluated, its ``observations`` is 0.

        Examples
        --------
        >>> import lmoo
        >>> problem = lmoo.FunctionProblem(lambda x: x**2 - 9.0)
        >>> watch = lambda step: step.cost < 1.0
        >>> result = lmoo.Solver().solve(problem, [10.0], callback=watch)
        >>> result.status, result.cost < 1.0
        (<Status.STOPPED: -3>, True)
        """
        start = time.perf_counter()
        iteration = self.iterate(problem, x0)
        loop = iteration._loop
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be callable or None; it is {callback!r}")
        try:
            while True:
                plain = callback is None and not history and self.time_limit is None
                if plain and not iteration._stepwise:
                    loop.run()
                else:
                    iteration._run_watched(callback, bool(history))
                if iteration._settled():
                    break
                loop = iteration._loop
        except BaseException as error:
            iteration._seconds = time.perf_counter() - start
            keep_result(error, iteration)
            raise
        iteration._seconds = time.perf_counter() - start
        if iteration._loop.status == Status.NOT_FINITE:
            raise bad_start(iteration._loop)
        return iteration.result

    def iterate(
        self, problem: SupportsResidual | CompiledProblem, x0: ArrayLike | Mapping[str, ArrayLike]
    ) -> Iteration:
        """Return the solve as an iterator, which evaluates nothing before the first step.

        Parameters
        ----------
        problem, x0
            As for `solve`.

        Returns
        -------
        Iteration
            An iterator over `IterationRecord`; its `Iteration.result` is the best point so far.

        Examples
        --------
        >>> import lmoo
        >>> steps = lmoo.Solver().iterate(lmoo.FunctionProblem(lambda x: x**2 - 9.0), [10.0])
        >>> for step in steps:
        ...     if step.cost < 1.0:
        ...         break
        >>> steps.result.status, steps.result.cost == step.cost
        (<Status.UNFINISHED: -5>, True)
        """
        relations = relations_of(self, problem)
        if is_joint(problem):
            from lmoo.models.relations.numbered import joint_relations
            from lmoo.solver.sharedunits import check_shared_units

            check_shared_units(problem)
            relations, x0 = joint_relations(problem, relations), by_name(x0, ())
            if isinstance(x0, Mapping):
                joint: Any = problem
                x0 = joint.start(x0, () if relations is None else tuple(relations.ties))
        if relations is None:
            return Iteration(self, problem, known_start(problem, x0))
        # Not at the top: every `import lmoo` would take longer.
        from lmoo.solver.related import RelatedIteration

        start = known_start(problem, x0, tuple(relations.ties))
        return RelatedIteration(self, problem, start, relations=relations)


def _solve_again(
    fit: Fit, x: NDArray[np.float64], fixed: Mapping[int, float], maxfev: int
) -> Result:
    """Solve a fit's problem again from x, within its bounds and with these parameters fixed."""
    given: Solver = fit.solver or Solver()
    solver = replace(
        given,
        bounds=(fit.lower, fit.upper),
        fixed=dict(fixed),
        # The limit is for one solve, and a refit that it stops would not be a minimum.
        time_limit=None,
        # Costs of different scales cannot be compared.
        f_scale=given.f_scale if fit.robust is None else fit.robust.scale,
        maxfev=maxfev if given.maxfev is None else min(maxfev, given.maxfev),
    )
    return solver.solve(fit.problem, x)


# Profiles solve again.  The results package must not import the solver, so it is set here.
Fit._solve_again = _solve_again
