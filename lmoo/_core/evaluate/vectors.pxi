"""The evaluator of problems whose residual is a vector in memory, and whose Jacobian is a matrix there.

It holds three residual vectors and one Jacobian buffer, placed once a solve in memory that the caller owns; nothing is
allocated.  Problem and Jacobian strategy are tables of functions: no Python object is touched but through these, so a
problem in compiled code is solved without the GIL from start to end.
"""

from libc.math cimport isfinite
from libc.stdint cimport PTRDIFF_MAX
from libc.string cimport memcpy, memset

import threading

from cpython.exc cimport PyErr_CheckSignals

from lmoo._core.iteration cimport bounds_inside
from lmoo._core.iteration cimport lm_curved, lm_refuse, lm_residual
from lmoo._core.model cimport *
from lmoo._core.norms cimport all_finite, enorm

cdef extern from "evaluate/clock.h" nogil:
    double lmoo_milliseconds()

# How far along the velocity its curvature is measured, Transtrum and Sethna's choice.
cdef double CURVATURE_STEP = 0.1
cdef double CHECK_EVERY = 50.0   # milliseconds


# ---- memory ---------------------------------------------------------------------------------

cdef size_t vectors_doubles(ptrdiff_t m, ptrdiff_t n, bint streams) noexcept nogil:
    """Return the doubles that vectors_place uses, without the m n of the Jacobian; streams: d.streams."""
    return <size_t>((2 if streams else 4) * m + n) + linearize_doubles(m, n)


cdef void vectors_place(lm_driver *d, ptrdiff_t m, double *memory, double *fjac) noexcept nogil:
    """Point the driver's arrays into memory that the caller owns.

    Where the Jacobian is not stored there are only two residual vectors, as these are most of the memory of a solve.
    """
    d.m = d.rows = m
    d.f, d.trial = memory, memory + m
    d.previous = d.row_sizes = NULL
    d.u0 = memory + 2 * m
    if not d.streams:
        d.previous, d.row_sizes = memory + 2 * m, memory + 3 * m
        memset(d.row_sizes, 0, <size_t>m * sizeof(double))
        d.u0 = memory + 4 * m
    d.work = d.u0 + d.n
    d.fjac = fjac
    d.point.size = sizeof(lmoo_point)
    d.point.m, d.point.n = m, d.n
    d.point.state = d.s
    d.point.x = d.s.x
    d.point.fjac = fjac
    d.point.x_work = d.work
    d.point.residual = _residual_for_strategy
    d.point.jacobian = _own_jacobian
    d.point.driver = d
    d.evaluator = &VECTORS


# ---- evaluations ----------------------------------------------------------------------------

cdef int _residual(lm_driver *d) noexcept nogil:
    """Answer LM_RESIDUAL."""
    cdef int outcome = _evaluate_both(d) if d.joint else _evaluate(d, d.s.trial, d.trial)
    if outcome == 0:
        return vectors_answer_residual(d)
    elif outcome > 0:
        lm_refuse(d.s)
    return min(outcome, 0)


cdef int vectors_answer_residual(lm_driver *d) noexcept nogil:
    """The residual at the trial point is in d.trial.  Its norm tells whether it is finite; FAILED where a user's loss
    ends the solve."""
    return vectors_answer_norm(d, enorm(d.m, d.trial) if d.loss == NULL else -1.0)


cdef int vectors_answer_norm(lm_driver *d, double fnorm) noexcept nogil:
    """vectors_answer_residual, with the norm; with a loss the norm is that of the loss, and fnorm is not used."""
    if d.loss != NULL:
        if d.loss.tuning > 0.0 and not d.s.started:
            d.loss.scale = loss_estimate(d.loss, d.rows, d.n, d.trial, d.loss.model)
        fnorm = loss_norm(d.loss, d.rows, d.trial)
        if fnorm < 0.0:
            return FAILED
    if not d.s.started:
        memcpy(d.f, d.trial, <size_t>d.m * sizeof(double))
        d.evaluated = True
        if d.s.options.tests == LM_TESTS_ACCURATE:
            d.s.options.epsfcn = max(max(d.problem.precision, EPSMCH), d.noise)
    if isfinite(fnorm):
        lm_residual(d.s, fnorm)
    else:
        lm_refuse(d.s)
    return 0


cdef inline int _evaluate(lm_driver *d, const double *x, double *f) noexcept nogil:
    """f(x), counted: 0, 1 at a bad point, FAILED."""
    cdef int code
    d.countdown -= 1
    if d.stop or d.countdown <= 0 and _check_for_signals(d) < 0:
        return FAILED
    d.s.nfev += 1
    if d.streams:
        return stream_residual(d, x, f)
    code = d.problem.residual(d.m, d.n, x, f, d.problem.user_data)
    if code < 0:
        d.code = code
        return FAILED
    if d.rows < d.m:
        memset(f + d.rows, 0, <size_t>(d.m - d.rows) * sizeof(double))
    return code > 0


