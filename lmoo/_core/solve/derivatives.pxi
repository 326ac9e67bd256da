"""Jacobian strategies as Python objects: compiled ones, and those that call Python."""


ctypedef int (*evaluate_function)(lmoo_point *point, void *context) noexcept nogil


cdef class Derivatives:
    """Base of Jacobian strategies: a strategy for one problem, as a table for the driver.

    Attributes
    ----------
    noise : float
        Relative error of the residual, if the user has given it; else 0.
    gives_matrix : bool
        Whether it can return the Jacobian as a matrix, for a loop that stores no dense one.
    takes_either : bool
        Whether that matrix may be a dense one too: the first shows which loop is the right one.
    may_switch : bool
        Whether a first matrix of the other kind ends the loop with WrongKindError; set where `takes_either` is true.
    needs_all_rows : bool
        Whether it has no derivatives of a single block of rows.
    """

    gives_matrix = takes_either = may_switch = needs_all_rows = False

    cdef int attach(self, Source fun, object out) except -1:
        """Set the problem, and the (n, m) array that is the buffer of the Jacobian."""
        return 0

    cdef object of_block(self, lmoo_point *at, Residual fun):
        """Return the Jacobian of a block of rows; raise RefusedError at a bad point, see block.pxi."""
        return filled_block(self, at, fun)


cdef class Differences(Derivatives):
    """Forward or central differences of the residual, see evaluate/differences.pxi; shared by all solves.

    Parameters
    ----------
    use_jacobian : bool
        Use the problem's own Jacobian instead, if it provides one.
    central : bool
    epsfcn : float
        Relative error of the residual; 0 stands for that of its data type.
    typical : (n,) float64 array or None
        Least sizes of |x_j|; None: they are derived from the linear model.
    minpack_compatible : bool
        Step and divide exactly as MINPACK does.
    can_refine : int
        1: forward differences may be followed by central ones; 2: only if the model has directions along which
        they are error.
    """

    def __cinit__(self, bint use_jacobian, bint central, double epsfcn, typical, bint minpack_compatible,
                  int can_refine):
        cdef const double[::1] sizes
        self.noise, self.weighs = epsfcn, True
        self.options.epsfcn = epsfcn
        self.options.use_jacobian, self.options.central = use_jacobian, central
        self.options.minpack_compatible, self.options.refines = minpack_compatible, can_refine
        if typical is not None:
            self.typical = sizes = typical
            self.options.typical = &sizes[0]
        self.table.size = sizeof(lmoo_jacobian)
        self.table.context = &self.options
        self.table.evaluate = differences
        self.table.refines = can_refine


cdef class ProblemJacobian(Derivatives):
    """The Jacobian of a compiled problem."""

    def __cinit__(self):
        self.table.size = sizeof(lmoo_jacobian)
        self.table.evaluate = analytic


cdef class Foreign(Derivatives):
    """A strategy that is a C table, in a capsule named "lmoo_jacobian"."""

    def __cinit__(self, capsule):
        self.capsule = capsule
        cdef const lmoo_jacobian *table = <const lmoo_jacobian *>PyCapsule_GetPointer(
            capsule, b"lmoo_jacobian")
        memcpy(&self.table, table, min(table.size, sizeof(lmoo_jacobian)))
        self.table.size = sizeof(lmoo_jacobian)


cdef int _call_strategy(lmoo_point *at, void *context) except -1 with gil:
    """Implement lmoo_jacobian.evaluate by a strategy in Python."""
    return (<Called>context).fill(at)


