"""The driver: it answers what the iteration asks, for any problem given as a table of functions.

``driver_step`` is the whole of it, and reads like the algorithm.  It holds three residual vectors
and one Jacobian buffer, placed once a solve in memory that the caller owns; nothing is allocated.
No Python object is touched but through the table, so a problem in compiled code is solved without
the GIL from start to end.
"""

from libc.math cimport fabs, isfinite, sqrt
from libc.stdint cimport PTRDIFF_MAX
from libc.string cimport memcpy, memset

import threading

from cpython.exc cimport PyErr_CheckSignals
from cpython.pystate cimport PyThreadState

from lmoo._core.bounds cimport bounds_inside
from lmoo._core.fold cimport fold_part, fold_parts, fold_parts_bytes, merge_parts
from lmoo._core.iteration cimport *
from lmoo._core.model cimport *
from lmoo._core.norms cimport all_finite, column_norms, enorm
from lmoo._core.qr cimport put_diagonal, qrfac
from lmoo._core.threads cimport job_function, run_in_threads
from lmoo._core.units cimport divide_columns, multiply_columns, multiply_triangle, pivot_in_units

cdef extern from "Python.h" nogil:
    PyThreadState *PyEval_SaveThread()
    void PyEval_RestoreThread(PyThreadState *state)

cdef extern from "clock.h" nogil:
    double lmoo_milliseconds()

# Above this m n^2 the fold's one pass through memory beats MINPACK's n, and letting go of the
# GIL costs less than keeping it.
cdef double LARGE = 1e6
# Above this, a millisecond or so, other threads are worth waking.
cdef double WORTH_THREADS = 2e7
cdef double EPSMCH = 2.0**-52
# How far along the velocity its curvature is looked for, Transtrum and Sethna's choice.
cdef double CURVATURE_STEP = 0.1
cdef double LOOK_EVERY = 50.0   # milliseconds

cdef enum:
    ENDED = -1      # what an evaluation returns when the solve is to end


# ---- memory ---------------------------------------------------------------------------------

cdef size_t driver_doubles(ptrdiff_t m, ptrdiff_t n) noexcept nogil:
    """How many doubles driver_place wants, but for the Jacobian's m n."""
    cdef size_t folding = 0
    if <double>m * n * n > LARGE:
        folding = fold_parts_bytes(m, n) // sizeof(double) + <size_t>n
    return <size_t>(3 * m + 6 * n) + folding


cdef void driver_place(lm_driver *d, ptrdiff_t m, double *memory, double *fjac) noexcept nogil:
    """Point the driver's arrays into memory that the caller owns."""
    d.m = d.rows = m
    d.f, d.previous, d.trial = memory, memory + m, memory + 2 * m
    d.u0 = memory + 3 * m
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


# ---- the solve ------------------------------------------------------------------------------

cdef int driver_step(lm_driver *d) noexcept nogil:
    """Go on until a trial point has been judged (1), the iteration has ended (0), or the user's
    code has, with d.code or a Python exception (-1)."""
    cdef lm_state *s = d.s
    cdef int request = lm_advance(s), outcome = 0
    cdef ptrdiff_t nit = s.nit
    while request != LM_DONE and s.nit == nit:
        if request == LM_RESIDUAL:
            outcome = _evaluate(d, s.trial, d.trial)
            if outcome == 0:
                driver_answer_residual(d)
            elif outcome > 0:
                lm_refuse(s)
        elif request == LM_CURVATURE:
            outcome = _curvature(d)
        elif request == LM_STEP:
            return 1
        else:
            outcome = _linearize(d, request == LM_REFINE or s.refined)
        if outcome < 0:
            if not d.stop or d.code != 0:
                return -1
            lm_stop(s, LM_STOPPED)
        request = driver_advance(d)
    return request != LM_DONE or s.nit != nit


cdef int driver_seek(lm_driver *d) noexcept nogil:
    """Go on until the Jacobian has been filled, and is to be answered by driver_answer_model (1), or
    the iteration has ended (0), or the user's code has, with d.code (-1)."""
    cdef int request = driver_advance(d), outcome
    while request != LM_DONE:
        if request == LM_RESIDUAL:
            outcome = _evaluate_both(d) if d.eager else _evaluate(d, d.s.trial, d.trial)
            if outcome < 0:
                return -1
            if outcome == 0:
                driver_answer_residual(d)
            else:
                lm_refuse(d.s)
        elif request == LM_LINEARIZE or request == LM_REFINE:
            driver_begin_model(d, request == LM_REFINE or d.s.refined)
            outcome = d.strategy.evaluate(&d.point, d.strategy.context)
            if outcome == 0:
                return 1
            if outcome < 0:
                if d.code == 0:
                    d.code = outcome
                return -1
            lm_refuse(d.s)
        elif request == LM_CURVATURE:
            if _curvature(d) < 0:
                return -1
        else:
            lm_refuse(d.s)
        request = driver_advance(d)
    return 0


