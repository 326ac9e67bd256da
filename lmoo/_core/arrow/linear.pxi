"""The arrow linear model: groups of parameters that occur in rows of their own, and parameters that groups share.

Rows of group k are [J_k | A_k | f_k], J_k its own p columns and A_k the w of the s shared ones that it touches.  QR of
J_k leaves

    Q_k^T [J_k | A_k | f_k] = [R_k | S_k | q_k]     p rows, which are kept
                              [ 0  | A'  | f' ]     rows that go into one triangle [T | q] for all groups

so that min |J p + f| is that of |T p_s + q|, and then R_k p_k = -(q_k + S_k p_s) for each group.  With damping the rows
sqrt(par) [D_k | 0 | 0] are added to [R_k | S_k | q_k], which is reduced again.  Time and memory are linear in the
number of groups and in what they touch; nothing is n x n.

Demmel, Schubert, Sommer, Cremers, Usenko (2021), "Square root bundle adjustment for large-scale
reconstruction", CVPR, section 4: the Schur complement by QR, which does not square the condition.  Columns are
pivoted within a group, relative to their norms; the rows of directions that a group does not determine go on
to the shared parameters without them, so that a group without enough data spoils no other.
"""


cdef enum:
    # Shared parameters, below which rows are folded however few of them the groups touch.
    MANY_SHARED = 32

# A row is kept if the squares of the numbers of columns that groups touch are at most this share of all.
cdef double FEW = 0.25


cdef lmoo_linear ARROW
ARROW.size = sizeof(lmoo_linear)
ARROW.fill = _fill
ARROW.leave_out = _leave_out
ARROW.truncate = _truncate
ARROW.gradient = _gradient
ARROW.predict = _predict
ARROW.gram = _gram
ARROW.damped = _damped
ARROW.damped_on_face = _damped_on_face
ARROW.solve = _solve
# Newton's method on |D p| with damped and solve (iteration/steps.pxi).
ARROW.within = NULL
ARROW.triangle = _triangle