cdef class Called(Derivatives):
    """Base of the strategies that call Python, each for one solve."""

    def __cinit__(self, *args):
        self.table.size = sizeof(lmoo_jacobian)
        self.table.context = <void *>self
        # -1 if an exception is set.
        self.table.evaluate = <evaluate_function><void *>_call_strategy

    cdef int attach(self, Source fun, object out) except -1:
        self.fun, self.out = fun, out.T
        return 0

    cdef int fill(self, lmoo_point *at) except -1:
        raise NotImplementedError

    cdef object sparse(self, lmoo_point *at):
        """Return the Jacobian as a matrix, sparse or not, for a loop that stores no dense one; None at a bad point."""
        raise NotImplementedError

    cdef int refuse(self, lmoo_point *at, error) except -1:
        """Refuse a point at which the user's function has no derivatives."""
        code = getattr(error, "code", None)
        if code is not None and code < 0:
            raise error
        self.fun.refusal = error if at.state.models == 0 else None
        return LMOO_BAD_POINT


class WrongKindError(Exception):
    """The first Jacobian is sparse in a loop for dense ones, or dense in a loop for sparse ones.

    Attributes
    ----------
    jacobian : object
        What the user's function has returned.
    sparse : bool
        Whether it is sparse.
    residual : (m,) array
        The residual at the same point, in single precision if that is its precision.
    """

    def __init__(self, jacobian, sparse):
        self.jacobian, self.sparse, self.residual = jacobian, sparse, None


cdef bint is_sparse(value):
    """Return whether value is a sparse matrix or array of scipy."""
    return hasattr(value, "tocsr") and hasattr(value, "nnz")


cdef class Rows(Called):
    """A callable that returns the Jacobian: (m, n), or (n, m) with columns=True.

    Parameters
    ----------
    func : callable
        ``func(x, *args, **kwargs)``.
    args, kwargs : tuple, dict
    name : str
        What messages call it.
    columns : bool
        The array has one row per parameter, which is the layout of the buffer.
    bad_point : type
        The exception that the callable raises if it cannot be evaluated at x.
    may_switch : bool
        A first Jacobian that is sparse ends a loop for dense ones, and the reverse, with WrongKindError.
    repeated : callable, optional
        Returns how many residuals the callable has evaluated since the last call; they are added to nfev.
    """

    gives_matrix = takes_either = True

    def __cinit__(self, func, tuple args, dict kwargs, str name, bint columns, bad_point, bint may_switch=False,
                  repeated=None):
        self.repeated = repeated
        self.func, self.args, self.kwargs, self.name = func, args, kwargs, name
        self.columns, self.bad_point, self.may_switch = columns, bad_point, may_switch

    def offer(self, value):
        """Set the Jacobian at x0, where the function is then not called again."""
        self.early = value

    cdef int fill(self, lmoo_point *at) except -1:
        # Release the previous array before the next one is allocated.
        self.array = None
        cdef object array = self.matrix(at)
        if array is None:
            return LMOO_BAD_POINT
        if not (at.takes_rows and self.lend(at, array)):
            self.out[...] = array
        return 0

    cdef object matrix(self, lmoo_point *at):
        """Return the Jacobian of the callable, (m, n), without a copy; None at a bad point."""
        cdef ptrdiff_t m = self.fun.table.m     # at.m without the padding rows of zeros
        cdef tuple shape = (at.n, m) if self.columns else (m, at.n)
        value = self.value(at, shape)
        if value is None:
            return None
        if is_sparse(value):
            if self.may_switch and at.state.models == 0:
                raise WrongKindError(value, True)
            value = value.toarray()
        array = self.checked(value, shape)
        return array.T if self.columns else array

    cdef object value(self, lmoo_point *at, tuple shape):
        """Return the value of the callable, not None; None at a bad point."""
        if self.early is not None:
            value, self.early = self.early, None
            return value
        try:
            value = self.func(new_vector(at.n, at.x), *self.args, **self.kwargs)
        except self.bad_point as error:
            self.refuse(at, error)
            return None
        finally:
            if self.repeated is not None:
                (<lm_state *>at.state).nfev += self.repeated()
        return self.checked(value, shape) if value is None else value

    cdef object of_block(self, lmoo_point *at, Residual fun):
        """Return the Jacobian without a copy, if it can be read in place."""
        self.attach(fun, np.empty((0, 0)))     # nothing is written
        matrix = self.matrix(at)
        if matrix is None:
            raise RefusedError(fun.refusal, -1, 0.0, at.state.nfev)
        matrix = np.asarray(matrix, dtype=np.float64)
        if not matrix.flags.aligned or any(stride % 8 for stride in matrix.strides):
            return matrix.copy()
        return matrix

    cdef object sparse(self, lmoo_point *at):
        """Return the Jacobian as the callable returns it, (m, n)."""
        cdef ptrdiff_t m = self.fun.table.m
        cdef tuple shape = (at.n, m) if self.columns else (m, at.n)
        value = self.value(at, shape)
        if value is None:
            return None
        if not is_sparse(value):
            if self.may_switch and at.state.models == 0:
                raise WrongKindError(value, False)
            value = self.checked(value, shape)
        return value.T if self.columns else value

    cdef bint lend(self, lmoo_point *at, array) except -1:
        """Let the driver read the (m, n) array in place; return False if it cannot."""
        cdef cnp.ndarray rows = array
        if array.dtype != np.float64 or not (array.flags.aligned and array.dtype.isnative):
            return False
        if any(stride % 8 for stride in array.strides):
            return False
        self.array = rows
        at.rows = <const double *>cnp.PyArray_DATA(rows)
        at.row_stride, at.column_stride = array.strides[0] // 8, array.strides[1] // 8
        return True

    def checked(self, value, tuple shape):
        """Return value as an array of this shape; raise TypeError with both shapes otherwise."""
        expected = f"{self.name} must return a real array of shape {shape}"
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise TypeError(f"{expected}; what it returned is no array: {error}") from error
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{expected}; it returned dtype {array.dtype}")
        if array.ndim == 1 and array.size == max(shape) and min(shape) == 1:
            array = array.reshape(shape)
        if array.shape != shape:
            hint = "; it is transposed" if array.shape == shape[::-1] else ""
            raise TypeError(f"{expected}; it returned shape {array.shape}{hint}")
        return array


