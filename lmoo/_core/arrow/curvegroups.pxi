"""Groups of one compiled model and a curve each, here or elsewhere."""


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
        memset(self.c.codes, 0, <size_t>self.c.a.parts * sizeof(int))
        PyErr_CheckSignals()
        with nogil:
            arrow_each(self.c.a, _curves_jacobian_part if derivatives else _curves_residual_part, &self.c,
                       10.0 * self.c.m * (self.c.n if derivatives else 1))
        return answer_of_parts(self.c.codes, self.c.a.parts)

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
        """Return (blocks, order, rank, T, overlaps) of all groups at x, without parameters left out.

        None at a bad point.  The overlaps, (n,), are sums of |f_i J_ij|.

        f      what stands for the residual in the linear model
        root   factors of the rows with a loss; None: none
        """
        cdef lm_arrow *a = self.c.a
        cdef ptrdiff_t s = a.shared
        self.c.x, self.c.model_f, self.c.root = &x[0], &f[0], NULL
        if root is not None:
            self.c.root = &root[0]
        arrow_begin(a)
        a.fnorm = enorm(f.shape[0], &f[0])
        if self.run(True):
            return None
        _merge_parts(a)
        arrow_add_parts(a)
        return (new_vector(a.place[a.groups], a.next.blocks), np.array(<int[:max(a.n - s, 1)]>a.next.order)[:a.n - s],
                np.array(<int[:a.groups]>a.next.rank), new_vector(s * (s + 1), a.part[0].t),
                a.fnorm * new_vector(a.n, a.overlaps))


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
        cdef const double[::1] blocks, t, overlaps
        cdef const int[::1] order, rank
        cdef ptrdiff_t group = 0, j, own, s = a.shared
        f = root = None
        if loop.d.loss != NULL:
            f, root = new_vector(self.rows, loop.d.loss.model), new_vector(self.rows, loop.d.loss.root)
        pieces = self.passes.linearize(new_vector(a.n, loop.s.x), f, root)
        if pieces is None:
            return 1
        for blocks, order, rank, t, overlaps in pieces:
            assert group + rank.shape[0] <= a.groups and t.shape[0] == s * (s + 1)
            assert blocks.shape[0] == a.place[group + rank.shape[0]] - a.place[group]
            if blocks.shape[0] > 0:
                memcpy(a.next.blocks + a.place[group], &blocks[0], <size_t>blocks.shape[0] * sizeof(double))
                memcpy(a.next.order + a.first[group], &order[0], <size_t>order.shape[0] * sizeof(int))
            memcpy(a.next.rank + group, &rank[0], <size_t>rank.shape[0] * sizeof(int))
            arrow_rows(a, &a.part[0], s, &t[0], s)
            own = a.first[group + rank.shape[0]] - a.first[group]
            assert overlaps.shape[0] == s + own
            if a.fnorm > 0.0:
                for j in range(s):
                    a.part[0].overlaps[j] += overlaps[j] / a.fnorm
                for j in range(own):
                    a.overlaps[s + a.first[group] + j] = overlaps[s + j] / a.fnorm
            group += rank.shape[0]
        assert group == a.groups
        return 0
