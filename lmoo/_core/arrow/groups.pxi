"""Solves of problems of groups: rows and parameters of their own, and shared parameters.

The residual is one vector in memory, that of all groups; of the Jacobian there are only the blocks [J_k | A_k] of single
groups, which go into the arrow linear model one after the other (arrow/linear.pxi).  What evaluates the groups is an object,
`Groups`:

    CurveGroups     one compiled model and a curve for each group, without the GIL, on threads
    MemberGroups    any problems, each by its own residual and its own Jacobian strategy

The order of the parameters: the shared ones, then the own ones of each group.
"""

from cpython.exc cimport PyErr_CheckSignals, PyErr_Occurred
from libc.math cimport hypot, isfinite, sqrt
from libc.string cimport memcpy, memset

import numpy as np

cimport numpy as cnp

from lmoo._core.iteration cimport bounds_start
from lmoo._core.batch cimport CurveModel
from lmoo._core.solve cimport Derivatives, Differences, Grouped
from lmoo._core.evaluate cimport FAILED, lm_driver, lm_evaluator, pause_at_request, refuse_request
from lmoo._core.iteration cimport lm_attach, lm_linearized, lm_refuse, lm_sound, lm_state_bytes
from lmoo._core.evaluate cimport store_errors
from lmoo._core.solve cimport Loop
from lmoo._core.evaluate cimport loss_rows, multiply_rows
from lmoo._core.model cimport *
from lmoo._core.norms cimport all_finite, enorm
from lmoo._core.solve cimport Residual, Source, new_vector
from lmoo._core.evaluate cimport vectors_answer_norm
from lmoo._core.weights cimport weigh_residual

from lmoo.errors import EvaluationError

cnp.import_array()

cdef double EPSMCH = 2.0**-52

ctypedef int (*residual_answer)(lm_driver *d) noexcept nogil
ctypedef int (*linearize_answer)(lm_driver *d, bint better) noexcept nogil
ctypedef int (*residual_callback)(lmoo_point *at, const double *x, double *f) noexcept nogil


cdef int reraise() except -1:
    """Let the exception that is set come out."""
    return -1


# ---- the solve ------------------------------------------------------------------------------

cdef class Groups:
    """Base: what evaluates a problem of groups, for one solve.

    Attributes
    ----------
    shared : int
        Number of shared parameters.
    own : (groups,) array
        Numbers of own parameters.
    rows : int
        Of the residual; -1 before `begin`.
    """

    cdef int begin(self, const double *x) except -1:
        """Find the number of rows at the starting point x; 1 if that is a bad point."""
        return 0

    cdef int residual(self, const double *x, double *f) except -1:
        """f at x: 0, or 1 at a bad point."""
        raise NotImplementedError

    cdef int linearize(self, ArrowLoop loop, bint better) except -1:
        """Give the blocks of all groups at the current point to the arrow model; 0, or 1 at a bad point.

        Relative errors of own columns and intervals go to the state.
        """
        raise NotImplementedError

    cdef int finish(self, ArrowLoop loop, const double *norms) except -1:
        """The norms of all columns are known: errors of shared columns and intervals to the state."""
        return 0


cdef class GroupSource(Source):
    """Groups as the problem of a solve."""

    def __cinit__(self, Groups groups not None):
        self.groups, self.name, self.python = groups, "residual", True
        self.table.size = sizeof(lmoo_problem)
        self.table.m = groups.rows
        self.table.precision = EPSMCH


cdef class GroupDerivatives(Derivatives):
    """In place of a Jacobian strategy: tells whether there are better derivatives to ask for."""

    def __cinit__(self, Groups groups not None):
        self.noise = groups.error
        self.table.size = sizeof(lmoo_jacobian)
        self.table.refines = groups.refines


# As plain C functions: -1 says that an exception is set, which the caller of the solve raises.

cdef int _measure(lm_driver *d) except -1:
    """lm_evaluator.residual; called with the GIL."""
    if d.stop:
        return FAILED
    return (<ArrowLoop>d.owner).measure()


cdef int _linearize(lm_driver *d, bint better) except -1:
    """lm_evaluator.linearize; called with the GIL."""
    if d.stop:
        return FAILED
    return (<ArrowLoop>d.owner).linearize(better)


