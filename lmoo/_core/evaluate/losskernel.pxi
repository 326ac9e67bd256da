"""Losses as Python objects: built-in ones, and those of a user."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.string cimport memcpy, memset

from cpython.exc cimport PyErr_SetString

import numpy as np

cimport numpy as cnp

from lmoo._core.norms cimport all_finite

cnp.import_array()

KINDS = {
    "linear": LM_LOSS_LINEAR, "huber": LM_LOSS_HUBER, "soft_l1": LM_LOSS_SOFT_L1,
    "cauchy": LM_LOSS_CAUCHY, "arctan": LM_LOSS_ARCTAN, "tukey": LM_LOSS_TUKEY,
}


def called(value, Py_ssize_t m):
    """Return the value of a user's loss as a (3, m) float64 array; raise TypeError or ValueError if it is invalid."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"loss must return real numbers of shape (3, {m}): {error}") from error
    if array.shape != (3, m):
        raise ValueError(
            f"loss must return an array of shape (3, {m}), rho and its first and second derivative "
            f"for each of {m} points; it returned shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("loss must return finite numbers; it returned NaN or infinity")
    for row, name in ((0, "rho"), (1, "the first derivative of rho")):
        if (array[row] < 0.0).any():
            raise ValueError(f"loss must return no negative values of {name}; it returned {array[row].min()}")
    return np.ascontiguousarray(array)


cdef int _ask(ptrdiff_t m, const double *z, double *rho, void *context) except -1 with gil:
    """Implement lm_loss.rho by a Python callable."""
    cdef LossKernel kernel = <LossKernel>context
    cdef double[::1] points = np.empty(m)
    cdef const double[:, ::1] values
    cdef ptrdiff_t i, k
    for i in range(m):
        points[i] = z[i]
    values = called(kernel.func(np.asarray(points)), m)
    for k in range(3):
        for i in range(m):
            rho[k * m + i] = values[k, i]
    return 0


cdef int _ask_compiled(ptrdiff_t m, const double *z, double *rho, void *context) noexcept nogil:
    """Implement lm_loss.rho by the function of an lmoo_loss, whose values are checked."""
    cdef const lmoo_loss *table = <const lmoo_loss *>context
    cdef int code = table.rho(m, z, rho, table.user_data)
    cdef ptrdiff_t i
    cdef bint good = all_finite(3 * m, rho)
    for i in range(2 * m):
        good = good and rho[i] >= 0.0
    return 0 if code >= 0 and good else _refuse_rho(code)


cdef int _refuse_rho(int code) noexcept with gil:
    """Set the exception for a compiled loss that has failed, or whose values are none of a loss; return -1."""
    if code < 0:
        PyErr_SetString(ValueError, f"the loss ended the solve: it returned {code}".encode())
    else:
        PyErr_SetString(ValueError, b"loss must return finite numbers, and no negative ones of rho and its first derivative")
    return -1


cdef class CompiledRho:
    """The function of a loss in C, as a callable.

    Parameters
    ----------
    capsule : PyCapsule
        Of the name ``lmoo_loss``, pointing to an ``lmoo_loss`` of lmoo.h; what it points to is copied, the capsule is
        kept.
    """

    def __cinit__(self, capsule):
        cdef const lmoo_loss *given = <const lmoo_loss *>PyCapsule_GetPointer(capsule, b"lmoo_loss")
        memset(&self.table, 0, sizeof(lmoo_loss))
        memcpy(&self.table, given, min(given.size, sizeof(lmoo_loss)))
        if self.table.rho == NULL:
            raise ValueError("table must have the function rho; it is NULL")
        self.capsule = capsule

    def __call__(self, z):
        """Return rho and its two derivatives, (3, m); z: (m,), not negative."""
        cdef const double[::1] points = np.ascontiguousarray(z, dtype=np.float64)
        cdef ptrdiff_t m = points.shape[0]
        cdef double[:, ::1] out = np.zeros((3, m))
        if m and _ask_compiled(m, &points[0], &out[0, 0], <void *>&self.table) < 0:
            reraise()
        return np.asarray(out)

    def __reduce__(self):
        raise TypeError("a loss in compiled code cannot be pickled: its pointers are invalid in another process")


cdef class LossKernel:
    """A loss for one solve.

    Parameters
    ----------
    name : str
        One of KINDS; not used with a callable.
    scale : float
        C, positive.
    tuning : float
        C over the standard deviation, if C is estimated from the residual; else 0.
    func : callable or None
        ``func(z)`` returns rho and its two derivatives, (3, m).
    priors : int, default 0
        Number of last rows that are priors, to which the loss does not apply.
    """

    def __cinit__(self, str name, double scale, double tuning, func, ptrdiff_t priors=0):
        self.func = func
        self.table.priors = priors
        self.table.kind = LM_LOSS_CALLED if func is not None else <int>KINDS[name]
        self.table.scale, self.table.tuning = scale, tuning
        self.table.rho = <lm_rho_function><void *>_ask
        self.table.context = <void *>self
        if isinstance(func, CompiledRho):
            self.table.rho, self.table.context = _ask_compiled, <void *>&(<CompiledRho>func).table

    cdef int place(self, ptrdiff_t m, ptrdiff_t padded) except -1:
        """Allocate memory for m rows and the padding rows of zeros."""
        cdef cnp.npy_intp size = <cnp.npy_intp>(loss_doubles(padded, self.table.kind == LM_LOSS_CALLED))
        if self.memory is None or cnp.PyArray_SIZE(self.memory) != size:
            # Released before the next one is allocated.
            self.memory = None
            self.memory = cnp.PyArray_EMPTY(1, &size, cnp.NPY_DOUBLE, 0)
        if padded > m:
            self.memory.fill(0.0)
        loss_place(&self.table, padded, <double *>cnp.PyArray_DATA(<cnp.ndarray>self.memory))
        return 0

    @property
    def scale(self):
        """The current C."""
        return self.table.scale

    def norm(self, f):
        """Return the root of twice the cost of a residual."""
        cdef const double[::1] values = self.ready(f)
        cdef double norm = loss_norm(&self.table, values.shape[0], &values[0] if values.shape[0] else NULL)
        if norm < 0.0:
            reraise()
        return norm

    def weights(self, f):
        """Return rho'(z) of each entry of a residual."""
        cdef const double[::1] values = self.ready(f)
        cdef double[::1] out = np.ones(values.shape[0])
        if values.shape[0] and loss_weights(&self.table, values.shape[0], &values[0], &out[0]) < 0:
            reraise()
        return np.asarray(out)

    def rows(self, f):
        """Return the factors of the rows of J, and the residual of the linear model."""
        cdef const double[::1] values = self.ready(f)
        if values.shape[0] and loss_rows(&self.table, values.shape[0], &values[0]) < 0:
            reraise()
        m = values.shape[0]
        return self.memory[:m].copy(), self.memory[2 * m:3 * m].copy()

    def sums(self, f):
        """Return the sums that standard errors are computed from, (4,)."""
        cdef const double[::1] values = self.ready(f)
        cdef double[::1] out = np.zeros(4)
        if values.shape[0] and loss_sums(&self.table, values.shape[0], &values[0], &out[0]) < 0:
            reraise()
        return np.asarray(out)

    def ready(self, f):
        """Return a residual in the form of the kernels, after allocating memory for it."""
        values = np.ascontiguousarray(f, dtype=np.float64)
        self.place(values.size, values.size)
        return values


cdef int reraise() except -1:
    """Raise the exception that is set."""
    return -1


def evaluate(str name, z):
    """Return rho and its two derivatives of a built-in loss, (3, m); z: (m,), not negative."""
    cdef const double[::1] points = np.ascontiguousarray(z, dtype=np.float64)
    cdef const double[::1] roots = np.sqrt(points)
    cdef ptrdiff_t i, m = points.shape[0]
    cdef double[:, ::1] out = np.empty((3, m))
    cdef int kind = KINDS[name]
    if m > 0:
        lmoo_loss_values(kind, m, &roots[0], &out[0, 0], &out[1, 0], &out[2, 0])
    for i in range(m):
        out[2, i] = _second_derivative(kind, points[i], out[1, i])
    return np.asarray(out)


cdef double _second_derivative(int kind, double z, double slope) noexcept nogil:
    """rho''(z); slope: rho'(z)."""
    if kind == LM_LOSS_HUBER:
        return 0.0 if z <= 1.0 else -0.5 * slope / z
    if kind == LM_LOSS_SOFT_L1:
        return -0.5 * slope / (1.0 + z)
    if kind == LM_LOSS_CAUCHY:
        return -slope * slope
    if kind == LM_LOSS_ARCTAN:
        return -2.0 * z * slope * slope
    if kind == LM_LOSS_TUKEY:
        return 2.0 * min(z - 1.0, 0.0)
    return 0.0
