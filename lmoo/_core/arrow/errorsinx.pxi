"""Errors in x: orthogonal distance regression, with the arrow linear model.

Point i was measured at t_i, which is in error as y_i is; its true place is t_i + L_i u_i, with L_i L_i^T the covariance
of t_i.  The residuals are

    r_i = w_i (f(t_i + L_i u_i, x) - y_i - b_i^T u_i)     and     u_i

where b_i^T u_i is the error of y_i that is to be expected from that of t_i: [L_i 0; b_i^T 1/w_i] is the Cholesky factor
of the covariance of (t_i, y_i).  Point i is a group with the own parameters u_i: the rows are
[w_i (f_t L_i - b_i^T) | w_i f_x | r_i] and [1 | 0 | u_i].

A loss is one of the distances d_i^2 = r_i^2 + u_i^T u_i, the residual blocks of Ceres.  Along the residual of a point,
e = (r_i, u_i) / d_i, rows are scaled as those of a single residual, by sqrt(h), and perpendicular to it, where rho has
no second derivative, by sqrt(rho'):

    M = sqrt(rho') (1 - e e^T) + sqrt(h) e e^T,     rows -> M rows,     (r_i, u_i) -> rho' / sqrt(h) (r_i, u_i)

(Triggs, McLauchlan, Hartley, Fitzgibbon 2000, section 4.3; evaluate/losses.pxi).

All of a solve is one vector: m distances with the sign of r_i, m residuals r, and u.

Boggs, Byrd, Schnabel (1987), "A stable and efficient algorithm for nonlinear orthogonal distance regression", SIAM J.
Sci. Stat. Comput. 8.
"""

cdef enum:
    # Points that are evaluated together; their values stay in the first-level cache.
    TOGETHER = 128

# Relative error of central differences with the step eps^(1/3).
cdef double DIFFERENCES = 4e-11


ctypedef struct points:
    lm_arrow *a
    const lmoo_model *model         # of n + k parameters, the last k being shifts of the first k variables
    ptrdiff_t m, n, k, variables
    const double *t                 # variables x m
    const double *y                 # m
    const double *weights           # m, or NULL
    const double *roots             # m x k x k: L_i, row by row
    const double *with_y            # m x k: b_i, or NULL
    const unsigned char *has_error  # m x k: columns of L_i that are there
    const double *x
    double *f                       # m values, then u; the m distances are before it
    const double *root              # m: sqrt(h) of a loss, or NULL
    const double *slope             # m: rho'
    double *to_points               # as u: derivatives of r by u, where they are asked for
    const double *derivatives       # (n + k) x m, where they are there already; else NULL
    double *work                    # work_size doubles for each part
    ptrdiff_t work_size
    int *codes


cdef inline double _true(const points *c, ptrdiff_t i, ptrdiff_t j) noexcept nogil:
    """Variable j of point i, at its estimate."""
    cdef const double *u = c.x + c.n + c.a.first[i]
    cdef double value = c.t[j * c.m + i]
    cdef ptrdiff_t l, next = 0
    if j >= c.k:
        return value
    for l in range(c.k):
        if c.has_error[i * c.k + l]:
            value += c.roots[(i * c.k + j) * c.k + l] * u[next]
            next += 1
    return value


cdef void _place(const points *c, ptrdiff_t first, ptrdiff_t count, double *t) noexcept nogil:
    """The estimates of some points, variables x count."""
    cdef ptrdiff_t i, j
    for j in range(c.variables):
        for i in range(count):
            t[j * count + i] = _true(c, first + i, j)


cdef void _finish_residual(const points *c, ptrdiff_t first, ptrdiff_t last) noexcept nogil:
    """From values to residuals and distances, and u."""
    cdef ptrdiff_t i, l, next, base = c.a.first[first], count = c.a.first[last] - c.a.first[first]
    cdef const double *u
    cdef double *distance = c.f - c.m
    cdef double total
    for i in range(first, last):
        c.f[i] -= c.y[i]
        u, next = c.x + c.n + c.a.first[i], 0
        if c.with_y != NULL:
            for l in range(c.k):
                if c.has_error[i * c.k + l]:
                    c.f[i] -= c.with_y[i * c.k + l] * u[next]
                    next += 1
        if c.weights != NULL:
            c.f[i] *= c.weights[i]
        total = c.f[i] * c.f[i]
        for l in range(c.a.first[i + 1] - c.a.first[i]):
            total += u[l] * u[l]
        distance[i] = c.f[i]
        if isfinite(c.f[i]):
            distance[i] = sqrt(total) if c.f[i] >= 0.0 else -sqrt(total)
    memcpy(c.f + c.m + base, c.x + c.n + base, <size_t>count * sizeof(double))