cdef lm_evaluator GROUPS
GROUPS.residual = <residual_answer><void *>_measure
GROUPS.linearize = <linearize_answer><void *>_linearize
# It would take the Jacobian once more: the strategy does without.
GROUPS.curvature = refuse_request
GROUPS.step = pause_at_request


cdef class ArrowLoop(Loop):
    """One solve with the arrow linear model.

    Parameters
    ----------
    fun : GroupSource
    linear : ArrowLinear
        New, of the shapes of the groups.
    The others are those of `Loop`.
    """

    def __cinit__(self, GroupSource fun, *args):
        self.groups = fun.groups
        self.arrow = <ArrowLinear?>self.linear
        assert self.arrow.n == self.n
        # Operations are given the model itself, not the object.
        self.s.model = &self.arrow.a
        self.d.evaluator, self.d.owner = &GROUPS, <void *>self
        # So that the base class does not allocate.
        self.memory = ()

    cdef int place(self, ptrdiff_t m) except -1:
        """Memory for m residuals, three times."""
        cdef double *memory
        self.memory = np.zeros(3 * max(m, 1))
        memory = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.memory)
        self.d.f, self.d.previous, self.d.trial = memory, memory + m, memory + 2 * m
        self.m = self.d.m = self.d.rows = m
        if self.kernel is not None:
            self.kernel.place(m, m)
            self.kernel.table.weights = self.groups.weights
        return 0

    cdef int measure(self) except -1:
        """Answer LM_RESIDUAL."""
        cdef lm_state *s = self.s
        cdef bint bad
        s.nfev += 1
        if self.m < 0:
            bad = self.groups.begin(s.trial)
            if not bad:
                if self.groups.rows < 1:
                    raise ValueError("the problem has no residuals")
                self.fun.table.m = self.groups.rows
                self.place(self.groups.rows)
        else:
            bad = False
        bad = bad or self.groups.residual(s.trial, self.d.trial)
        if bad:
            self.fun.refusal = self.groups.refusal
            lm_refuse(s)
            return 0
        self.fun.table.precision = self.groups.precision
        if vectors_answer_norm(&self.d, self.norm() if self.d.loss == NULL else -1.0) < 0:
            reraise()
        return 0

    cdef double norm(self) noexcept:
        """Return the norm of the residual at the trial point."""
        return enorm(self.m, self.d.trial)

    cdef int linearize(self, bint better) except -1:
        """Answer LM_LINEARIZE or LM_REFINE."""
        cdef lm_state *s = self.s
        cdef lm_arrow *a = &self.arrow.a
        cdef double *norms = s.wa1
        cdef ptrdiff_t j
        self.d.njev += 1
        memset(s.column_error, 0, <size_t>self.n * sizeof(double))
        memset(s.interval, 0, <size_t>self.n * sizeof(double))
        if self.d.loss != NULL and loss_rows(self.d.loss, self.d.rows, self.d.f) < 0:
            reraise()
        arrow_begin(a)
        self.groups.differenced = 0
        if self.groups.linearize(self, better):
            self.fun.refusal = self.groups.refusal if s.models == 0 else None
            lm_refuse(s)
            return 0
        s.nfev += self.groups.differenced
        self.d.differenced += self.groups.differenced
        self.d.has_jacobian = self.groups.exact
        if self.groups.exact:
            # There is nothing better to be had.
            s.options.refine = 0
        arrow_finish(a, norms)
        if not lm_sound(s, norms):
            lm_refuse(s)
            return 0
        self.groups.finish(self, norms)
        if store_errors(s, norms, self.groups.relative, max(self.groups.precision, self.d.noise),
                       self.groups.noise, self.m):
            for j in range(self.n):
                if s.column_error[j] == 1.0 and norms[j] > 0.0:
                    arrow_drop(a, j)
                    norms[j] = 0.0
        arrow_take(a)
        memcpy(s.acnorm, norms, <size_t>self.n * sizeof(double))
        lm_linearized(s)
        return 0

    # ---- result --------------------------------------------------------------------

    def factor(self):
        """Return the factor of the last model of the free parameters, as `ArrowLinear.factor` does."""
        return self.arrow.factor(self.s.jacobian_error, self.fixed_or_active if self.s.bounded else None)

    def dense_factor(self):
        """Return (r, ipvt, qtf), the factor of the last model of the free parameters as matrices."""
        return self.arrow.dense_factor(self.s.jacobian_error, self.fixed_or_active if self.s.bounded else None)

    def rows_at_end(self):
        raise TypeError("the Jacobian of a problem with an arrow linear model is never in memory as a whole")

    def out_of_jacobian(self):
        """Empty: there are blocks of it only."""
        return np.empty((0, 0))


