"""`curve_fit_many`: fit one model to many curves."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from lmoo._core.evaluate import thread_count
from lmoo.batch.chunk import Model
from lmoo.batch.data import Dataset
from lmoo.batch.fits import Fits
from lmoo.batch.guesses import InitialGuesses, named_guesses
from lmoo.batch.run import Check, checked_solver, solve_batch
from lmoo.batch.separable import batch_parts
from lmoo.batch.tasks import BatchData
from lmoo.batch.tracing import SolutionCheck, batch_evaluation
from lmoo.models.expression.formula import formula
from lmoo.models.library import CompiledModel
from lmoo.models.problem import is_compiled_model
from lmoo.models.tracing.evaluation import Evaluation
from lmoo.problems.arguments import check_callable, checked_trace
from lmoo.problems.complexdata import ComplexRows, ComplexSlopes, complex_rows, is_complex
from lmoo.problems.measured import measured_stack
from lmoo.problems.names import by_name, check_count, names_of, parameter_names_of
from lmoo.problems.parameters import Relations, relations_of
from lmoo.problems.sigma import checked_absolute_sigma
from lmoo.problems.typed import Bounds, Constraints, Expressions, Fixed, NanPolicy, Priors, Trace
from lmoo.solver.solver import Solver


def curve_fit_many(
    f: str | Callable[..., Any],
    t: ArrayLike,
    y: ArrayLike,
    p0: ArrayLike | Mapping[str, Any] | Callable[..., Any] | None = None,
    *,
    sigma: ArrayLike | None = None,
    jac: Callable[..., Any] | None = None,
    solver: Solver | None = None,
    vectorized: bool = True,
    nan_policy: NanPolicy = "raise",
    errors: Literal["raise", "record"] = "raise",
    threads: int | None = None,
    executor: Executor | None = None,
    out: Mapping[str, Any] | None = None,
    progress: bool | Callable[[int, int], Any] | None = None,
    trace: Trace = "auto",
    bounds: Bounds | None = None,
    fixed: Fixed | None = None,
    ties: Expressions | None = None,
    priors: Priors | None = None,
    derived: Expressions | None = None,
    constraints: Constraints | None = None,
    shared: Sequence[str | int] | None = None,
    absolute_sigma: bool | None = None,
) -> Fits:
    """Fit one model to each of many curves.

    Each curve has its own iteration, that of `Solver`; the model is called once for all curves
    that are not yet solved.  Parameters are passed as columns that broadcast against t, so most
    models written for ``scipy.optimize.curve_fit`` can be used unchanged.

    Parameters
    ----------
    f : callable, CompiledModel or str
        ``f(t, *parameters)``, the model: a function, or a model of `lmoo.models` or the text of an
        `lmoo.Expression`, which are solved without Python.  Each parameter is a column of shape
        (k, 1) with one row per fit; a function returns an array that broadcasts to (k, m).
    t : (m,) or (..., m) array_like, or tuple of them
        The independent variable, common to all curves or one per curve.  A tuple holds several
        independent variables, and is passed to f as a tuple.
    y : (..., m) array_like
        The curves, a stack of any shape.  Complex curves, with an f that returns complex numbers,
        have the real and the imaginary part of each point as two observations.  A memmap, a data
        set of HDF5 or zarr, or another object with shape, dtype and slicing is read chunk by chunk,
        unless it is complex.
    p0 : (n,) or (..., n) array_like, mapping or callable, optional
        Starting values, common to all curves or one set per curve; a mapping from names to numbers
        or to arrays with one number per curve; or a function ``p0(t, y)`` that
        returns them for a chunk of curves, with y of shape (k, m) and missing points replaced by
        their neighbours.  None: the model's method ``guess``.
    sigma : float, (m,) or (..., m) array_like, optional
        Standard deviations of y; residuals are divided by them.  For complex curves it may be
        complex, as for `CurveProblem`.  Points that are masked (``numpy.ma``) in t, y or sigma are
        left out of their curve.
    jac : callable, optional
        ``jac(t, *parameters)`` returns n arrays that broadcast to (k, m), or one array that
        broadcasts to (k, m, n).  None: forward differences, and central differences for the last
        steps.
    solver : Solver, optional
        Tolerances, ``factor`` and ``maxfev``; ``bounds`` and ``fixed``, which are common to all
        curves; ``loss``, a loss of `lmoo.losses`, and ``f_scale``, which "mad" estimates for each
        curve; ``jacobian``, if it is `ForwardDifference` or `CentralDifference` without typical
        sizes; ``separable``, for models that run compiled.  The other options must be None.
    vectorized : bool, default True
        False: f and jac are called for one fit at a time, with numbers for the parameters.
    nan_policy : {"raise", "omit"}
        What to do if y is not finite, or t or sigma is NaN: raise ValueError, or leave the point
        out.
    errors : {"raise", "record"}
        What to do if f raises: raise an EvaluationError that names the curve, or give the curve
        `Status.RAISED`, keep the exception in `Fits.errors` and continue with the other curves.
        An EvaluationError raised by f marks a bad point, and the step is shortened.
    threads : int, optional
        Number of chunks that are solved at the same time.  None: 1 for a function, which may not
        be safe to call from several threads, and all processors for a compiled model.
    executor : concurrent.futures.Executor, optional
        Solves the chunks: a pool of processes, Dask's ``Client.get_executor()``, the pool of
        mpi4py.futures.  A chunk whose worker died is solved in the calling thread.  With `shared`
        it may also be a Dask client, and evaluates compiled models.
    out : dict, optional
        Arrays for the results, such as memmaps, by the names of the attributes of `Fits`.
        ``"covariance"`` may be None: covariances are then not computed.
    progress : bool or callable, optional
        True: show a progress bar (``pip install lmoo[progress]``).  A callable is called as
        ``progress(done, total)`` after each chunk.
    trace : {"auto", True, False}
        Whether f is traced (see `lmoo.trace`) and the stack solved without Python, with exact
        derivatives.  "auto": where that is possible and there is no `jac`; f is called at the start
        of three curves and at the solutions, where its values are compared with those of the
        trace.  True: it must be possible.  False: f itself is called throughout.
    bounds, fixed : optional
        As for `Solver`, whose options they precede.  In mapping form a bound, or the value of a
        fixed parameter, may be an array with one number per curve; p0 must not be a function then.
    ties, priors, derived, constraints : optional
        Relations of the parameters, as for `Solver`, the same for all curves.  `Fits` then has
        ``derived``, the values and errors of the derived quantities.
    shared : sequence of str or int, optional
        Names or positions of parameters that all curves have in common.  All curves are then one
        fit, in time and memory linear in their number (see `JointProblem`).  A shared parameter
        starts at the median of the curves' starting values.  All curves are read into memory.  A
        function that cannot be traced is called curve by curve.  ``threads``, ``progress`` and
        ``errors="record"`` are not available.
    absolute_sigma : bool, optional
        True: sigma is known as it is, and errors are not scaled by the residual of each curve.
        None, False: only its relative size counts, as in ``curve_fit``.  True without sigma
        assumes errors of 1, and warns.

    Returns
    -------
    Fits
        Arrays of the shape of the stack: x, stderr, cost, status, ...; with `shared` a `JointFits`,
        whose standard errors and covariances are those of the joint fit.

    Raises
    ------
    ValueError
        The values that f returns for three fits depend on whether they are evaluated together;
        shapes do not match; y is not finite; an unknown policy.
    TypeError
        An argument of the wrong type.
    EvaluationError
        f raised an exception, with ``errors="raise"``.
    TraceError
        `trace` is True, and f cannot be traced.

    Warns
    -----
    TraceWarning
        At a solution the trace of f differs from f; the fits were made again with f.

    Notes
    -----
    A curve without points gets `Status.IMPROPER_INPUT` and NaN.  One with fewer points than free
    parameters is solved, and has infinite standard errors, as with `Solver`.  A curve whose
    residual is not finite at the starting point gets `Status.NOT_FINITE` and the starting point.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> def decay(t, a, b, c):
    ...     return a * np.exp(-b * t) + c
    >>> t = np.linspace(0, 4, 20)
    >>> rates = np.linspace(0.5, 2.0, 1000)
    >>> y = decay(t, 2.5, rates[:, None], 0.5)
    >>> fits = lmoo.curve_fit_many(decay, t, y, p0=[1, 1, 0])
    >>> fits.x.shape, bool(fits.success.all())
    ((1000, 3), True)
    >>> bool(np.allclose(fits.x[:, 1], rates))
    True

    With one rate for all curves:

    >>> y = decay(t, rates[:, None], 0.7, 0.5)
    >>> fits = lmoo.curve_fit_many(decay, t, y, p0=[1, 1, 0], shared=["b"])
    >>> fits.x[0].round(6), fits.x[-1].round(6)
    (array([0.5, 0.7, 0.5]), array([2. , 0.7, 0.5]))
    """
    if isinstance(f, str):
        f = formula(f, len(t) if isinstance(t, tuple) else 1)
    check_callable(f, jac)
    dataset, f, jac = _stack(t, y, sigma, f, jac, nan_policy, shared is not None)
    checked_trace(trace)
    absolute = bool(checked_absolute_sigma(absolute_sigma, sigma))
    if shared is not None:
        from lmoo.batch import sharedsolve as joint

        joint.checked_options(executor, errors, threads, progress)
    apart = executor if shared is None else None
    solver = checked_solver(solver, errors, 1 if threads is None else threads, apart)
    given = {"ties": ties, "priors": priors, "derived": derived, "constraints": constraints}
    options: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    if options:
        solver = replace(solver, **options)
    relations = relations_of(solver, None)
    model: Model | CompiledModel
    if is_compiled_model(f):
        model = _checked_model(f, jac, dataset)
    else:
        model = Model(f, jac, bool(vectorized))
    guesses = _initial_guesses(p0, f, dataset, relations)
    if relations is not None:
        if bounds is not None or fixed is not None:
            # Raises for bounds that differ from curve to curve.
            solver = replace(
                solver,
                bounds=solver.bounds if bounds is None else bounds,
                fixed=solver.fixed if fixed is None else fixed,
            )
        return _related(
            model, dataset, guesses, solver, relations, errors, threads, executor, out, progress,
            trace, absolute, shared,
        )  # fmt: skip
    bounds = solver.bounds if bounds is None else bounds
    fixed = solver.fixed if fixed is None else fixed
    guesses.set_bounds(bounds, fixed, parameter_names_of(f))

    if shared is not None:
        where = joint.shared_parameters(shared, parameter_names_of(f), guesses.n)

    def fits_of(
        model: Any, evaluation: str, function: Any = None, check: Check | None = None
    ) -> Fits:
        names = parameter_names_of(f)
        if shared is not None:
            fits = joint.joint_fits(
                model, dataset, guesses, solver, where, len(shared), names, evaluation, function,
                out, absolute, executor,
            )  # fmt: skip
            if check is not None:
                check(slice(0, dataset.count), fits._points())
            return fits
        record = errors == "record"
        parts = batch_parts(model, guesses, solver)
        batch = BatchData(
            dataset, model, guesses, solver, record, names, evaluation, function, parts, absolute
        )
        count = 1 if isinstance(model, Model) else thread_count()
        threaded = count if threads is None else threads
        return solve_batch(batch, threaded, executor, out, progress, check)

    return _traced_or_called(fits_of, model, dataset, guesses, solver, trace, errors == "record")


def _stack(
    t: Any, y: Any, sigma: Any, f: Any, jac: Any, nan_policy: NanPolicy, is_joint: bool
) -> tuple[Dataset, Callable[..., Any], Callable[..., Any] | None]:
    """Return the curves, and f and jac for them: complex ones are fitted as real ones."""
    t, y, sigma, _, axes = measured_stack(t, y, sigma)
    if is_complex(y):
        if is_joint:
            raise ValueError("shared parameters are for real curves; y is complex")
        several = isinstance(t, tuple)
        count = len(t) if several else 1
        f = ComplexRows(f, count, several)
        jac = None if jac is None else ComplexSlopes(jac, count, several)
        t, y, sigma = complex_rows(t, y, sigma)
    dataset = Dataset(t, y, sigma, nan_policy)
    dataset.axes = axes
    return dataset, f, jac


def _initial_guesses(
    p0: Any, f: Any, dataset: Dataset, relations: Relations | None
) -> InitialGuesses:
    """Return the starting values of all curves, in the order of the parameters of f."""
    names = parameter_names_of(f)
    if p0 is None:
        if not is_compiled_model(f):
            raise TypeError("p0 must be given; only models of lmoo.models find it from the data")
        p0 = f.guess
    p0 = by_name(p0, names)
    if isinstance(p0, Mapping):
        tied = () if relations is None else tuple(relations.ties)
        p0 = named_guesses(p0, names, dataset.shape, tied)
    guesses = InitialGuesses(p0, dataset)
    if dataset.count:
        if names is None and is_compiled_model(f):
            names = names_of(None, f.n)
        check_count("p0", guesses.n, names)
    return guesses


def _traced_or_called(
    fits_of: Callable[..., Fits],
    model: Model | CompiledModel,
    dataset: Dataset,
    guesses: InitialGuesses,
    solver: Solver,
    trace: Any,
    record: bool,
) -> Fits:
    """Return ``fits_of(model, evaluation)``, by a compiled trace of the model if there is one.

    With a trace it is ``fits_of(traced, evaluation, model, check)``.
    """
    if is_compiled_model(model):
        return fits_of(model, "compiled")
    evaluation = batch_evaluation(model, dataset, guesses, solver, trace, record)
    if evaluation.model is not None:
        check = SolutionCheck(model, evaluation.model, dataset)
        fits = fits_of(evaluation.model, evaluation.text, model, check)
        reason = check.outcome(trace)
        if reason is None:
            return fits
        evaluation = Evaluation(model.f, reason)
    return fits_of(model, evaluation.text)


def _related(
    model: Model | CompiledModel,
    dataset: Dataset,
    guesses: InitialGuesses,
    solver: Solver,
    relations: Relations,
    errors: str,
    threads: int | None,
    executor: Executor | None,
    out: Mapping[str, Any] | None,
    progress: bool | Callable[[int, int], Any] | None,
    trace: Any,
    absolute: bool,
    shared: Sequence[str | int] | None,
) -> Fits:
    """Fit curves whose parameters are related."""
    from lmoo.batch.related import batch_coordinates, plain_solver, related_batch
    from lmoo.batch.relatedfits import related_fits
    from lmoo.batch.relatedmodel import graph_model

    f: Any = model if is_compiled_model(model) else model.f
    names, record = parameter_names_of(f), errors == "record"
    common: list[str] = []
    if shared is not None:
        from lmoo.batch import relatedshared
        from lmoo.batch import sharedsolve as joint

        place = joint.shared_parameters(shared, names, guesses.n)
        common = [names[j] for j in np.argsort(place)[: len(shared)]] if names else []
    coordinates = batch_coordinates(names, relations, solver, guesses, common)
    if shared is not None:
        where = relatedshared.shared_coordinates(coordinates, tuple(common))

    def fits_of(
        used: Any, evaluation: str, function: Any = None, check: Check | None = None
    ) -> Fits:
        graph = graph_model(used)
        batch = related_batch(
            dataset, model, graph, guesses, solver, coordinates, record, evaluation, absolute,
            *(() if shared is None else (relatedshared.SharedPriors,)),
        )  # fmt: skip
        outer = BatchData(
            dataset, model, guesses, solver, record, names, evaluation, absolute_sigma=absolute
        )
        if shared is None:
            count = 1 if graph is None else thread_count()
            threaded = count if threads is None else threads
            inner = solve_batch(batch, threaded, executor, None, progress)
            fits: Fits = related_fits(inner, outer, coordinates, out)
        else:
            together = joint.joint_fits(
                batch.model, batch.dataset, batch.guesses, batch.solver, where,
                int(coordinates.shared.sum()), coordinates.labels, evaluation, None, None, absolute,
                executor,
            )  # fmt: skip
            fits = relatedshared.related_joint_fits(together, outer, coordinates, out)
        if check is not None:
            check(slice(0, dataset.count), fits._points())
        return fits

    return _traced_or_called(fits_of, model, dataset, guesses, plain_solver(solver), trace, record)


def _checked_model(model: CompiledModel, jac: Any, dataset: Dataset) -> CompiledModel:
    """Return the model; ValueError if it does not fit the data set."""
    if jac is not None:
        raise ValueError(f"jac must be None for a compiled model, which has its own; it is {jac!r}")
    if model.variables != len(dataset.t):
        raise ValueError(
            f"t must be {model.variables} arrays for {type(model).__name__}; it has "
            f"{len(dataset.t)}"
        )
    return model