cdef void _scale_block(const points *c, ptrdiff_t i, ptrdiff_t rows, ptrdiff_t columns, double *matrix) noexcept nogil:
    """M times the rows of a point, and its scaled residual; the residual is in the last column."""
    cdef double *f = matrix + columns * rows
    cdef double *column
    cdef double outer = sqrt(c.slope[i]), inner = c.root[i], d = c.f[i - c.m], total
    cdef ptrdiff_t j, l
    for j in range(columns):
        column = matrix + j * rows
        total = 0.0
        if d != 0.0:
            for l in range(rows):
                total += f[l] / d * column[l]
        for l in range(rows):
            column[l] *= outer
            if d != 0.0:
                column[l] += (inner - outer) * total * (f[l] / d)
    for l in range(rows):
        f[l] *= c.slope[i] / inner if inner > 0.0 else 0.0


cdef void _points_residual_part(ptrdiff_t part, void *context) noexcept nogil:
    cdef points *c = <points *>context
    cdef ptrdiff_t first = arrow_start(c.a, part), last = arrow_start(c.a, part + 1), start = first, count
    cdef double *x = c.work + part * c.work_size
    cdef double *t = x + c.n + c.k
    memcpy(x, c.x, <size_t>c.n * sizeof(double))
    memset(x + c.n, 0, <size_t>c.k * sizeof(double))
    while start < last:
        count = min(last - start, TOGETHER)
        _place(c, start, count, t)
        c.codes[part] = c.model.values(count, c.n + c.k, t, x, c.f + start, c.model.user_data)
        if c.codes[part] != 0:
            return
        start += count
    _finish_residual(c, first, last)


cdef void _points_jacobian_part(ptrdiff_t part, void *context) noexcept nogil:
    cdef points *c = <points *>context
    cdef ptrdiff_t start = arrow_start(c.a, part), last = arrow_start(c.a, part + 1), count, i
    cdef double *x = c.work + part * c.work_size
    cdef double *t = x + c.n + c.k
    cdef double *derivatives = t + TOGETHER * c.variables
    cdef double *matrix = derivatives + TOGETHER * (c.n + c.k)
    if c.derivatives != NULL:
        for i in range(start, last):
            _take(c, part, i, c.derivatives + i, c.m, matrix)
        return
    memcpy(x, c.x, <size_t>c.n * sizeof(double))
    memset(x + c.n, 0, <size_t>c.k * sizeof(double))
    while start < last:
        count = min(last - start, TOGETHER)
        _place(c, start, count, t)
        c.codes[part] = c.model.derivatives(count, c.n + c.k, t, x, derivatives, c.model.user_data)
        if c.codes[part] != 0:
            return
        for i in range(count):
            _take(c, part, start + i, derivatives + i, count, matrix)
        start += count


cdef double _slope(const points *c, ptrdiff_t i, ptrdiff_t l, const double *d, ptrdiff_t stride) noexcept nogil:
    """The derivative of r_i by the number l of u_i."""
    cdef ptrdiff_t j
    cdef double total = 0.0 if c.with_y == NULL else -c.with_y[i * c.k + l]
    for j in range(c.k):
        total += d[(c.n + j) * stride] * c.roots[(i * c.k + j) * c.k + l]
    return total if c.weights == NULL else c.weights[i] * total


cdef void _take(points *c, ptrdiff_t part, ptrdiff_t i, const double *d, ptrdiff_t stride, double *matrix) noexcept nogil:
    """Use the derivatives at point i: those by u alone, or all for the arrow model."""
    cdef ptrdiff_t l, next = c.a.first[i]
    if c.to_points == NULL:
        _block(c, part, i, d, stride, matrix)
        return
    for l in range(c.k):
        if c.has_error[i * c.k + l]:
            c.to_points[next] = _slope(c, i, l, d, stride)
            next += 1