# ---- one model, many curves -------------------------------------------------------------------

ctypedef struct curves:
    # A pass over all groups.
    lm_arrow *a
    const lmoo_model *model
    const double *t
    const double *y
    const double *weights
    ptrdiff_t t_stride, weights_stride, m, n, own, shared
    const ptrdiff_t *where
    const double *x
    double *f               # all residuals
    const double *model_f   # what stands for them in the linear model
    const double *root      # factors of the rows; NULL without a loss
    double *work            # work_size doubles for each part
    ptrdiff_t work_size
    int *codes              # one for each part


cdef inline void _gather(const curves *c, ptrdiff_t k, double *x) noexcept nogil:
    """The parameters of group k, as its model has them."""
    cdef ptrdiff_t j
    for j in range(c.n):
        x[j] = c.x[c.where[j]] if c.where[j] < c.shared else c.x[c.where[j] + k * c.own]


cdef void _curves_residual_part(ptrdiff_t part, void *context) noexcept nogil:
    cdef curves *c = <curves *>context
    cdef double *x = c.work + part * c.work_size
    cdef double *f
    cdef const double *y
    cdef ptrdiff_t i, k
    for k in range(arrow_start(c.a, part), arrow_start(c.a, part + 1)):
        _gather(c, k, x)
        f, y = c.f + k * c.m, c.y + k * c.m
        c.codes[part] = c.model.values(c.m, c.n, c.t + k * c.t_stride, x, f, c.model.user_data)
        if c.codes[part] != 0:
            return
        for i in range(c.m):
            f[i] -= y[i]
        if c.weights != NULL:
            weigh_residual(c.m, c.weights + k * c.weights_stride, f)


cdef void _curves_jacobian_part(ptrdiff_t part, void *context) noexcept nogil:
    cdef curves *c = <curves *>context
    cdef double *x = c.work + part * c.work_size
    cdef double *derivatives = x + c.n
    cdef double *matrix = derivatives + c.m * c.n
    cdef double *column
    cdef ptrdiff_t j, k, place
    for k in range(arrow_start(c.a, part), arrow_start(c.a, part + 1)):
        _gather(c, k, x)
        c.codes[part] = c.model.derivatives(c.m, c.n, c.t + k * c.t_stride, x, derivatives, c.model.user_data)
        if c.codes[part] != 0:
            return
        for j in range(c.n):
            place = c.own + c.where[j] if c.where[j] < c.shared else c.where[j] - c.shared
            column = matrix + place * c.m
            memcpy(column, derivatives + j * c.m, <size_t>c.m * sizeof(double))
            if c.weights != NULL:
                weigh_residual(c.m, c.weights + k * c.weights_stride, column)
            if c.root != NULL:
                multiply_rows(c.m, c.root + k * c.m, column, column)
        memcpy(matrix + c.n * c.m, c.model_f + k * c.m, <size_t>c.m * sizeof(double))
        arrow_block(c.a, &c.a.part[part], k, c.m, matrix, c.m)