cdef int _evaluate_both(lm_driver *d) noexcept nogil:
    """f at the trial point to d.trial, counted, and the Jacobian, should it be asked for, to fjac."""
    cdef int code
    d.s.nfev += 1
    code = d.problem.both(d.m, d.n, d.s.trial, d.trial, d.fjac, d.problem.user_data)
    d.fresh = code == 0
    if code < 0:
        d.code = code
        return FAILED
    return code > 0


cdef int _residual_for_strategy(lmoo_point *at, const double *x, double *f) noexcept nogil:
    """lmoo_point.residual: an evaluation that must be finite."""
    cdef lm_driver *d = <lm_driver *>at.driver
    cdef int outcome = _evaluate(d, x, f)
    d.differenced += 1
    if outcome == 0 and d.weighted:
        multiply_rows(d.rows, d.loss.root, f, f)
    return outcome if outcome != 0 or all_finite(d.m, f) else 1


cdef int _own_jacobian(lmoo_point *at) noexcept nogil:
    """lmoo_point.jacobian: the problem's own, alone or together with f, unless it is there already."""
    cdef lm_driver *d = <lm_driver *>at.driver
    cdef const lmoo_problem *p = d.problem
    cdef int code = 0 if d.fresh else LMOO_NOT_PROVIDED
    if not d.fresh and p.jacobian != NULL:
        code = p.jacobian(d.m, d.n, at.x, at.fjac, p.user_data)
    if code == LMOO_NOT_PROVIDED and p.both != NULL:
        code = p.both(d.m, d.n, at.x, at.f_work, at.fjac, p.user_data)
    if code == LMOO_NOT_PROVIDED:
        return code
    d.has_jacobian = True
    d.weighted = False
    # There is nothing better to be had.
    d.s.options.refine = 0
    if code < 0:
        d.code = code
        return FAILED
    return code > 0


