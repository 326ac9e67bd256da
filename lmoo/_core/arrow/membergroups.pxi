"""Groups of any problems, each with own parameters and some of the shared ones."""


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
        touched = [(<Member?>member).arrange(shared) for member in members]
        self.own = np.array([(<Member>member).own for member in members], dtype=np.intp)
        span = np.zeros(len(members) + 1, dtype=np.intp)
        np.cumsum([columns.size for columns in touched], out=span[1:])
        self.touched = span, np.concatenate(touched)
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
        cdef ptrdiff_t largest = 1, wide = 1, longest = 1
        for member in self.members:
            largest = max(largest, member.m * member.n)
            wide = max(wide, member.m * (member.n + 1))
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
        cdef ptrdiff_t j, m = member.m, n = member.n
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
            if member.derivatives.weighs and not member.exact:
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
        for j in range(n):
            column = matrix + member.slot[j] * m
            memcpy(column, fjac + j * m, <size_t>m * sizeof(double))
            if root != NULL and callbacks.root == NULL:
                multiply_rows(m, root, column, column)
            s.acnorm[j] = enorm(m, column)
            self.note_error(loop, s, j, member.where[j])
        memcpy(matrix + n * m,
               member.together(loop.d.f if loop.d.loss == NULL else loop.d.loss.model, 2), <size_t>m * sizeof(double))
        s.models += 1
        arrow_block(&loop.arrow.a, &loop.arrow.a.part[_part_of(&loop.arrow.a, k)], k, m, matrix, m)
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