cdef class CurveGroups(Groups):
    """One compiled model, with derivatives, and a curve for each group.

    Parameters
    ----------
    model : CurveModel
    t : (1 or groups, variables, m) array
    y : (groups, m) array
    weights : (1 or groups, m) array or None
        Factors of the residuals, 0 for points that do not count.  All float64 and contiguous.
    shared : int
    where : (n,) intp array
        Of each parameter of the model: below `shared` the number of a shared one, else that of an own one,
        plus `shared`.
    """

    cdef CurveModel model
    cdef ArrowLinear arrow
    cdef curves c
    cdef object kept

    def __cinit__(self, CurveModel model not None, const double[:, :, ::1] t not None,
                  const double[:, ::1] y not None, const double[:, ::1] weights, ptrdiff_t shared,
                  const ptrdiff_t[::1] where not None, ptrdiff_t parts):
        cdef cnp.ndarray work, codes
        cdef ptrdiff_t groups = y.shape[0], m = y.shape[1], n = where.shape[0]
        assert n == model.table.n and t.shape[1] == model.table.variables and model.table.derivatives != NULL
        self.model = model
        self.shared, self.rows = shared, groups * m
        self.own = np.full(groups, n - shared, dtype=np.intp)
        self.precision, self.exact = EPSMCH, True
        self.c.model = &model.table
        self.c.t, self.c.t_stride = &t[0, 0, 0], 0 if t.shape[0] == 1 else t.shape[1] * t.shape[2]
        self.c.y = &y[0, 0]
        self.c.weights = NULL
        if weights is not None:
            self.c.weights = &weights[0, 0]
            self.c.weights_stride = 0 if weights.shape[0] == 1 else m
            if weights.shape[0] == groups:
                self.weights = self.c.weights
        self.c.m, self.c.n, self.c.own, self.c.shared = m, n, n - shared, shared
        self.c.where = &where[0]
        self.c.work_size = n + m * n + m * (n + 1)
        work = np.zeros(parts * self.c.work_size)
        codes = np.zeros(parts, dtype=np.int32)
        self.c.work, self.c.codes = <double *>cnp.PyArray_DATA(work), <int *>cnp.PyArray_DATA(codes)
        self.kept = (t, y, weights, where, work, codes)

    cdef int run(self, bint derivatives) except -1:
        """A pass on threads: 0, or 1 at a bad point."""
        cdef ptrdiff_t part
        memset(self.c.codes, 0, <size_t>self.c.a.parts * sizeof(int))
        PyErr_CheckSignals()
        with nogil:
            arrow_each(self.c.a, _curves_jacobian_part if derivatives else _curves_residual_part, &self.c,
                       10.0 * self.c.m * (self.c.n if derivatives else 1))
        for part in range(self.c.a.parts):
            if self.c.codes[part] < 0:
                raise ValueError(f"the model ended the solve: it returned {self.c.codes[part]}")
            if self.c.codes[part] > 0:
                return 1
        return 0

    cdef int residual(self, const double *x, double *f) except -1:
        self.c.x, self.c.f = x, f
        return self.run(False)

    cdef int linearize(self, ArrowLoop loop, bint better) except -1:
        self.c.x, self.c.model_f, self.c.root = loop.s.x, loop.d.f, NULL
        if loop.d.loss != NULL:
            self.c.model_f, self.c.root = loop.d.loss.model, loop.d.loss.root
        return self.run(True)

    def attach(self, ArrowLinear arrow not None):
        """Be evaluated in the parts of this model, which is kept alive."""
        self.c.a, self.arrow = &arrow.a, arrow

    def rows_at(self, const double[::1] x not None):
        """Return the residual at x; None at a bad point."""
        cdef double[::1] out = np.empty(self.rows)
        return None if self.residual(&x[0], &out[0]) else np.asarray(out)

    def factor_at(self, const double[::1] x not None, const double[::1] f not None, const double[::1] root):
        """Return (blocks, order, rank, T) of all groups at x, without parameters left out; None at a bad point.

        f      what stands for the residual in the linear model
        root   factors of the rows with a loss; None: none
        """
        cdef lm_arrow *a = self.c.a
        cdef ptrdiff_t s = a.shared
        self.c.x, self.c.model_f, self.c.root = &x[0], &f[0], NULL
        if root is not None:
            self.c.root = &root[0]
        arrow_begin(a)
        if self.run(True):
            return None
        _merge_parts(a)
        return (new_vector(a.place[a.groups], a.next.blocks), np.array(<int[:max(a.n - s, 1)]>a.next.order)[:a.n - s],
                np.array(<int[:a.groups]>a.next.rank), new_vector(s * (s + 1), a.part[0].t))