cdef int driver_advance(lm_driver *d) noexcept nogil:
    """lm_advance, with the residuals kept in step with x."""
    cdef int request = lm_advance(d.s)
    if d.s.accepted:
        d.f, d.trial, d.previous = d.trial, d.previous, d.f
    elif d.s.reverted:
        d.f, d.previous = d.previous, d.f
        d.factored = d.folded = False
    return request


cdef void driver_answer_residual(lm_driver *d) noexcept nogil:
    """The residual at the trial point is in d.trial.  Its norm tells whether it is finite."""
    cdef double fnorm = enorm(d.m, d.trial)
    if not d.s.started:
        memcpy(d.f, d.trial, <size_t>d.m * sizeof(double))
        d.evaluated = True
        if d.s.options.tests == LM_TESTS_ACCURATE:
            d.s.options.epsfcn = max(max(d.problem.precision, EPSMCH), d.noise)
    if isfinite(fnorm):
        lm_residual(d.s, fnorm)
    else:
        lm_refuse(d.s)


# ---- evaluations ----------------------------------------------------------------------------

cdef inline int _evaluate(lm_driver *d, const double *x, double *f) noexcept nogil:
    """f(x), counted: 0, 1 at a bad point, ENDED."""
    cdef int code
    d.countdown -= 1
    if d.stop or d.countdown <= 0 and _look_up(d) < 0:
        return ENDED
    d.s.nfev += 1
    code = d.problem.residual(d.m, d.n, x, f, d.problem.user_data)
    if code < 0:
        d.code = code
        return ENDED
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
        return ENDED
    return code > 0


cdef int _residual_for_strategy(lmoo_point *at, const double *x, double *f) noexcept nogil:
    """lmoo_point.residual: an evaluation that must be finite."""
    cdef lm_driver *d = <lm_driver *>at.driver
    cdef int outcome = _evaluate(d, x, f)
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
    d.own = True
    # There is nothing better to be had.
    d.s.options.refine = 0
    if code < 0:
        d.code = code
        return ENDED
    return code > 0


