"""Checks of a stored solve before it is resumed.

The kernels rely on the state: its permutations and sizes determine the memory that they read and write.  A stored state
comes from outside, so it is checked twice.  A checksum detects damage of any kind.  In addition every index, size and
choice is checked, so that a state with a forged checksum cannot cause a read or write out of bounds.
"""


# Valid statuses of a solve, as in Status.
_STATUSES = frozenset((
    LM_RUNNING, LM_FTOL, LM_XTOL, LM_FTOL_XTOL, LM_GTOL, LM_MAXFEV, LM_FTOL_SMALL, LM_XTOL_SMALL,
    LM_GTOL_SMALL, LM_START_NOT_FINITE, LM_DOMAIN, LM_STOPPED, LM_NO_PROGRESS, LM_FLAT))

# The memory of a step strategy in Python may contain any objects.
_LEFT_OUT = ("checksum", "step")


# ---- the parts of a snapshot ----------------------------------------------------------------

def checksum(stored):
    """Return the checksum of a snapshot, without the memory of a step strategy in Python."""
    total = 0
    for name in sorted(stored):
        if name not in _LEFT_OUT:
            total = _added(stored[name], zlib.crc32(name.encode(), total), name)
    return total


cdef object _added(value, total, name):
    """Return the checksum of value, continued from that of the previous parts."""
    if isinstance(value, np.ndarray):
        if value.dtype != np.float64:
            raise ValueError(f"{name} of the stored solve must be float64; it is {value.dtype}")
        total = zlib.crc32(repr(value.shape).encode(), total)
        return zlib.crc32(np.ascontiguousarray(value), total)
    if isinstance(value, tuple):
        total = zlib.crc32(repr(len(value)).encode(), total)
        for part in value:
            total = _added(part, total, name)
        return total
    if isinstance(value, bytes):
        return zlib.crc32(value, total)
    if value is None or type(value) in (bool, int, float):
        return zlib.crc32(repr(value).encode(), total)
    raise ValueError(f"{name} of the stored solve must be plain numbers; it is a {type(value).__name__}")


cdef object field(stored, str name):
    """Return a part of a snapshot."""
    if not isinstance(stored, dict):
        raise ValueError(f"the stored solve must be a dict; it is a {type(stored).__name__}")
    if name not in stored:
        raise ValueError(
            f"the stored solve has no {name!r}: it is incomplete, or has an older format; this lmoo "
            f"reads format {LM_STATE_VERSION}, with a checksum")
    return stored[name]


cdef object count(stored, str name):
    """Return a part that is a count."""
    value = field(stored, name)
    if type(value) is not int or not 0 <= value < 2**62:
        raise ValueError(f"{name} of the stored solve must be an integer from 0; it is {value!r}")
    return value


cdef object vector(value, str name, tuple shape):
    """Return a part that is an array of doubles of this shape."""
    if not isinstance(value, np.ndarray) or value.dtype != np.float64 or value.shape != shape:
        what = f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else \
            f"a {type(value).__name__}"
        raise ValueError(f"{name} of the stored solve must be float64 of shape {shape}; it is {what}")
    return np.ascontiguousarray(value)


# ---- the state ------------------------------------------------------------------------------

cdef int check_state(const lm_state *current, lm_state *s, bint asked) except -1:
    """Raise ValueError unless the solve can be continued from s.

    current   the state of the same solve, new
    s         the stored one, attached, with its n checked
    asked     whether the step strategy answers LM_STEP
    """
    cdef ptrdiff_t j, n = current.n
    _check_options(current, s)
    _check_dialogue(current, s, asked)
    _check_place(current, s, s.x, "x")
    _check_place(current, s, s.base, "base")
    if s.request == LM_RESIDUAL:
        _check_place(current, s, s.trial, "trial")
    for name, value in (("fnorm", s.fnorm), ("base_fnorm", s.base_fnorm), ("delta", s.delta),
                        ("par", s.par), ("xnorm", s.xnorm), ("pnorm", s.pnorm)):
        if not value >= 0.0:
            _refuse(name, value, "a number that is not negative")
    for name, value in (("delta", s.delta), ("par", s.par)):
        if not isfinite(value):
            _refuse(name, value, "finite")
    _check_dense(current, s)
    if s.models > 0:
        for j in range(n):
            if not (s.diag[j] > 0.0 and isfinite(s.diag[j])):
                _refuse(f"diag[{j}]", s.diag[j], "positive and finite")
    if current.bounded:
        _check_indices(n, s.active, -1, 2, "active")
        _check_indices(n, s.working, -1, 2, "working")
        _check_indices(n, s.near, -1, 2, "near")
    return 0


cdef int _refuse(str name, value, str expected) except -1:
    raise ValueError(
        f"the stored solve is damaged: {name} must be {expected}; it is {value}. Solve again")


