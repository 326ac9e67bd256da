"""Models of curves with their derivatives, in compiled code, written by hand.

Those whose programs (program.h) take more than 1.25 times as long: on curves of 20 points, where a
program's instructions cost as much as its arithmetic, or for a power, here exp(b log t), which
programs take in doubled precision.

Each function is a model's values or derivatives as lmoo_model has them: t, x read only, the rest the
caller's.
"""

from libc.math cimport log
from libc.string cimport memset

from cpython.pycapsule cimport PyCapsule_New

from lmoo._core.model cimport *

cdef extern from "models/vexp.h" nogil:
    void lmoo_exp(ptrdiff_t m, double *v)


def exp(double[::1] v not None):
    """Replace each entry of v by its exponential, as the models take it."""
    lmoo_exp(v.shape[0], &v[0])


cdef inline void fill(ptrdiff_t m, double value, double *v) noexcept nogil:
    cdef ptrdiff_t i
    for i in range(m):
        v[i] = value


# Where both are one exponential and little more, three functions share two parts: what is made of
# the exponentials, for the values and for the derivatives.

# ---- a exp(-b t) + c ------------------------------------------------------------------------

cdef inline void decay(ptrdiff_t m, double rate, const double *t, double *e) noexcept nogil:
    """e = exp(-rate t)."""
    cdef ptrdiff_t i
    for i in range(m):
        e[i] = -rate * t[i]
    lmoo_exp(m, e)


cdef inline void scale_and_shift(ptrdiff_t m, double a, double c, const double *e,
                                 double *f) noexcept nogil:
    """f = a e + c; f may be e."""
    cdef ptrdiff_t i
    for i in range(m):
        f[i] = a * e[i] + c


cdef int exponential(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *f,
                     void *data) noexcept nogil:
    decay(m, x[1], t, f)
    scale_and_shift(m, x[0], x[2], f, f)
    return 0


cdef int exponential_d(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *j,
                       void *data) noexcept nogil:
    cdef ptrdiff_t i
    decay(m, x[1], t, j)
    for i in range(m):
        j[m + i] = -x[0] * t[i] * j[i]
    fill(m, 1.0, j + 2 * m)
    return 0


cdef int exponential_b(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *f,
                       double *j, void *data) noexcept nogil:
    exponential_d(m, n, t, x, j, data)
    scale_and_shift(m, x[0], x[2], j, f)
    return 0


# ---- a exp(-(t - b)^2 / (2 s^2)) + c --------------------------------------------------------

cdef inline void bell(ptrdiff_t m, const double *t, const double *x, double *e) noexcept nogil:
    """e = exp(-(t - b)^2 / (2 s^2))."""
    cdef ptrdiff_t i
    cdef double z, inverse = 1.0 / x[2]
    for i in range(m):
        z = (t[i] - x[1]) * inverse
        e[i] = -0.5 * (z * z)
    lmoo_exp(m, e)


cdef int gaussian(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *f,
                  void *data) noexcept nogil:
    bell(m, t, x, f)
    scale_and_shift(m, x[0], x[3], f, f)
    return 0


cdef int gaussian_d(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *j,
                    void *data) noexcept nogil:
    cdef ptrdiff_t i
    cdef double z, inverse = 1.0 / x[2]
    bell(m, t, x, j)
    for i in range(m):
        z = (t[i] - x[1]) * inverse
        j[m + i] = x[0] * j[i] * z * inverse
        j[2 * m + i] = j[m + i] * z
    fill(m, 1.0, j + 3 * m)
    return 0


cdef int gaussian_b(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *f,
                    double *j, void *data) noexcept nogil:
    gaussian_d(m, n, t, x, j, data)
    scale_and_shift(m, x[0], x[3], j, f)
    return 0


# ---- a exp(-((u - b)^2 + (v - c)^2) / (2 s^2)) + d ------------------------------------------

cdef inline void bell2d(ptrdiff_t m, const double *t, const double *x, double *e) noexcept nogil:
    """e = exp(-((u - b)^2 + (v - c)^2) / (2 s^2))."""
    cdef ptrdiff_t i
    cdef double u, v, inverse = 1.0 / x[3]
    for i in range(m):
        u = (t[i] - x[1]) * inverse
        v = (t[m + i] - x[2]) * inverse
        e[i] = -0.5 * (u * u + v * v)
    lmoo_exp(m, e)