cdef class RemoteGroups(Groups):
    """Groups that are evaluated and eliminated elsewhere, in pieces of successive ones.

    Parameters
    ----------
    passes : object
        ``passes.residual(x)`` returns the residual of all groups, and ``passes.linearize(x, f, root)`` what
        `CurveGroups.factor_at` returns for each piece; both None at a bad point.
    shared : int
    own : (groups,) intp array
    rows : int
    weights : (rows,) float64 array or None
        0 for rows that do not count.
    """

    cdef object passes, kept

    def __cinit__(self, passes, ptrdiff_t shared, own, ptrdiff_t rows, const double[::1] weights):
        self.passes, self.shared, self.own, self.rows = passes, shared, own, rows
        self.precision, self.exact, self.kept = EPSMCH, True, weights
        if weights is not None:
            self.weights = &weights[0]

    cdef int residual(self, const double *x, double *f) except -1:
        cdef const double[::1] found
        values = self.passes.residual(new_vector(self.shared + int(self.own.sum()), x))
        if values is None:
            return 1
        found = values
        assert found.shape[0] == self.rows
        memcpy(f, &found[0], <size_t>self.rows * sizeof(double))
        return 0

    cdef int linearize(self, ArrowLoop loop, bint better) except -1:
        cdef lm_arrow *a = &loop.arrow.a
        cdef const double[::1] blocks, t
        cdef const int[::1] order, rank
        cdef ptrdiff_t group = 0, s = a.shared
        f = root = None
        if loop.d.loss != NULL:
            f, root = new_vector(self.rows, loop.d.loss.model), new_vector(self.rows, loop.d.loss.root)
        pieces = self.passes.linearize(new_vector(a.n, loop.s.x), f, root)
        if pieces is None:
            return 1
        for blocks, order, rank, t in pieces:
            assert group + rank.shape[0] <= a.groups and t.shape[0] == s * (s + 1)
            assert blocks.shape[0] == a.place[group + rank.shape[0]] - a.place[group]
            if blocks.shape[0] > 0:
                memcpy(a.next.blocks + a.place[group], &blocks[0], <size_t>blocks.shape[0] * sizeof(double))
                memcpy(a.next.order + a.first[group], &order[0], <size_t>order.shape[0] * sizeof(int))
            memcpy(a.next.rank + group, &rank[0], <size_t>rank.shape[0] * sizeof(int))
            arrow_rows(a, &a.part[0], s, &t[0], s)
            group += rank.shape[0]
        assert group == a.groups
        return 0


# ---- any problems -----------------------------------------------------------------------------

ctypedef struct lm_member:
    # What a strategy's calls back are given.
    void *fun               # the member's Source, borrowed
    lm_state *s             # of this member alone; counts its evaluations
    const double *root      # by which a strategy wants residuals multiplied; NULL where it does not
    int code                # negative: what a compiled function returned to end the solve
    bint own                # its own derivatives have been used


cdef int _evaluate(lmoo_point *at, const double *x, double *f) noexcept nogil:
    """lmoo_point.residual: an evaluation that must be finite; the GIL is held."""
    cdef lm_member *member = <lm_member *>at.driver
    cdef int code = (<evaluate_function><void *>_evaluate_source)(member.fun, at.m, at.n, x, f)
    member.s.nfev += 1
    if code < 0:
        member.code = code
        return code
    if code == 0 and member.root != NULL:
        multiply_rows(at.m, member.root, f, f)
    return code > 0 or not all_finite(at.m, f)


ctypedef int (*evaluate_function)(void *fun, ptrdiff_t m, ptrdiff_t n, const double *x, double *f) noexcept nogil


cdef int _evaluate_source(void *fun, ptrdiff_t m, ptrdiff_t n, const double *x, double *f) except? -1:
    """f at x of a Source; -1 with an exception set, or what its function returned."""
    cdef Source source = <Source>fun
    return source.table.residual(m, n, x, f, source.table.user_data)


cdef int _own_jacobian(lmoo_point *at) noexcept nogil:
    """lmoo_point.jacobian: that of a compiled member."""
    cdef lm_member *member = <lm_member *>at.driver
    cdef int code = (<jacobian_function><void *>_jacobian_of_source)(member.fun, at)
    if code != LMOO_NOT_PROVIDED:
        member.own = True
        if code < 0:
            member.code = code
    return code


ctypedef int (*jacobian_function)(void *fun, lmoo_point *at) noexcept nogil