cdef class ArrowLinear(LinearTable):
    """An arrow linear model for one solve, with its memory.

    Parameters
    ----------
    shared : int
        Number of shared parameters, at least 1, which come first.
    own : (groups,) array of int
        Number of own parameters of each group; those of group k follow those of group k - 1.
    touched : (span, columns), optional
        Group k touches the shared parameters ``columns[span[k]:span[k + 1]]``, ascending.  None: all.

    Attributes
    ----------
    n, shared, groups : int
    span, columns
        As given, (groups + 1,) intp and int32 arrays; None where all groups touch all shared parameters.
    scattered : bool
        Whether the groups touch few of many shared parameters, see arrow/scattered.pxi.
    """

    def __cinit__(self, ptrdiff_t shared, own, touched=None):
        cdef ptrdiff_t s = shared, k, p, w, wide, most = 0, total = 0
        cdef double squares = 0.0
        cdef size_t work
        cdef const ptrdiff_t[::1] number, width
        cdef ptrdiff_t[::1] first, place
        counts = np.ascontiguousarray(own, dtype=np.intp)
        if shared < 1 or counts.ndim != 1 or counts.size < 1 or (counts < 0).any():
            raise ValueError("an arrow model must have a shared parameter, and groups of 0 parameters or more")
        self.table = ARROW
        self.shared = s
        self.memory = []
        number, width = counts, None if touched is None else self.place_columns(touched, counts.size)
        self.a.groups = self.groups = counts.size
        first, place = np.zeros(self.groups + 1, dtype=np.intp), np.zeros(self.groups + 1, dtype=np.intp)
        self.memory += [first, place]
        self.a.first, self.a.place, self.a.widest = &first[0], &place[0], 1
        for k in range(self.groups):
            p, w = number[k], s if width is None else width[k]
            first[k + 1] = first[k] + p
            place[k + 1] = place[k] + p * (p + w + 1)
            total += (p + 1) * (p + w + 1)
            squares += <double>w * w
            self.a.touched += w
            self.a.widest, most = max(self.a.widest, p), max(most, w)
        self.a.touched /= self.groups
        self.a.scattered = s >= MANY_SHARED and squares / self.groups <= FEW * s * s
        every = np.arange(s, dtype=np.int32)
        self.memory.append(every)
        self.a.every = <const int *>cnp.PyArray_DATA(<cnp.ndarray>every)
        self.a.owner = <void *>self
        self.a.shared = s
        self.a.n = self.n = s + first[self.groups]
        # The work space of parts must not be more than what the groups take.
        k, self.a.parts = min(self.groups // PART_GROUPS, total // (s * (s + 1))), 1
        # A power of two: two threads have as many.
        while self.a.parts < ARROW_PARTS and 2 * self.a.parts <= k:
            self.a.parts *= 2
        total = place[self.groups]
        self.place_factor(&self.a.all, total)
        self.place_factor(&self.a.next, total)
        self.place_factor(&self.a.free, total)
        self.place_factor(&self.a.work, total)
        self.a.diag = self.doubles(self.n)
        self.a.overlaps = self.doubles(self.n)
        self.a.wa = self.doubles(self.n)
        self.a.least = self.doubles(self.n)
        self.a.left_out = self.ints(self.n)
        parts = np.zeros(self.a.parts * sizeof(lm_arrow_part), dtype=np.uint8)
        self.memory.append(parts)
        self.a.part = <lm_arrow_part *>cnp.PyArray_DATA(<cnp.ndarray>parts)
        wide = s
        work = fold_work_bytes(s)
        if self.a.scattered:
            # Triangles have from 1 to s columns then, and rows whole vectors.
            wide = _padded(s)
            for p in range(1, s):
                work = max(work, fold_work_bytes(p))
            self.a.gram = self.doubles(s * (s + 1))
            self.a.z = self.doubles((s + 1) * wide)
            self.a.scale = self.doubles(s + 1)
            self.a.pivots = self.doubles(s)
            self.a.sizes = self.doubles(s)
            self.a.was = self.ints(s)
        for p in range(self.a.parts):
            self.a.part[p].t = self.doubles(s * (wide + 1))
            self.a.part[p].rows = self.doubles(ARROW_ROWS * (wide + 1))
            self.a.part[p].fold_work = self.doubles(work // sizeof(double) + 1)
            self.a.part[p].matrix = self.doubles(2 * self.a.widest * (self.a.widest + most + 1) + self.a.widest)
            self.a.part[p].sums = self.doubles(2 * s)
            self.a.part[p].overlaps = self.doubles(s)

    def __dealloc__(self):
        cdef ptrdiff_t p
        if self.a.part != NULL:
            for p in range(self.a.parts):
                free(self.a.part[p].kept.values)
                free(self.a.part[p].kept.pieces)

    cdef object place_columns(self, touched, ptrdiff_t groups):
        """Take the shared parameters that each group touches; return their numbers, (groups,)."""
        span, columns = touched
        span = np.ascontiguousarray(span, dtype=np.intp)
        columns = np.ascontiguousarray(columns, dtype=np.int32)
        widths = np.diff(span)
        begins = np.zeros(columns.size + 1, dtype=bool)
        begins[span.clip(0, columns.size)] = True
        if (span.size != groups + 1 or span[0] != 0 or span[groups] != columns.size or (widths < 0).any()
                or (columns < 0).any() or (columns >= self.shared).any()
                or not (begins[1:columns.size] | (np.diff(columns) > 0)).all()):
            raise ValueError("each group of an arrow model must touch some of its shared parameters, ascending")
        if (widths < self.shared).any():
            self.span, self.columns = span, columns
            self.a.span = <const ptrdiff_t *>cnp.PyArray_DATA(<cnp.ndarray>span)
            self.a.columns = <const int *>cnp.PyArray_DATA(<cnp.ndarray>columns)
        return widths

    cdef double *doubles(self, ptrdiff_t count):
        cdef cnp.ndarray array = np.zeros(max(count, 1))
        self.memory.append(array)
        return <double *>cnp.PyArray_DATA(array)

    cdef int *ints(self, ptrdiff_t count):
        cdef cnp.ndarray array = np.zeros(max(count, 1), dtype=np.int32)
        self.memory.append(array)
        return <int *>cnp.PyArray_DATA(array)

    cdef int place_factor(self, lm_arrow_factor *factor, ptrdiff_t total) except -1:
        factor.blocks = self.doubles(total)
        factor.order = self.ints(self.n - self.shared)
        factor.rank = self.ints(self.groups)
        factor.t = self.doubles(self.shared * (self.shared + 1))
        factor.torder = self.ints(self.shared)
        return 0

    cdef int attach(self, lm_state *s) except -1:
        LinearTable.attach(self, s)
        self.a.s = s
        return 0

    @property
    def parts(self):
        """The number of parts that the groups are worked on in."""
        return self.a.parts

    @property
    def scattered(self):
        """Whether the groups touch few of many shared parameters."""
        return self.a.scattered

    # ---- the factor at the end ----------------------------------------------------------------

    def factor(self, double error, const int[::1] active):
        """Return the factor of the last model as arrays: blocks, order, rank, T, its order, its rank, norms.

        The blocks of groups are as wide as the shared parameters that these touch, see `span` and `columns`.

        error   relative error of the columns: what is less is not determined
        active  (n,), not 0 for parameters that are left out; None: none are
        """
        cdef ptrdiff_t s = self.shared
        self.reduce(error, active)
        blocks = new_vector(self.a.place[self.groups], self.a.free.blocks)
        order = np.array(<int[:max(self.n - s, 1)]>self.a.free.order)[:self.n - s]
        rank = np.array(<int[:self.groups]>self.a.free.rank)
        t = new_vector(s * (s + 1), self.a.free.t).reshape(s + 1, s).T
        return (blocks, order, rank, t, np.array(<int[:s]>self.a.free.torder), self.a.free.trank,
                new_vector(self.n, self.a.s.acnorm))

    cdef int reduce(self, double error, const int[::1] active) except -1:
        """Make the factor of the free columns."""
        cdef double[::1] errors = np.full(self.n, error)
        if active is None:
            memset(self.a.left_out, 0, <size_t>self.n * sizeof(int))
        else:
            memcpy(self.a.left_out, &active[0], <size_t>self.n * sizeof(int))
        _free(&self.a, &errors[0])
        # Later operations are to have the iteration's own truncation.
        self.a.stale = True
        return 0

    def dense_factor(self, double error, const int[::1] active):
        """Return (r, ipvt, qtf) of the last model, n x n; the arguments are those of `factor`."""
        self.reduce(error, active)
        self.a.stale = False
        found = self.triangle()
        self.a.stale = True
        return found

    # ---- operations one by one, for tests -----------------------------------------------------

    def begin(self):
        """Make a state of its own, for a model that belongs to no solve."""
        cdef lm_state *s
        self.own_state = np.zeros(lm_state_bytes(self.n, True, False) // 8 + 1)
        s = <lm_state *>cnp.PyArray_DATA(<cnp.ndarray>self.own_state)
        s.n, s.bounded, s.linear, s.model = self.n, 1, &self.table, &self.a
        lm_attach(s, self.n)
        self.attach(s)

    def fill(self, jac, f):
        """Take in a whole Jacobian, (m, n); False where it cannot be."""
        cdef double[::1, :] a = np.array(jac, dtype=np.float64, order="F")
        cdef double[::1] right = np.array(f, dtype=np.float64)
        return self.table.fill(&self.a, a.shape[0], &a[0, 0], a.shape[0], &right[0]) == 0

    def fill_groups(self, list blocks not None):
        """Take in the rows [J_k | A_k | f_k] of each group, (m, p + w + 1)."""
        cdef double[::1, :] block
        cdef ptrdiff_t k
        assert len(blocks) == self.groups
        arrow_begin(&self.a)
        for k in range(self.groups):
            block = np.array(blocks[k], dtype=np.float64, order="F")
            assert block.shape[1] == _own(&self.a, k) + _width(&self.a, k) + 1
            arrow_block(&self.a, &self.a.part[_part_of(&self.a, k)], k, block.shape[0], &block[0, 0], block.shape[0])
        arrow_finish(&self.a, self.a.s.acnorm)
        arrow_take(&self.a)

    def leave_out(self, const int[::1] active not None):
        self.table.leave_out(&self.a, &active[0])

    def truncate(self, const double[::1] column_error not None, double fnorm):
        cdef double newton = 0.0, error = 0.0
        memcpy(self.a.s.column_error, &column_error[0], <size_t>self.n * sizeof(double))
        rank = self.table.truncate(&self.a, &column_error[0], fnorm, &newton, &error)
        return rank, newton, error

    def gradient(self, const double[::1] p, double fnorm):
        cdef double[::1] out = np.empty(self.n)
        cdef const double *at = NULL
        if p is not None:
            at = &p[0]
        self.table.gradient(&self.a, at, fnorm, &out[0])
        return np.asarray(out)

    def predict(self, const double[::1] p not None, bint everything, double fnorm):
        cdef double norm = 0.0, slope = 0.0
        self.table.predict(&self.a, &p[0], everything, fnorm, &norm, &slope)
        return norm, slope

    def gram(self, const double[::1] v not None):
        cdef double[::1] out = np.empty(self.n)
        self.table.gram(&self.a, &v[0], &out[0])
        return np.asarray(out)

    def damped(self, double par, const double[::1] diag not None):
        cdef double[::1] out = np.empty(self.n)
        self.table.damped(&self.a, par, &diag[0], &out[0])
        return np.asarray(out)

    def damped_on_face(self, const int[::1] active not None, const double[::1] moved not None, double par,
                       const double[::1] diag not None):
        cdef double[::1] out = np.empty(self.n)
        self.table.damped_on_face(&self.a, &active[0], &moved[0], par, &diag[0], &out[0])
        return np.asarray(out)

    def solve(self, double par, const double[::1] diag not None, const double[::1] g not None):
        cdef double[::1] out = np.empty(self.n)
        if self.table.solve(&self.a, par, &diag[0], &g[0], &out[0]):
            return None
        return np.asarray(out)

    def triangle(self):
        r, ipvt, qtf = np.empty((self.n, self.n), order="F"), np.empty(self.n, dtype=np.int32), np.empty(self.n)
        cdef double[::1, :] to_r = r
        cdef int[::1] to_ipvt = ipvt
        cdef double[::1] to_qtf = qtf
        self.table.triangle(&self.a, &to_r[0, 0], &to_ipvt[0], &to_qtf[0])
        return r, ipvt, qtf