cdef int gaussian2d(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *f,
                    void *data) noexcept nogil:
    bell2d(m, t, x, f)
    scale_and_shift(m, x[0], x[4], f, f)
    return 0


cdef int gaussian2d_d(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *j,
                      void *data) noexcept nogil:
    cdef ptrdiff_t i
    cdef double e, inverse = 1.0 / x[3]
    cdef double *u = j + m
    cdef double *v = j + 2 * m
    for i in range(m):
        u[i] = (t[i] - x[1]) * inverse
        v[i] = (t[m + i] - x[2]) * inverse
        j[3 * m + i] = u[i] * u[i] + v[i] * v[i]
        j[i] = -0.5 * j[3 * m + i]
    lmoo_exp(m, j)
    for i in range(m):
        e = x[0] * j[i] * inverse
        u[i] = e * u[i]
        v[i] = e * v[i]
        j[3 * m + i] = e * j[3 * m + i]
    fill(m, 1.0, j + 4 * m)
    return 0


cdef int gaussian2d_b(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *f,
                      double *j, void *data) noexcept nogil:
    gaussian2d_d(m, n, t, x, j, data)
    scale_and_shift(m, x[0], x[4], j, f)
    return 0


# ---- a / (1 + ((t - b) / w)^2) + c ----------------------------------------------------------

cdef int lorentzian(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *f,
                    void *data) noexcept nogil:
    cdef ptrdiff_t i
    cdef double z, inverse = 1.0 / x[2]
    for i in range(m):
        z = (t[i] - x[1]) * inverse
        f[i] = x[0] / (1.0 + z * z) + x[3]
    return 0


cdef int lorentzian_d(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *j,
                      void *data) noexcept nogil:
    cdef ptrdiff_t i
    cdef double z, inverse = 1.0 / x[2]
    for i in range(m):
        z = (t[i] - x[1]) * inverse
        j[i] = 1.0 / (1.0 + z * z)
        j[m + i] = 2.0 * x[0] * (j[i] * j[i]) * z * inverse
        j[2 * m + i] = j[m + i] * z
    fill(m, 1.0, j + 3 * m)
    return 0


# ---- a (e L(z) + (1 - e) G(z)) + c,  z = (t - b) / w, w the half width of both --------------
#
#     L = 1 / (1 + z^2),   G = exp(-ln(2) z^2)

cdef double LN2 = 0.6931471805599453


cdef int pseudovoigt(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *f,
                     void *data) noexcept nogil:
    cdef ptrdiff_t i
    cdef double z, inverse = 1.0 / x[2]
    for i in range(m):
        z = (t[i] - x[1]) * inverse
        f[i] = -LN2 * (z * z)
    lmoo_exp(m, f)
    for i in range(m):
        z = (t[i] - x[1]) * inverse
        f[i] = x[0] * (x[3] / (1.0 + z * z) + (1.0 - x[3]) * f[i]) + x[4]
    return 0


cdef int pseudovoigt_d(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *j,
                       void *data) noexcept nogil:
    cdef ptrdiff_t i
    cdef double z, l, g, slope, inverse = 1.0 / x[2]
    for i in range(m):
        z = (t[i] - x[1]) * inverse
        j[i] = -LN2 * (z * z)
    lmoo_exp(m, j)
    for i in range(m):
        z = (t[i] - x[1]) * inverse
        g, l = j[i], 1.0 / (1.0 + z * z)
        slope = x[0] * (x[3] * 2.0 * z * (l * l) + (1.0 - x[3]) * 2.0 * LN2 * z * g) * inverse
        j[i] = x[3] * l + (1.0 - x[3]) * g
        j[m + i] = slope
        j[2 * m + i] = slope * z
        j[3 * m + i] = x[0] * (l - g)
    fill(m, 1.0, j + 4 * m)
    return 0


# ---- d + (a - d) / (1 + (t / c)^b), t >= 0 --------------------------------------------------
#
#     (t / c)^b = exp(b log(t / c)); t = 0 is log 0 = -inf, and its power 0 for b > 0

cdef int logistic4(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *f,
                   void *data) noexcept nogil:
    cdef ptrdiff_t i
    for i in range(m):
        f[i] = x[1] * log(t[i] / x[2])
    lmoo_exp(m, f)
    for i in range(m):
        f[i] = x[3] + (x[0] - x[3]) / (1.0 + f[i])
    return 0