cdef int _jacobian_of_source(void *fun, lmoo_point *at) except? -1:
    cdef Source source = <Source>fun
    cdef int code = LMOO_NOT_PROVIDED
    if source.table.jacobian != NULL:
        code = source.table.jacobian(at.m, at.n, at.x, at.fjac, source.table.user_data)
    if code == LMOO_NOT_PROVIDED and source.table.both != NULL:
        code = source.table.both(at.m, at.n, at.x, at.f_work, at.fjac, source.table.user_data)
    return code


cdef class Member:
    """A problem among others: its residual, its derivatives, and which parameters it has.

    Parameters
    ----------
    fun : Source
        New, of this problem alone.
    derivatives : Derivatives
    index : (n,) intp array
        Its parameters among those of the whole, in its own order.
    exact : bool
        Whether the derivatives are no differences.
    label : str
        What messages call it.
    priors : int, default 0
        How many of its last rows are priors.  They come behind the rows of all members, as the loss
        leaves the last rows as they are.
    """

    cdef Source fun
    cdef Derivatives derivatives
    cdef readonly object index, label
    cdef bint exact
    cdef ptrdiff_t n, m, row, priors, prior_row
    cdef const ptrdiff_t *where
    cdef object state, x, rows
    cdef lm_state *s
    cdef double *at_x

    def __cinit__(self, Source fun not None, Derivatives derivatives not None, index, bint exact, str label,
                  ptrdiff_t priors=0):
        cdef cnp.ndarray array = np.ascontiguousarray(index, dtype=np.intp)
        self.fun, self.derivatives, self.exact, self.label = fun, derivatives, exact, label
        self.index, self.n = array, cnp.PyArray_SIZE(array)
        self.where = <const ptrdiff_t *>cnp.PyArray_DATA(array)
        self.m, self.priors = fun.table.m, priors
        self.state = np.zeros(lm_state_bytes(self.n, True, True) // 8 + 1)
        self.s = <lm_state *>cnp.PyArray_DATA(<cnp.ndarray>self.state)
        lm_attach(self.s, self.n)
        self.x = np.zeros(self.n)
        self.at_x = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.x)

    cdef void gather(self, const double *x) noexcept:
        cdef ptrdiff_t j
        for j in range(self.n):
            self.at_x[j] = x[self.where[j]]

    cdef double *space(self, ptrdiff_t which) noexcept:
        """Memory for the rows of a member with priors, one after the other; which: 0, 1 or 2."""
        return <double *>cnp.PyArray_DATA(<cnp.ndarray>self.rows) + which * self.m

    cdef const double *together(self, const double *f, ptrdiff_t which) noexcept:
        """Its rows of a vector of all rows, one after the other."""
        cdef double *out
        if self.priors == 0:
            return f + self.row
        out = self.space(which)
        memcpy(out, f + self.row, <size_t>(self.m - self.priors) * sizeof(double))
        memcpy(out + self.m - self.priors, f + self.prior_row, <size_t>self.priors * sizeof(double))
        return out

    cdef void apart(self, const double *rows, double *f) noexcept:
        """Put its rows into the vector of all rows."""
        memcpy(f + self.row, rows, <size_t>(self.m - self.priors) * sizeof(double))
        memcpy(f + self.prior_row, rows + self.m - self.priors, <size_t>self.priors * sizeof(double))

    cdef int fail(self, int code) except -1:
        """Raise what ended the solve."""
        if PyErr_Occurred():
            try:
                reraise()
            except Exception as error:
                error.add_note(f"in {self.label} of the joint problem")
                raise
        error = EvaluationError(f"{self.label} of the joint problem ended the solve: it returned {code}")
        error.code = code
        raise error