cdef int _check_options(const lm_state *current, const lm_state *s) except -1:
    """Check that the options are those of the solver, except for those that the iteration changes."""
    cdef const lm_options *a = &current.options
    cdef const lm_options *b = &s.options
    cdef size_t bytes_of_vector = <size_t>current.n * sizeof(double)
    for name, expected, stored in (
        ("ftol", a.ftol, b.ftol), ("xtol", a.xtol, b.xtol), ("gtol", a.gtol, b.gtol),
        ("factor", a.factor, b.factor), ("maxfev", a.maxfev, b.maxfev),
        ("the kind of tests", a.tests, b.tests), ("whether diag is given", a.user_scale, b.user_scale),
        ("whether there are bounds", current.bounded, s.bounded),
    ):
        if expected != stored:
            _refuse(name, stored, f"that of its solver, {expected}")
    if not 0.0 < b.epsfcn < 1.0:
        _refuse("epsfcn", b.epsfcn, "between 0 and 1")
    if current.bounded:
        for name, same in (("lower", memcmp(current.lower, s.lower, bytes_of_vector) == 0),
                           ("upper", memcmp(current.upper, s.upper, bytes_of_vector) == 0)):
            if not same:
                _refuse(f"the {name} bounds", "another", "those of its solver and problem")
    return 0


cdef int _check_dialogue(const lm_state *current, const lm_state *s, bint asked) except -1:
    """Check the request, its answer and the counts."""
    for name, value in (("nfev", s.nfev), ("models", s.models), ("nit", s.nit), ("steps", s.steps),
                        ("refused", s.refused)):
        if not 0 <= value < 2**62:
            _refuse(name, value, "a count")
    cdef ptrdiff_t trials = search_trials(s.n)
    for name, value, most in (("rank", s.rank, s.n), ("probe", s.probe, 8 + 7 * s.n), ("search", s.search, trials + 1),
                              ("best", s.best, trials)):
        if not 0 <= value <= most:
            _refuse(name, value, f"from 0 to {most}")
    if s.failed:
        _refuse("failed", s.failed, "0")
    if s.version != LM_STATE_VERSION:
        _refuse("its version", s.version, f"{LM_STATE_VERSION}")
    if not LM_RESIDUAL <= s.request <= LM_STEP:
        _refuse("request", s.request, f"from {LM_RESIDUAL} to {LM_STEP}")
    if not 0 <= s.answer <= 2:
        _refuse("answer", s.answer, "0, 1 or 2")
    if s.status not in _STATUSES or (s.request == LM_DONE and s.status == LM_RUNNING):
        _refuse("status", s.status, "one of Status, and not LM_RUNNING after the end of the solve")
    if not s.started and (s.models > 0 or s.request not in (LM_RESIDUAL, LM_DONE)):
        _refuse("started", False, "set when a Jacobian is requested")
    if s.models == 0 and (s.request in (LM_CURVATURE, LM_STEP)
                          or s.started and s.request == LM_RESIDUAL):
        _refuse("models", 0, "positive when a step is requested")
    if s.request == LM_STEP and not asked:
        _refuse("request", s.request, "no step of a strategy in Python, as there is none")
    if s.request == LM_CURVATURE and not current.options.step.wants_curvature:
        _refuse("request", s.request, "no curvature, which the step strategy does not use")
    return 0


cdef int _check_place(const lm_state *current, const lm_state *s, const double *x, str name) except -1:
    """Check that a point is finite and within the bounds."""
    cdef ptrdiff_t j
    for j in range(current.n):
        if not isfinite(x[j]):
            _refuse(f"{name}[{j}]", x[j], "finite")
        if current.bounded and not current.lower[j] <= x[j] <= current.upper[j]:
            _refuse(f"{name}[{j}]", x[j], f"between {current.lower[j]} and {current.upper[j]}")
    return 0


cdef int _check_dense(const lm_state *current, const lm_state *s) except -1:
    """Check the triangles and the norms of the columns."""
    cdef const lm_dense *d = <const lm_dense *>s.model
    _check_triangle(s.n, &d.all, s.models > 0, "the model of all parameters")
    if current.bounded:
        _check_triangle(s.n, &d.free, s.models > 0, "the model")
        # Work space; only its permutation is used as indices.
        _check_indices(s.n, d.face.ipvt, 0, s.n - 1, "the permutation of the bounded subproblem")
    if s.models > 0 and not (all_finite(s.n, s.acnorm) and all_finite(s.n, s.free_norms)):
        _refuse("a norm of a column", "another", "finite")
    return 0


cdef int _check_triangle(ptrdiff_t n, const lm_triangle *model, bint there, str name) except -1:
    """Check that the permutation is one, R and its vectors are finite; before the first model, only the indices."""
    cdef ptrdiff_t j
    _check_indices(n, model.ipvt, 0, n - 1, f"the permutation of {name}")
    if not there:
        return 0
    if len({model.ipvt[j] for j in range(n)}) < n:
        _refuse(f"the permutation of {name}", [model.ipvt[j] for j in range(n)], "a permutation")
    for j in range(n):
        if not all_finite(j + 1, model.r + j * n):
            _refuse(f"column {j} of R of {name}", "another", "finite")
    if not all_finite(n, model.qtf):
        _refuse(f"qtf of {name}", "another", "finite")
    return 0


cdef int _check_indices(ptrdiff_t n, const int *found, ptrdiff_t least, ptrdiff_t most,
                        str name) except -1:
    cdef ptrdiff_t j
    for j in range(n):
        if not least <= found[j] <= most:
            _refuse(name, [found[k] for k in range(n)], f"{n} integers from {least} to {most}")
    return 0