cdef int logistic4_d(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *j,
                     void *data) noexcept nogil:
    cdef ptrdiff_t i
    cdef double power, share, slope
    cdef double *logs = j + m
    for i in range(m):
        logs[i] = log(t[i] / x[2])
        j[i] = x[1] * logs[i]
    lmoo_exp(m, j)
    for i in range(m):
        power, share = j[i], 1.0 / (1.0 + j[i])
        # Both ends of the curve are flat, though inf / inf is not.
        slope = (x[0] - x[3]) * share * (1.0 - share)
        j[i] = share
        j[m + i] = -slope * logs[i] if slope != 0.0 else 0.0
        j[2 * m + i] = slope * x[1] / x[2]
        j[3 * m + i] = 1.0 - share
    return 0


# ---- a t^b + c, t >= 0 ----------------------------------------------------------------------

cdef int powerlaw(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *f,
                  void *data) noexcept nogil:
    cdef ptrdiff_t i
    for i in range(m):
        f[i] = x[1] * log(t[i])
    lmoo_exp(m, f)
    for i in range(m):
        f[i] = x[0] * f[i] + x[2]
    return 0


cdef int powerlaw_d(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *j,
                    void *data) noexcept nogil:
    cdef ptrdiff_t i
    cdef double *logs = j + m
    for i in range(m):
        logs[i] = log(t[i])
        j[i] = x[1] * logs[i]
    lmoo_exp(m, j)
    for i in range(m):
        logs[i] = x[0] * j[i] * logs[i] if j[i] != 0.0 else 0.0
    fill(m, 1.0, j + 2 * m)
    return 0


# ---- a exp(-(t / s)^b) + c, t >= 0 ----------------------------------------------------------

cdef int stretched(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *f,
                   void *data) noexcept nogil:
    cdef ptrdiff_t i
    for i in range(m):
        f[i] = x[2] * log(t[i] / x[1])
    lmoo_exp(m, f)
    for i in range(m):
        f[i] = -f[i]
    lmoo_exp(m, f)
    for i in range(m):
        f[i] = x[0] * f[i] + x[3]
    return 0


cdef int stretched_d(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *j,
                     void *data) noexcept nogil:
    cdef ptrdiff_t i
    cdef double slope
    cdef double *logs = j + m
    cdef double *power = j + 2 * m
    for i in range(m):
        logs[i] = log(t[i] / x[1])
        power[i] = x[2] * logs[i]
    lmoo_exp(m, power)
    for i in range(m):
        j[i] = -power[i]
    lmoo_exp(m, j)
    for i in range(m):
        slope = x[0] * j[i] * power[i]
        # Where the curve is flat its slope is 0, though 0 times inf is not.
        if j[i] == 0.0 or power[i] == 0.0:
            slope = 0.0
        power[i] = -slope * logs[i] if slope != 0.0 else 0.0
        logs[i] = slope * x[2] / x[1]
    fill(m, 1.0, j + 3 * m)
    return 0


# ---- the tables -----------------------------------------------------------------------------

cdef lmoo_model TABLES[8]
TABLE_OF = {}


cdef int _add(str name, ptrdiff_t n, ptrdiff_t variables, lmoo_model_function values,
              lmoo_model_function derivatives, lmoo_model_both_function both) except -1:
    cdef lmoo_model *table = &TABLES[len(TABLE_OF)]
    memset(table, 0, sizeof(lmoo_model))
    table.size, table.n, table.variables = sizeof(lmoo_model), n, variables
    table.values, table.derivatives, table.both = values, derivatives, both
    TABLE_OF[name] = PyCapsule_New(table, b"lmoo_model", NULL)
    return 0


_add("Exponential", 3, 1, exponential, exponential_d, exponential_b)
_add("Gaussian", 4, 1, gaussian, gaussian_d, gaussian_b)
_add("Gaussian2D", 5, 2, gaussian2d, gaussian2d_d, gaussian2d_b)
_add("Lorentzian", 4, 1, lorentzian, lorentzian_d, NULL)
_add("PseudoVoigt", 5, 1, pseudovoigt, pseudovoigt_d, NULL)
_add("Logistic4", 4, 1, logistic4, logistic4_d, NULL)
_add("PowerLaw", 3, 1, powerlaw, powerlaw_d, NULL)
_add("StretchedExponential", 4, 1, stretched, stretched_d, NULL)