cdef void _block(points *c, ptrdiff_t part, ptrdiff_t i, const double *d, ptrdiff_t stride,
                 double *matrix) noexcept nogil:
    """Give the rows of point i to the arrow model; d[j * stride] is the derivative by parameter j of n + k."""
    cdef ptrdiff_t j, l, p = c.a.first[i + 1] - c.a.first[i], ld = 1 + p, next = 0
    cdef const double *u = c.x + c.n + c.a.first[i]
    cdef double w = 1.0 if c.weights == NULL else c.weights[i]
    memset(matrix, 0, <size_t>(ld * (p + c.n + 1)) * sizeof(double))
    for l in range(c.k):
        if not c.has_error[i * c.k + l]:
            continue
        matrix[next * ld] = _slope(c, i, l, d, stride)
        matrix[next + 1 + next * ld] = 1.0
        matrix[next + 1 + (p + c.n) * ld] = u[next]
        next += 1
    for j in range(c.n):
        matrix[(p + j) * ld] = w * d[j * stride]
    matrix[(p + c.n) * ld] = c.f[i]
    if c.root != NULL:
        _scale_block(c, i, ld, p + c.n, matrix)
    arrow_block(c.a, &c.a.part[part], i, ld, matrix, ld)


cdef class PointGroups(Groups):
    """The points of a curve with errors in their variables.

    Parameters
    ----------
    arrow : ArrowLinear
        Of the same solve.
    t : (variables, m), y : (m,), weights : (m,) or None
    roots : (m, k, k) array
        L of each point, of the first k variables.
    with_y : (m, k) array or None
        b of each point: the error of y that goes with a unit of u.
    has_error : (m, k) uint8 array
        Columns of L that are not 0.  All contiguous.
    n : int
        Parameters of the model.
    model : CurveModel or None
        Of n + k parameters, the last k of which shift the first k variables.
    function : callable or None
        Without a model: ``function(x, t)`` returns the values, (m,), for t of the shape (k, m).
    derivatives : callable or None
        Without a model: ``derivatives(x, t)`` returns them, (n + k, m).
    """

    cdef CurveModel model
    cdef object function, by_function, kept
    cdef points c
    cdef double *slope

    def __cinit__(self, ArrowLinear arrow not None, const double[:, ::1] t not None, const double[::1] y not None,
                  const double[::1] weights, const double[:, :, ::1] roots not None,
                  const double[:, ::1] with_y, const unsigned char[:, ::1] has_error not None, ptrdiff_t n,
                  CurveModel model, function, derivatives):
        cdef cnp.ndarray work, codes
        cdef ptrdiff_t m = y.shape[0], k = has_error.shape[1], widest = k
        self.c.a = &arrow.a
        self.model, self.function, self.by_function = model, function, derivatives
        self.shared, self.rows = n, m + arrow.n - n
        self.own = np.count_nonzero(has_error, axis=1).astype(np.intp)
        assert arrow.groups == m and arrow.shared == n and roots.shape[0] == m and roots.shape[1] == k
        self.precision, self.exact, self.settles = EPSMCH, model is not None, True
        self.relative = 0.0 if self.exact else DIFFERENCES
        self.c.m, self.c.n, self.c.k, self.c.variables = m, n, k, t.shape[0]
        self.c.t, self.c.y, self.c.weights = &t[0, 0], &y[0], NULL
        if weights is not None:
            self.c.weights = &weights[0]
        self.c.roots, self.c.has_error, self.c.with_y = &roots[0, 0, 0], &has_error[0, 0], NULL
        if with_y is not None:
            self.c.with_y = &with_y[0, 0]
        if model is not None:
            assert model.table.n == n + k and model.table.variables == t.shape[0]
            self.c.model = &model.table
        self.c.work_size = (n + k) + TOGETHER * (t.shape[0] + n + k) + (1 + widest) * (widest + n + 1)
        work = np.zeros(arrow.a.parts * self.c.work_size)
        codes = np.zeros(arrow.a.parts, dtype=np.int32)
        self.c.work, self.c.codes = <double *>cnp.PyArray_DATA(work), <int *>cnp.PyArray_DATA(codes)
        slopes = np.ones(m)
        self.slope = <double *>cnp.PyArray_DATA(<cnp.ndarray>slopes)
        self.kept = (arrow, t, y, weights, roots, with_y, has_error, work, codes, slopes)

    cdef int run(self, bint jacobian) except -1:
        """A pass on threads: 0, or 1 at a bad point."""
        memset(self.c.codes, 0, <size_t>self.c.a.parts * sizeof(int))
        PyErr_CheckSignals()
        with nogil:
            arrow_each(self.c.a, _points_jacobian_part if jacobian else _points_residual_part, &self.c,
                       50.0 * (self.c.n + self.c.k if jacobian else 1))
        return answer_of_parts(self.c.codes, self.c.a.parts)

    def true_points(self, const double[::1] x not None):
        """Return the estimates of the points at x, (k, m)."""
        cdef double[:, ::1] out = np.empty((self.c.k, self.c.m))
        cdef ptrdiff_t i, j
        self.c.x = &x[0]
        for j in range(self.c.k):
            for i in range(self.c.m):
                out[j, i] = _true(&self.c, i, j)
        return np.asarray(out)

    cdef int residual(self, const double *x, double *f) except -1:
        cdef const double[::1] values
        self.c.x, self.c.f = x, f + self.c.m
        if self.model is not None:
            return self.run(False)
        try:
            values = self.function(new_vector(self.c.n, x), self.true_points(<double[:self.c.a.n]>x))
        except EvaluationError as error:
            self.refusal = error
            return 1
        if values.shape[0] != self.c.m:
            raise ValueError(f"f must return {self.c.m} values; it returned {values.shape[0]}")
        memcpy(self.c.f, &values[0], <size_t>self.c.m * sizeof(double))
        _finish_residual(&self.c, 0, self.c.m)
        return 0

    cdef int linearize(self, ArrowLoop loop, bint better) except -1:
        cdef lm_state *s = loop.s
        self.c.x, self.c.f, self.c.derivatives, self.c.root = s.x, loop.d.f + self.c.m, NULL, NULL
        if loop.d.loss != NULL:
            if loss_weights(loop.d.loss, self.c.m, loop.d.f, self.slope) < 0:
                reraise()
            self.c.root, self.c.slope = loop.d.loss.root, self.slope
        return self.differentiate()

    cdef int differentiate(self) except -1:
        """Evaluate the derivatives at self.c.x, and take them: 0, or 1 at a bad point."""
        cdef const double[:, ::1] derivatives
        if self.model is not None:
            return self.run(True)
        try:
            derivatives = self.by_function(
                new_vector(self.c.n, self.c.x), self.true_points(<double[:self.c.a.n]>self.c.x))
        except EvaluationError as error:
            self.refusal = error
            return 1
        if derivatives.shape[0] != self.c.n + self.c.k or derivatives.shape[1] != self.c.m:
            raise ValueError(
                f"derivatives must have shape {(self.c.n + self.c.k, self.c.m)}; they have "
                f"{(derivatives.shape[0], derivatives.shape[1])}")
        self.differenced = 2 * (self.c.n + self.c.k)
        self.c.derivatives = &derivatives[0, 0]
        return self.run(True)

    cdef int settle(self, ArrowLoop loop) except -1:
        """Move the points of the trial point to the places on the curve that are nearest to the data."""
        cdef ptrdiff_t m = self.c.m, count = self.rows - m
        cdef double *f = loop.d.trial
        slopes = np.zeros(max(count, 1))
        distance = _shared(m, f)
        search = NearestPoints(self.own, _shared(count, loop.s.trial + self.c.n), distance, _shared(m, f + m))
        self.c.x, self.c.f, self.c.derivatives = loop.s.trial, f + m, NULL
        while search.goes_on:
            self.c.to_points = <double *>cnp.PyArray_DATA(<cnp.ndarray>slopes)
            bad = self.differentiate()
            self.c.to_points = NULL
            if bad:
                break
            loop.s.nfev += 1
            search.move(slopes)
            if self.residual(loop.s.trial, f):
                distance.fill(INFINITY)
            search.assess()
        search.take_best()
        return self.residual(loop.s.trial, f)


cdef object _shared(ptrdiff_t count, double *x):
    """Return an array at x, where there is a number at least."""
    return np.asarray(<double[:max(count, 1)]>x)