cdef class Custom(Called):
    """A strategy written in Python: ``func(x, f, out)`` returns the number of its evaluations, or None.

    relative_error is that of the entries it writes, 0 if they are as accurate as the residual.
    """

    def __cinit__(self, func, bad_point, double relative_error):
        self.func, self.bad_point, self.relative_error = func, bad_point, relative_error

    cdef int fill(self, lmoo_point *at) except -1:
        # The driver counts evaluations; this strategy is called by it.
        cdef lm_state *s = <lm_state *>at.state
        # Entries that are not written must not be used as derivatives.
        self.out.fill(np.nan)
        refusal = None
        try:
            cost = self.func(new_vector(at.n, at.x), new_vector(self.fun.table.m, at.f), self.out)
        except self.bad_point as error:
            refusal, cost = error, getattr(error, "evaluations", 0)
        # The count is added to nfev, which ends the solve: a wrong one may prevent this.
        evaluations = 0 if cost is None else int(cost)
        if not 0 <= evaluations <= 2**53:
            raise ValueError(
                "evaluate must return the number of evaluations of the residual that it made, or "
                f"None for 0; it returned {cost!r}")
        s.nfev += evaluations
        if refusal is not None:
            return self.refuse(at, refusal)
        at.relative_error = self.relative_error
        return 0


cdef class SparseCustom(Called):
    """A strategy in Python for sparse matrices: ``func(x, f)`` returns a matrix, its relative error and nfev."""

    gives_matrix = True

    def __cinit__(self, func, bad_point):
        self.func, self.bad_point = func, bad_point

    cdef object sparse(self, lmoo_point *at):
        cdef lm_state *s = <lm_state *>at.state
        try:
            value, at.relative_error, evaluations = self.func(
                new_vector(at.n, at.x), new_vector(self.fun.table.m, at.f))
        except self.bad_point as error:
            self.refuse(at, error)
            return None
        s.nfev += evaluations
        return value