cdef class MemberGroups(Groups):
    """Any problems, each with own parameters and some of the shared ones.

    Parameters
    ----------
    members : list of Member
    shared : int
    guard : callable, optional
        ``guard(x)`` raises EvaluationError where the members must not be evaluated.
    """

    cdef list members
    cdef object kept, squares, intervals, buffer, guard
    cdef bint begun

    def __cinit__(self, list members not None, ptrdiff_t shared, guard=None):
        cdef Member member
        self.guard = guard
        self.members, self.shared, self.rows = members, shared, -1
        self.own = np.array([int(np.count_nonzero(np.asarray(m.index) >= shared)) for m in members], dtype=np.intp)
        self.squares, self.intervals = np.zeros(shared), np.zeros(shared)
        self.precision = EPSMCH
        for member in members:
            self.refines = self.refines or member.derivatives.table.refines
            self.error = max(self.error, member.derivatives.noise)

    cdef int begin(self, const double *x) except -1:
        cdef Member member
        cdef ptrdiff_t rows = 0
        if self.refused(x):
            return 1
        for member in self.members:
            if member.fun.python:
                member.gather(x)
                try:
                    bad = (<Residual>member.fun).begin(member.n, member.at_x)
                except Exception as error:
                    error.add_note(f"in {member.label} of the joint problem")
                    raise
                if bad:
                    self.refusal = member.fun.refusal
                    return 1
            member.m = member.fun.table.m
            member.row = rows
            rows += member.m - member.priors
            self.precision = max(self.precision, member.fun.table.precision)
        for member in self.members:
            member.prior_row = rows
            rows += member.priors
            if member.priors > 0:
                member.rows = np.zeros(3 * member.m)
        self.rows = rows
        return 0

    cdef int refused(self, const double *x) except -1:
        """Whether the members must not be evaluated at x."""
        if self.guard is None:
            return 0
        try:
            self.guard(new_vector(self.shared + int(self.own.sum()), x))
        except EvaluationError as error:
            self.refusal = error
            return 1
        return 0

    cdef int residual(self, const double *x, double *f) except -1:
        cdef Member member
        cdef double *rows
        cdef int code = 0
        if self.begun and self.refused(x):
            return 1
        for member in self.members:
            member.gather(x)
            rows = f + member.row if member.priors == 0 else member.space(0)
            if not self.begun and member.fun.python:
                (<Residual>member.fun).take((<Residual>member.fun).first, rows)
                (<Residual>member.fun).first = None
            else:
                code = member.fun.table.residual(member.m, member.n, member.at_x, rows, member.fun.table.user_data)
            if code < 0:
                member.fail(code)
            if code > 0:
                self.begun = True
                return 1
            if member.priors > 0:
                member.apart(rows, f)
        self.begun = True
        PyErr_CheckSignals()
        return 0

    cdef int linearize(self, ArrowLoop loop, bint better) except -1:
        cdef Member member
        cdef ptrdiff_t k = 0, most = 0
        self.relative = self.noise = 0.0
        self.squares[...] = 0.0
        self.intervals[...] = 0.0
        self.exact = True
        if self.buffer is None:
            self.attach()
        for member in self.members:
            if self.block(loop, member, k, better):
                return 1
            most = max(most, member.s.nfev)
            k += 1
        # As an evaluation is one of all members.
        self.differenced = most
        return 0

    cdef int attach(self) except -1:
        """Memory for the largest block and its right side, and for a strategy's work."""
        cdef Member member
        cdef ptrdiff_t largest = 1, wide = 1, longest = 1, own
        for member in self.members:
            own = int(np.count_nonzero(member.index >= self.shared))
            largest = max(largest, member.m * member.n)
            wide = max(wide, member.m * (own + self.shared + 1))
            longest = max(longest, member.n + member.m)
        self.buffer = np.zeros(largest)
        self.kept = np.zeros(wide), np.zeros(longest)
        for member in self.members:
            member.derivatives.attach(member.fun, self.buffer[:member.m * member.n].reshape(member.n, member.m))
        return 0

    cdef int block(self, ArrowLoop loop, Member member, ptrdiff_t k, bint better) except -1:
        """Give the block of member k to the arrow model: 0, or 1 at a bad point."""
        cdef lmoo_point at
        cdef lm_member callbacks
        cdef lm_state *s = member.s
        cdef lm_state *whole = loop.s
        cdef const double *f = member.together(loop.d.f, 0)
        cdef const double *root = NULL
        cdef double *fjac = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.buffer)
        cdef double *matrix = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.kept[0])
        cdef double *column
        cdef ptrdiff_t i, j, g, m = member.m, n = member.n
        cdef ptrdiff_t own = loop.arrow.a.first[k + 1] - loop.arrow.a.first[k]
        cdef ptrdiff_t base = self.shared + loop.arrow.a.first[k]
        cdef int code
        member.gather(whole.x)
        s.nfev = 0
        s.fnorm = enorm(m, f)
        if s.models == 0:
            s.start_fnorm = s.fnorm
        s.least_noise = whole.least_noise
        for j in range(n):
            s.diag[j] = whole.diag[member.where[j]]
            s.column_error[j] = s.interval[j] = 0.0
        if whole.bounded and s.models == 0:
            self.bind_bounds(whole, member)
        if whole.bounded:
            for j in range(n):
                s.active[j] = whole.active[member.where[j]]
        memset(&callbacks, 0, sizeof(lm_member))
        callbacks.fun, callbacks.s = <void *>member.fun, s
        if loop.d.loss != NULL:
            root = member.together(loop.d.loss.root, 1)
            if isinstance(member.derivatives, (Differences, Grouped)) and not member.exact:
                callbacks.root, f = root, member.together(loop.d.loss.weighted, 0)
        memset(&at, 0, sizeof(lmoo_point))
        at.size = sizeof(lmoo_point)
        at.m, at.n, at.x, at.f, at.fjac = m, n, member.at_x, f, fjac
        at.x_work = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.kept[1])
        at.f_work = at.x_work + n
        at.state, at.precision, at.high_accuracy = s, max(member.fun.table.precision, EPSMCH), better
        at.residual, at.jacobian, at.driver = _evaluate, _own_jacobian, &callbacks
        at.column_error, at.interval, at.length, at.share = s.column_error, s.interval, s.length, 1.0
        code = member.derivatives.table.evaluate(&at, member.derivatives.table.context)
        if code < 0:
            member.fail(callbacks.code if callbacks.code < 0 else code)
        if code > 0:
            self.refusal = member.fun.refusal
            return 1
        member.exact = member.exact or callbacks.own
        if not member.exact:
            self.exact = False
        self.relative = max(self.relative, at.relative_error)
        self.noise = hypot(self.noise, at.noise)
        memset(matrix, 0, <size_t>(m * (own + self.shared + 1)) * sizeof(double))
        for j in range(n):
            g = member.where[j]
            column = matrix + (own + g if g < self.shared else g - base) * m
            memcpy(column, fjac + j * m, <size_t>m * sizeof(double))
            if root != NULL and callbacks.root == NULL:
                multiply_rows(m, root, column, column)
            s.acnorm[j] = enorm(m, column)
            self.note_error(loop, s, j, g)
        memcpy(matrix + (own + self.shared) * m,
               member.together(loop.d.f if loop.d.loss == NULL else loop.d.loss.model, 2), <size_t>m * sizeof(double))
        s.models += 1
        i = 0
        while arrow_start(&loop.arrow.a, i + 1) <= k:
            i += 1
        arrow_block(&loop.arrow.a, &loop.arrow.a.part[i], k, m, matrix, m)
        return 0

    cdef int note_error(self, ArrowLoop loop, lm_state *s, ptrdiff_t j, ptrdiff_t g) except -1:
        """Error and interval of a column of a member, among those of the whole.

        An interval tells which error of f a column has, which for a member is that of its own rows.
        """
        cdef double share = s.fnorm / loop.s.fnorm if loop.s.fnorm > 0.0 else 1.0
        cdef double part
        if g >= self.shared:
            loop.s.column_error[g] = s.column_error[j]
            loop.s.interval[g] = s.interval[j] / share if share > 0.0 else s.interval[j]
            return 0
        part = s.column_error[j] * s.acnorm[j]
        self.squares[g] += part * part
        if s.interval[j] > 0.0:
            self.intervals[g] += (share / s.interval[j]) ** 2
        return 0

    cdef int finish(self, ArrowLoop loop, const double *norms) except -1:
        cdef ptrdiff_t j
        for j in range(self.shared):
            loop.s.column_error[j] = sqrt(self.squares[j]) / norms[j] if norms[j] > 0.0 else 0.0
            loop.s.interval[j] = 1.0 / sqrt(self.intervals[j]) if self.intervals[j] > 0.0 else 0.0
        return 0

    cdef int bind_bounds(self, lm_state *whole, Member member) except -1:
        cdef double[:, ::1] edges = np.empty((2, member.n))
        cdef ptrdiff_t j
        for j in range(member.n):
            edges[0, j], edges[1, j] = whole.lower[member.where[j]], whole.upper[member.where[j]]
        bounds_start(member.s, &edges[0, 0], &edges[1, 0])
        return 0