cdef int _check_for_signals(lm_driver *d) noexcept nogil:
    """Every 50 ms or so the main thread looks for Ctrl-C; FAILED where it has raised something.

    Looking at the clock costs as much as a small evaluation, so the evaluations between two looks
    become more while they take less than a fifth of that time.
    """
    cdef double now = lmoo_milliseconds(), passed = now - d.checked
    d.countdown = d.interval
    if d.checked == 0.0:
        # Before the first evaluation.
        d.checked = now
        return 0
    if not d.watching:
        d.countdown = PTRDIFF_MAX
        return 0
    if passed < 0.2 * CHECK_EVERY:
        d.interval = min(2 * d.interval, 1024)
        d.countdown = d.interval
    elif passed > 0.5 * CHECK_EVERY:
        d.interval = d.countdown = max(d.interval // 4, 1)
    if passed < CHECK_EVERY:
        return 0
    d.checked = now
    # As a plain C function: -1 says that an exception is set, which the caller of the solve raises.
    return (<check_function><void *>_check_signals)(d)


ctypedef int (*check_function)(lm_driver *d) noexcept nogil


cdef int _check_signals(lm_driver *d) except FAILED with gil:
    """Let Python's signal handlers run, which any Python code here may do as well."""
    if threading.current_thread() is not threading.main_thread():
        d.watching = False
        return 0
    PyErr_CheckSignals()
    return 0


# ---- the Jacobian ---------------------------------------------------------------------------------

cdef int _linearize(lm_driver *d, bint high_accuracy) noexcept nogil:
    """Answer LM_LINEARIZE or LM_REFINE: fill the Jacobian, factor it, hand over the model."""
    cdef lmoo_point *at = &d.point
    cdef int code
    if vectors_begin_model(d, high_accuracy) < 0:
        return FAILED
    if d.streams:
        d.has_jacobian = True
        # There is nothing better to be had.
        d.s.options.refine = 0
        return linearize_answer(d, 0)
    code = d.strategy.evaluate(at, d.strategy.context)
    if code < 0:
        # A strategy may end the solve without having evaluated anything.
        if d.code == 0 and not d.stop:
            d.code = code
        return FAILED
    return linearize_answer(d, code)


cdef int vectors_begin_model(lm_driver *d, bint high_accuracy) noexcept nogil:
    """Tell the strategy where the Jacobian is wanted; FAILED where a user's loss ends the solve."""
    cdef lmoo_point *at = &d.point
    d.factored = d.folded = False
    d.njev += 1
    at.f = d.f
    at.f_work = d.trial         # the trial has been judged, so its memory is free
    at.high_accuracy = high_accuracy
    at.precision = max(d.problem.precision, EPSMCH)
    at.relative_error = at.noise = 0.0
    at.column_error, at.interval = d.s.column_error, d.s.interval
    at.length, at.share = d.s.length, 1.0
    memset(at.column_error, 0, <size_t>d.n * sizeof(double))
    memset(at.interval, 0, <size_t>d.n * sizeof(double))
    # Curvature asks for J once more, after user code has run.
    at.takes_rows = folds_rows(d) and not wants_curvature(d.s) and d.rows == d.m
    at.rows = NULL
    d.weighted = False
    if d.loss == NULL:
        return 0
    if loss_rows(d.loss, d.rows, d.f) < 0:
        return FAILED
    if d.weighs_differences or d.strategy != NULL and d.strategy.evaluate == differences:
        vectors_weigh_differences(d)
    return 0


cdef void vectors_weigh_differences(lm_driver *d) noexcept nogil:
    """Let differences be those of the residual times its row factors at x, which do not change on the way: all that
    is measured of errors and lengths then has the scale of the model."""
    d.weighted = True
    d.point.f = d.loss.weighted


cdef int vectors_linearize_again(lm_driver *d) noexcept nogil:
    """Fill fjac with the rows of the model at x, for a caller that wants them when the iteration has ended: 0, 1 where
    they cannot be had, FAILED where the user's code has ended it."""
    cdef int code = vectors_begin_model(d, d.s.refined)
    d.point.takes_rows = False
    if code == 0:
        code = d.strategy.evaluate(&d.point, d.strategy.context)
    if code == 0:
        weigh_model(d)
    return FAILED if code < 0 else code


# ---- curvature ------------------------------------------------------------------------------

cdef int _curvature(lm_driver *d) noexcept nogil:
    """Answer LM_CURVATURE:  J^T f_vv = (2 / h^2) J^T (f(x + h v) - f(x) - h J v).

    Transtrum, Sethna (2012), "Improvements to the Levenberg-Marquardt algorithm for nonlinear
    least-squares minimization", section 3.3: one evaluation of f, no second derivatives.  Where the problem has
    these, f_vv itself.
    """
    cdef int outcome
    if d.problem.second != NULL:
        return vectors_second(d)
    if vectors_begin_curvature(d):
        outcome = _evaluate(d, d.s.trial, d.trial)
        if outcome < 0:
            return outcome
        vectors_answer_curvature(d, outcome > 0)
    return 0


cdef int vectors_second(lm_driver *d) noexcept nogil:
    """Answer LM_CURVATURE by the problem's own second derivatives, which count as a Jacobian does."""
    cdef lm_state *s = d.s
    cdef ptrdiff_t j
    cdef int code
    if not (d.factored or d.folded):
        lm_refuse(s)
        return 0
    d.njev += 1
    code = d.problem.second(d.m, d.n, s.x, s.velocity, d.trial, d.problem.user_data)
    if code < 0:
        d.code = code
        return FAILED
    if code > 0 or not all_finite(d.m, d.trial):
        lm_refuse(s)
        return 0
    if d.loss != NULL:
        multiply_rows(d.rows, d.loss.root, d.trial, d.trial)
    times_transpose(d, d.trial, s.curvature)
    for j in range(d.n):
        if s.bounded and s.active[j] != 0:
            s.curvature[j] = 0.0
    lm_curved(s)
    return 0


cdef bint vectors_begin_curvature(lm_driver *d) noexcept nogil:
    """Whether f is wanted at s.trial, to d.trial, for the curvature; else it is refused."""
    cdef lm_state *s = d.s
    cdef ptrdiff_t j
    for j in range(d.n):
        s.trial[j] = s.x[j] + CURVATURE_STEP * s.velocity[j]
    if (d.factored or d.folded) and bounds_inside(s, s.trial) and all_finite(d.n, s.trial):
        return True
    lm_refuse(s)
    return False


cdef void vectors_answer_curvature(lm_driver *d, bint bad) noexcept nogil:
    """f is there, or cannot be had."""
    cdef lm_state *s = d.s
    cdef double h = CURVATURE_STEP
    cdef ptrdiff_t i, j
    if bad or not all_finite(d.m, d.trial):
        lm_refuse(s)
        return
    for i in range(d.m):
        d.trial[i] -= d.f[i]
    if d.loss != NULL:
        multiply_rows(d.rows, d.loss.root, d.trial, d.trial)
    s.linear.gram(s.model, s.velocity, s.curvature)
    times_transpose(d, d.trial, d.work)
    if not all_finite(d.n, d.work):
        lm_refuse(s)
        return
    for j in range(d.n):
        if s.bounded and s.active[j] != 0:
            s.curvature[j] = 0.0
        else:
            s.curvature[j] = 2.0 / (h * h) * (d.work[j] - h * s.curvature[j])
    lm_curved(s)


cdef lm_evaluator VECTORS
VECTORS.residual = _residual
VECTORS.linearize = _linearize
VECTORS.curvature = _curvature
VECTORS.step = pause_at_request