cdef int _look_up(lm_driver *d) noexcept nogil:
    """Every 50 ms or so the main thread looks for Ctrl-C; ENDED where it has raised something.

    Looking at the clock costs as much as a small evaluation, so the evaluations between two looks
    become more while they take less than a fifth of that time.
    """
    cdef double now = lmoo_milliseconds(), passed = now - d.looked
    d.countdown = d.interval
    if not d.watching:
        d.countdown = PTRDIFF_MAX
        return 0
    if passed < 0.2 * LOOK_EVERY:
        d.interval = min(2 * d.interval, 1024)
        d.countdown = d.interval
    elif passed > 0.5 * LOOK_EVERY:
        d.interval = d.countdown = max(d.interval // 4, 1)
    if passed < LOOK_EVERY:
        return 0
    d.looked = now
    # As a plain C function: -1 says that an exception is set, which the caller of the solve raises.
    return (<look_function><void *>_check_signals)(d)


ctypedef int (*look_function)(lm_driver *d) noexcept nogil


cdef int _check_signals(lm_driver *d) except ENDED with gil:
    """Let Python's signal handlers run, which any Python code here may do as well."""
    if threading.current_thread() is not threading.main_thread():
        d.watching = False
        return 0
    PyErr_CheckSignals()
    return 0


# ---- the linear model -----------------------------------------------------------------------

cdef int _linearize(lm_driver *d, bint better) noexcept nogil:
    """Answer LM_LINEARIZE or LM_REFINE: fill the Jacobian, factor it, hand over the model."""
    cdef lmoo_point *at = &d.point
    cdef int code
    driver_begin_model(d, better)
    code = d.strategy.evaluate(at, d.strategy.context)
    if code < 0:
        # A strategy may end the solve without having evaluated anything.
        if d.code == 0 and not d.stop:
            d.code = code
        return ENDED
    return driver_answer_model(d, code)


cdef void driver_begin_model(lm_driver *d, bint better) noexcept nogil:
    """Tell the strategy where the Jacobian is wanted."""
    cdef lmoo_point *at = &d.point
    d.factored = d.folded = False
    d.njev += 1
    at.f = d.f
    at.f_work = d.trial         # the trial has been judged, so its memory is free
    at.better = better
    at.precision = max(d.problem.precision, EPSMCH)
    at.relative_error = at.noise = 0.0
    at.column_error, at.interval = d.s.column_error, d.s.interval
    at.length, at.share = d.s.length, 1.0
    memset(at.column_error, 0, <size_t>d.n * sizeof(double))
    memset(at.interval, 0, <size_t>d.n * sizeof(double))
    # Curvature asks for J once more, after user code has run.
    at.takes_rows = _is_large(d) and not driver_wants_curvature(d) and d.rows == d.m
    at.rows = NULL


cdef bint driver_wants_curvature(const lm_driver *d) noexcept nogil:
    """Whether the step strategy may ask for curvature at x, which takes the Jacobian once more."""
    return wants_curvature(d.s)


cdef bint wants_curvature(const lm_state *s) noexcept nogil:
    """The same, from the state alone."""
    cdef int wants = s.options.step.wants_curvature
    return wants == 1 or wants == 2 and s.cut >= LM_VALLEY


cdef int driver_answer_model(lm_driver *d, int code) noexcept nogil:
    """The Jacobian is there (0), or cannot be had (positive): factor it, hand over the model."""
    cdef lmoo_point *at = &d.point
    cdef int good
    if code > 0:
        lm_refuse(d.s)
        return 0
    good = _fold_rows(d) if _is_large(d) else _factor_in_place(d)
    if good < 0:
        return ENDED
    if good:
        lm_linearized(d.s)
    else:
        lm_refuse(d.s)
    return 0


cdef bint driver_tell_errors(lm_driver *d, const double *acnorm) noexcept nogil:
    """tell_errors, of the Jacobian that the strategy has just filled."""
    cdef const lmoo_point *at = &d.point
    return tell_errors(d.s, acnorm, at.relative_error, max(at.precision, d.noise), at.noise, d.m)


cdef bint tell_errors(lm_state *s, const double *acnorm, double relative, double precision,
                      double noise, ptrdiff_t m) noexcept nogil:
    """Put the errors of the columns into the state, whose column_error and interval the strategy has filled.

    acnorm                n, the norms of the columns, read only
    relative, precision   relative errors of all columns, and of f
    noise                 norm of the error of f, where a strategy has seen it; else 0

    Returns whether a column is all error, its column_error being 1: to be set to zero, as a step along it goes
    anywhere.
    """
    cdef double root = sqrt(<double>m), f_error = s.fnorm
    cdef bint all_error = False
    cdef ptrdiff_t j
    if s.options.tests == LM_TESTS_MINPACK:
        # Which takes J as it comes.
        s.jacobian_error = 10.0 * max(max(relative, precision), EPSMCH * root)
        return False
    if noise / root > s.least_noise:
        # Intervals that were measured without it are to be measured again.
        s.least_noise, s.looked = noise / root, 0
    for j in range(s.n):
        f_error = max(f_error, acnorm[j] * fabs(s.x[j]))
    f_error = max(precision * f_error, root * s.least_noise)
    relative = max(max(relative, precision), EPSMCH * root)
    s.jacobian_error = 0.0
    for j in range(s.n):
        if s.interval[j] > 0.0:
            if 2.0 * f_error < s.interval[j] * acnorm[j]:
                s.column_error[j] += 2.0 * f_error / s.interval[j] / acnorm[j]
            else:
                s.column_error[j] = 1.0
        if s.column_error[j] >= 1.0:
            s.column_error[j] = 1.0
            # What it was taken with is no good.
            s.length[j] = min(s.length[j], 0.0)
            all_error |= acnorm[j] > 0.0
            continue
        # Sums of m products, and what follows from them, are good to some ten times this.
        s.column_error[j] = min(1.0, 10.0 * max(relative, s.column_error[j]))
        if s.column_error[j] == 1.0:
            s.length[j] = min(s.length[j], 0.0)
        s.jacobian_error = max(s.jacobian_error, s.column_error[j])
    return all_error


cdef void drop_columns(lm_state *s, ptrdiff_t m, double *a, double *acnorm) noexcept nogil:
    """Set to zero what tell_errors found to be all error.  a: m x n, column-major; acnorm: n, its norms."""
    cdef ptrdiff_t j
    for j in range(s.n):
        if s.column_error[j] == 1.0:
            memset(a + j * m, 0, <size_t>m * sizeof(double))
            acnorm[j] = 0.0


cdef inline bint _is_large(const lm_driver *d) noexcept nogil:
    return <double>d.m * d.n * d.n > LARGE


cdef bint _factor_in_place(lm_driver *d) noexcept nogil:
    """The model by qrfac on the whole Jacobian; False where an entry is not finite."""
    cdef ptrdiff_t i, j, m = d.m, n = d.n
    cdef double *a = d.fjac
    cdef double *acnorm = d.work + n
    cdef double *norms = d.work + 2 * n
    cdef double *units = d.work + 3 * n
    column_norms(m, n, a, m, acnorm)
    if not lm_sound(d.s, acnorm):
        return False
    if driver_tell_errors(d, acnorm):
        drop_columns(d.s, m, a, acnorm)
    memcpy(units, acnorm, <size_t>n * sizeof(double))
    memcpy(d.trial, d.f, <size_t>m * sizeof(double))
    divide_columns(d.s, units, m, a, norms)
    memcpy(d.s.model.acnorm, norms, <size_t>n * sizeof(double))
    multiply_columns(d.s, units, 1, d.s.model.acnorm)
    qrfac(m, n, a, m, d.s.model.ipvt, d.work, norms, acnorm, d.trial, d.s.model.qtf)
    for j in range(n):
        d.u0[j] = a[j + j * m]
    put_diagonal(n, a, m, d.work)
    for j in range(n):
        for i in range(j + 1):
            d.s.model.r[i + j * n] = a[i + j * m]
    multiply_triangle(d.s, units, d.s.model.r, d.s.model.ipvt)
    for j in range(n):
        memcpy(a + j * m, d.s.model.r + j * n, <size_t>(j + 1) * sizeof(double))
    d.factored = True
    return True


cdef int _fold_rows(lm_driver *d) noexcept nogil:
    """The model by one pass over the rows, without the GIL; 0 where an entry is not finite, ENDED
    where an interruption is to come out."""
    cdef ptrdiff_t j, n = d.n
    cdef double *t = d.work
    cdef double *acnorm = t + n * n + n
    if _fold_parts(d) < 0:
        return ENDED
    for j in range(n):
        acnorm[j] = enorm(j + 1, t + j * n)
    d.folded = d.point.rows == NULL
    if not lm_sound(d.s, acnorm):
        _copy_rows(d)
        return 0
    if driver_tell_errors(d, acnorm):
        drop_columns(d.s, n, t, acnorm)
        # The Jacobian that is kept is not that of the model any more.
        d.folded = False
    pivot_in_units(d.s, t, acnorm, acnorm + n)
    memcpy(d.s.model.r, t, <size_t>(n * n) * sizeof(double))
    return 1


cdef int _fold_parts(lm_driver *d) noexcept nogil:
    """Fold all rows, by threads where that is worth it, to the triangle at d.work."""
    cdef ptrdiff_t p, parts = fold_parts(d.m, d.n)
    cdef PyThreadState *thread
    if d.threads and parts > 1 and <double>d.m * d.n * d.n > WORTH_THREADS:
        # As a plain C function: -1 says that an exception is set.
        if (<run_function><void *>run_in_threads)(_fold_part, parts, d) < 0:
            return ENDED
        merge_parts(d.m, d.n, d.work)
        return 0
    thread = PyEval_SaveThread() if d.python else NULL
    for p in range(parts):
        _fold_part(p, d)
    merge_parts(d.m, d.n, d.work)
    if d.python:
        PyEval_RestoreThread(thread)
    return 0


ctypedef int (*run_function)(job_function job, ptrdiff_t count, void *context) noexcept nogil


cdef void _fold_part(ptrdiff_t p, void *context) noexcept nogil:
    """A job for a thread: one part of the rows."""
    cdef lm_driver *d = <lm_driver *>context
    cdef const lmoo_point *at = &d.point
    if at.rows != NULL:
        fold_part(p, d.m, d.n, at.rows, at.row_stride, at.column_stride, d.f, d.work)
    else:
        fold_part(p, d.m, d.n, d.fjac, 1, d.m, d.f, d.work)


cdef void _copy_rows(lm_driver *d) noexcept nogil:
    """A Jacobian that is refused goes where it can be looked at."""
    cdef const lmoo_point *at = &d.point
    cdef ptrdiff_t i, j
    if at.rows == NULL:
        return
    for j in range(d.n):
        for i in range(d.m):
            d.fjac[i + j * d.m] = at.rows[i * at.row_stride + j * at.column_stride]


# ---- curvature ------------------------------------------------------------------------------

cdef int _curvature(lm_driver *d) noexcept nogil:
    """Answer LM_CURVATURE:  J^T f_vv = (2 / h^2) J^T (f(x + h v) - f(x) - h J v).

    Transtrum, Sethna (2012), "Improvements to the Levenberg-Marquardt algorithm for nonlinear
    least-squares minimization", section 3.3: one evaluation of f, no second derivatives.
    """
    cdef int outcome
    if driver_begin_curvature(d):
        outcome = _evaluate(d, d.s.trial, d.trial)
        if outcome < 0:
            return outcome
        driver_answer_curvature(d, outcome > 0)
    return 0


cdef bint driver_begin_curvature(lm_driver *d) noexcept nogil:
    """Whether f is wanted at s.trial, to d.trial, for the curvature; else it is refused."""
    cdef lm_state *s = d.s
    cdef ptrdiff_t j
    for j in range(d.n):
        s.trial[j] = s.x[j] + CURVATURE_STEP * s.velocity[j]
    if (d.factored or d.folded) and bounds_inside(s, s.trial) and all_finite(d.n, s.trial):
        return True
    lm_refuse(s)
    return False


cdef void driver_answer_curvature(lm_driver *d, bint bad) noexcept nogil:
    """f is there, or cannot be had."""
    cdef lm_state *s = d.s
    cdef double h = CURVATURE_STEP
    cdef ptrdiff_t i, j, n = d.n
    if bad or not all_finite(d.m, d.trial):
        lm_refuse(s)
        return
    for i in range(d.m):
        d.trial[i] -= d.f[i]
    _gram_times(s, s.velocity, d.work, s.curvature)
    if d.factored:
        _times_transpose_factored(d, d.trial, d.work)
    else:
        _times_transpose(d, d.trial, d.work)
    for j in range(n):
        s.curvature[j] = 2.0 / (h * h) * (d.work[j] - h * s.curvature[j])
    lm_curved(s)


cdef void _gram_times(const lm_state *s, const double *v, double *w, double *out) noexcept nogil:
    """out = J^T J v = P R^T (R P^T v).  w: n doubles of work space."""
    cdef ptrdiff_t i, j, n = s.n
    cdef const double *r = s.model.r
    for i in range(n):
        w[i] = 0.0
    for j in range(n):
        for i in range(j + 1):
            w[i] += r[i + j * n] * v[s.model.ipvt[j]]
    _permuted_transpose(s, w, out)


cdef void _permuted_transpose(const lm_state *s, const double *w, double *out) noexcept nogil:
    """out = P R^T w."""
    cdef ptrdiff_t i, j, n = s.n
    cdef double total
    for j in range(n):
        total = 0.0
        for i in range(j + 1):
            total += s.model.r[i + j * n] * w[i]
        out[s.model.ipvt[j]] = total


cdef void _times_transpose_factored(lm_driver *d, double *v, double *out) noexcept nogil:
    """out = J^T v = P R^T (Q^T v)[:n], from qrfac's Householder vectors.  v is overwritten."""
    cdef ptrdiff_t i, j
    cdef double total
    cdef const double *u
    for j in range(d.n):
        if d.u0[j] == 0.0:
            continue
        u = d.fjac + j * d.m
        total = d.u0[j] * v[j]
        for i in range(j + 1, d.m):
            total += u[i] * v[i]
        total /= d.u0[j]
        v[j] -= total * d.u0[j]
        for i in range(j + 1, d.m):
            v[i] -= total * u[i]
    _permuted_transpose(d.s, v, out)


cdef void _times_transpose(const lm_driver *d, const double *v, double *out) noexcept nogil:
    """out = J^T v, fjac being J."""
    cdef ptrdiff_t i, j
    cdef double total
    for j in range(d.n):
        total = 0.0
        for i in range(d.m):
            total += d.fjac[i + j * d.m] * v[i]
        out[j] = total
