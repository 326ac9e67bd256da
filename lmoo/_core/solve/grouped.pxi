"""Differences of columns that share no row, evaluated together (Curtis, Powell, Reid 1974).

Each column has the state machine of evaluate/differences.pxi, as a problem of one parameter and of the rows of the
column: its own interval, its own measurements.  The columns of a group request their points together, and one
evaluation answers all of them.  A column that needs another interval requests again, with those of its group that do
as well.
"""


cdef class Grouped(Called):
    """Differences of the entries of a pattern, for one solve.

    Parameters
    ----------
    pattern : object
        ``shape``; ``first``, (n + 1,) intp, and ``rows``, (entries,) intp: the rows of column j are
        ``rows[first[j]:first[j + 1]]``; ``groups``, a list of intp arrays of columns; ``matrix(data)`` returns a
        matrix with these entries.
    central : bool
    epsfcn, typical, can_refine
        As for `Differences`.
    check : callable or None
        ``check(evaluate, data, x, f, steps)``, called after the first Jacobian: it raises an exception if an entry
        is missing in the pattern; ``evaluate(x)`` returns f or None at a bad point.
    """

    gives_matrix = needs_all_rows = True

    def __cinit__(self, pattern, bint central, double epsfcn, typical, bint can_refine, check):
        cdef const double[::1] sizes
        self.pattern, self.check = pattern, check
        self.first, self.rows = pattern.first, pattern.rows
        self.noise, self.weighs = epsfcn, True
        self.options.epsfcn = epsfcn
        self.options.central, self.options.refines = central, can_refine
        self.table.refines = can_refine
        if typical is not None:
            self.typical = sizes = typical
            self.options.typical = &sizes[0]
        widest = max((len(group) for group in pattern.groups), default=0)
        # The data, the values that are compared with them, and f, entry by entry.
        self.data = np.zeros((3, pattern.rows.size))
        self.memory = np.zeros(widest * sizeof(lm_columns) + 1, dtype=np.uint8)
        self.codes = np.zeros(max(widest, 1), dtype=np.intc)

    cdef int fill(self, lmoo_point *at) except -1:
        """Write the Jacobian into the buffer."""
        cdef int code = self.evaluate(at)
        if code == 0:
            self.out[...] = 0.0
            columns = np.repeat(np.arange(at.n), np.diff(self.pattern.first))
            self.out[self.pattern.rows, columns] = self.data[0]
        return code

    cdef object sparse(self, lmoo_point *at):
        """Return the Jacobian as the pattern's matrix, None at a bad point."""
        cdef int code = self.evaluate(at)
        if code < 0:
            reraise()
        return None if code > 0 else self.pattern.matrix(self.data[0].copy())

    cdef int evaluate(self, lmoo_point *at) except -1:
        """Compute the entries at at.x: 0, or positive at a bad point."""
        cdef ptrdiff_t m = self.fun.table.m
        cdef lm_columns whole
        cdef lm_state one
        cdef int code
        cdef bint first = at.state.models == 0
        if self.pattern.shape != (m, at.n):
            raise ValueError(
                f"pattern must have shape {(m, at.n)}, residuals by parameters; it has {self.pattern.shape}")
        differences_begin(at, &self.options, &whole)
        memcpy(&one, at.state, sizeof(lm_state))
        one.n = 1
        self.steps = np.zeros(at.n)
        self.point, self.values = np.empty(at.n), np.empty(at.m)
        self.f = at.f
        for group in self.pattern.groups:
            code = self.evaluate_group(at, &one, &whole, group)
            if code != 0:
                return code
        if first and self.check is not None:
            self.at = at
            try:
                self.check(self.value_at, self.data[0], new_vector(at.n, at.x), new_vector(m, at.f), self.steps)
            finally:
                self.at = NULL
        return 0

    cdef int evaluate_group(self, lmoo_point *at, lm_state *one, lm_columns *whole, const ptrdiff_t[::1] group) except -1:
        """Compute the columns of a group: 0, or positive at a bad point."""
        cdef lm_columns *w = <lm_columns *>cnp.PyArray_DATA(<cnp.ndarray>self.memory)
        cdef int *codes = <int *>cnp.PyArray_DATA(<cnp.ndarray>self.codes)
        cdef double *x = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.point)
        cdef double *f = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.values)
        cdef double[::1] steps = self.steps
        cdef ptrdiff_t c, i, j, asking = 0
        cdef int code
        cdef bint back
        cdef lmoo_point column
        for c in range(group.shape[0]):
            j = group[c]
            codes[c] = 0
            if differences_skips(at, j) or self.first[j] == self.first[j + 1]:
                self.clear(j)
                continue
            self.view(at, one, &column, j)
            self.begin(&column, whole, &w[c])
            codes[c] = differences_next(&column, &self.options, &w[c], 0)
            asking += codes[c] == DIFFERENCES_ASK
        while asking > 0:
            memcpy(x, at.x, <size_t>at.n * sizeof(double))
            for c in range(group.shape[0]):
                if codes[c] == DIFFERENCES_ASK:
                    x[group[c]] = at.x_work[group[c]]
            code = at.residual(at, x, f)
            if code < 0:
                return code
            asking = 0
            for c in range(group.shape[0]):
                if codes[c] != DIFFERENCES_ASK:
                    continue
                j = group[c]
                self.view(at, one, &column, j)
                if code == 0:
                    for i in range(column.m):
                        w[c].out[i] = f[self.rows[self.first[j] + i]]
                codes[c] = differences_next(&column, &self.options, &w[c], code)
                if codes[c] != 0 and codes[c] != DIFFERENCES_ASK:
                    return codes[c]
                asking += codes[c] == DIFFERENCES_ASK
                at.noise = max(at.noise, column.noise * sqrt(<double>at.m / column.m))
        for c in range(group.shape[0]):
            j = group[c]
            if at.interval[j] > 0.0:
                # Towards the farther bound.
                back = at.state.bounded and at.state.upper[j] - at.x[j] < at.x[j] - at.state.lower[j]
                steps[j] = -at.interval[j] if back else at.interval[j]
                # The error of f in these rows is smaller than that in all, with which intervals are compared.
                at.interval[j] *= max(1.0, whole.noise / w[c].noise if w[c].noise > 0.0 else 1.0)
        return 0

    cdef void view(self, lmoo_point *at, lm_state *one, lmoo_point *column, ptrdiff_t j) noexcept:
        """Let `column` be the problem of parameter j alone, and of the rows of its column."""
        cdef const lm_state *s = at.state
        cdef double *data = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.data)
        cdef ptrdiff_t entries = self.rows.shape[0], start = self.first[j]
        one.x, one.diag, one.acnorm, one.free_norms = s.x + j, s.diag + j, s.acnorm + j, s.free_norms + j
        if s.bounded:
            one.lower, one.upper = s.lower + j, s.upper + j
        memset(column, 0, sizeof(lmoo_point))
        column.size = sizeof(lmoo_point)
        column.m, column.n, column.state = self.first[j + 1] - start, 1, one
        column.x, column.x_work = at.x + j, at.x_work + j
        column.fjac, column.f_work, column.f = data + start, data + entries + start, data + 2 * entries + start
        column.column_error, column.interval, column.length = at.column_error + j, at.interval + j, at.length + j
        column.precision, column.high_accuracy, column.share = at.precision, at.high_accuracy, 1.0

    cdef void begin(self, lmoo_point *column, const lm_columns *whole, lm_columns *w) noexcept:
        """Begin a column: its share of what is known of all rows."""
        cdef double share = sqrt(<double>column.m / self.fun.table.m), norm, size
        cdef double *f = <double *>column.f
        cdef ptrdiff_t i, start = (column.fjac - <double *>cnp.PyArray_DATA(<cnp.ndarray>self.data))
        for i in range(column.m):
            f[i] = self.f[self.rows[start + i]]
        norm = enorm(column.m, f)
        size = column.state.free_norms[0] if not column.state.bounded else column.state.acnorm[0]
        size *= fabs(column.x[0])
        size = max(norm, size) if isfinite(size) else norm
        w[0] = whole[0]
        w.size, w.largest = max(whole.size * share, norm), max(whole.largest * share, size)
        w.noise = max(whole.noise * share, whole.eps * size)

    cdef void clear(self, ptrdiff_t j) noexcept:
        """Set a column to zero."""
        cdef double *data = <double *>cnp.PyArray_DATA(<cnp.ndarray>self.data)
        memset(data + self.first[j], 0, <size_t>(self.first[j + 1] - self.first[j]) * sizeof(double))

    def value_at(self, const double[::1] x not None):
        """Return f at x, moved into the bounds, counted; None at a bad point."""
        cdef const lm_state *s = self.at.state
        cdef double[::1] point = self.point
        cdef double[::1] out
        cdef ptrdiff_t j
        cdef int code
        for j in range(self.at.n):
            point[j] = min(max(x[j], s.lower[j]), s.upper[j]) if s.bounded else x[j]
        values = np.empty(self.at.m)
        out = values
        code = self.at.residual(self.at, &point[0], &out[0])
        if code < 0:
            reraise()
        return None if code > 0 else values[:self.fun.table.m]
