"""Robust losses: the cost, and the scaling of rows that makes it a linear model.

    cost = 1/2 sum C^2 rho(z_i),   z_i = (f_i / C)^2

    J_i -> sqrt(h_i) J_i,   f_i -> rho'(z_i) / sqrt(h_i) f_i,   h_i = max(rho' + 2 z_i rho'', LEAST rho')

After the scaling J^T f is the gradient of the cost and J^T J its Hessian without the second derivatives of f
(Triggs, McLauchlan, Hartley, Fitzgibbon 2000, "Bundle adjustment - a modern synthesis", section 4.3), so the
reduction that the model predicts is one of the cost, though the sum of squares of the scaled residual is not the cost.

    linear    rho = z
    huber     rho = z for z <= 1, else 2 sqrt(z) - 1            Huber (1964)
    soft_l1   rho = 2 (sqrt(1 + z) - 1)                         Charbonnier et al. (1994)
    cauchy    rho = log(1 + z)
    arctan    rho = arctan(z)
    tukey     rho = (1 - (1 - z)^3) / 3 for z <= 1, else 1/3    Beaton, Tukey (1974)

The names and formulas are those of scipy.optimize.least_squares, which has no tukey.
"""

from libc.float cimport DBL_MIN
from libc.math cimport INFINITY, M_PI, NAN, atan, atan2, fabs, isfinite, log1p, sqrt
from libc.stdlib cimport qsort
from libc.string cimport memset

import numpy as np

cimport numpy as cnp

from lmoo._core.norms cimport all_finite, enorm

cnp.import_array()

# The least share of rho' that h is taken to be.  Beyond an inflection of rho the true h is negative.  With the root of
# machine epsilon, as in scipy, the scaled residuals would be so large that their rounding hides the gradient; with 1,
# as in Ceres, the steps are those of iteratively reweighted least squares, which converge linearly.
cdef double LEAST = 0.05
# Products of 1 + z of which the logarithm is taken, and z that go by themselves: their product might overflow.
cdef double LARGE_PRODUCT = 1e100
cdef double LARGE_Z = 1e100
cdef double LARGEST_FACTOR = 1e60
# Median of |f| for normal f with the standard deviation 1.
cdef double NORMAL_MEDIAN = 0.6744897501960817


# ---- memory ---------------------------------------------------------------------------------

cdef size_t loss_doubles(ptrdiff_t m, bint called) noexcept nogil:
    """How many doubles loss_place wants."""
    return <size_t>((7 if called else 3) * m)


cdef void loss_place(lm_loss *loss, ptrdiff_t m, double *memory) noexcept nogil:
    """Point the arrays into memory that the caller owns; m: rows, with those of zeros behind them."""
    memset(memory, 0, loss_doubles(m, loss.kind == LM_LOSS_CALLED) * sizeof(double))
    loss.root, loss.weighted, loss.model = memory, memory + m, memory + 2 * m
    loss.values = memory + 3 * m


# ---- rho ------------------------------------------------------------------------------------

cdef inline double _rho(int kind, double z) noexcept nogil:
    """rho(z), of all kinds that need no logarithm; without cancellation where z is small."""
    if kind == LM_LOSS_HUBER:
        return z if z <= 1.0 else 2.0 * sqrt(z) - 1.0
    if kind == LM_LOSS_SOFT_L1:
        # 2 z / (sqrt(1 + z) + 1), which is inf / inf where z overflows.
        return 2.0 * z / (sqrt(1.0 + z) + 1.0)
    if kind == LM_LOSS_ARCTAN:
        return atan(z)
    if kind == LM_LOSS_TUKEY:
        return z * (1.0 + z * (z / 3.0 - 1.0)) if z < 1.0 else 1.0 / 3.0
    return z


cdef inline void _derivatives(int kind, double z, double *slope, double *h) noexcept nogil:
    """rho'(z) and rho'(z) + 2 z rho''(z)."""
    cdef double w
    if kind == LM_LOSS_HUBER:
        slope[0] = 1.0 if z <= 1.0 else 1.0 / sqrt(z)
        h[0] = 1.0 if z <= 1.0 else 0.0
    elif kind == LM_LOSS_SOFT_L1:
        w = 1.0 / sqrt(1.0 + z)
        slope[0], h[0] = w, w * w * w
    elif kind == LM_LOSS_CAUCHY:
        w = 1.0 / (1.0 + z)
        slope[0], h[0] = w, (2.0 * w - 1.0) * w
    elif kind == LM_LOSS_ARCTAN:
        w = 1.0 / (1.0 + z * z)
        slope[0], h[0] = w, (4.0 * w - 3.0) * w
    elif kind == LM_LOSS_TUKEY:
        w = 1.0 - z if z < 1.0 else 0.0
        slope[0], h[0] = w * w, w * (5.0 * w - 4.0)
    else:
        slope[0] = h[0] = 1.0


cdef inline double _sum(int kind, double scale, ptrdiff_t m, const double *f) noexcept nogil:
    """sum rho(z), in four sums that go on side by side."""
    cdef double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0, u, v, w, x
    cdef ptrdiff_t i = 0
    while i + 4 <= m:
        u, v, w, x = f[i] * scale, f[i + 1] * scale, f[i + 2] * scale, f[i + 3] * scale
        s0 += _rho(kind, u * u)
        s1 += _rho(kind, v * v)
        s2 += _rho(kind, w * w)
        s3 += _rho(kind, x * x)
        i += 4
    while i < m:
        u = f[i] * scale
        s0 += _rho(kind, u * u)
        i += 1
    return (s0 + s1) + (s2 + s3)


cdef double _sum_of_logarithms(double scale, ptrdiff_t m, const double *f) noexcept nogil:
    """sum log(1 + z): one logarithm for several factors, as p - 1 of the product p is kept without cancellation, of
    four products side by side."""
    cdef double total = 0.0, u
    cdef double[4] excess
    cdef double[4] z
    cdef ptrdiff_t i = 0
    cdef int k
    memset(excess, 0, sizeof(excess))
    while i + 4 <= m:
        for k in range(4):
            u = f[i + k] * scale
            z[k] = u * u
        if max(max(z[0], z[1]), max(z[2], z[3])) > LARGE_Z:
            for k in range(4):
                total += log1p(z[k])
        else:
            for k in range(4):
                excess[k] += z[k] * (1.0 + excess[k])
            if max(max(excess[0], excess[1]), max(excess[2], excess[3])) > LARGE_PRODUCT:
                for k in range(4):
                    total += log1p(excess[k])
                    excess[k] = 0.0
        i += 4
    for k in range(4):
        total += log1p(excess[k])
    while i < m:
        u = f[i] * scale
        total += log1p(u * u)
        i += 1
    return total


cdef double _sum_of_arctangents(double scale, ptrdiff_t m, const double *f) noexcept nogil:
    """sum arctan(z): the argument of the product of 1 + i z, of four products side by side.

    A product in the lower half plane is turned by pi, which is counted.
    """
    cdef double total = 0.0, u, z, x, y, size
    cdef double[4] re
    cdef double[4] im
    cdef ptrdiff_t i = 0, turns = 0
    cdef bint below
    cdef int k
    for k in range(4):
        re[k], im[k] = 1.0, 0.0
    while i + 4 <= m:
        for k in range(4):
            u = f[i + k] * scale
            # Of more the arctangent is pi / 2 to the last bit, and products do not overflow.
            z = min(u * u, LARGEST_FACTOR)
            x, y = re[k] - im[k] * z, re[k] * z + im[k]
            below = y < 0.0 or y == 0.0 and x < 0.0
            turns += below
            re[k] = -x if below else x
            im[k] = -y if below else y
        if max(max(im[0], im[1]), max(im[2], im[3])) > LARGE_PRODUCT \
                or max(max(fabs(re[0]), fabs(re[1])), max(fabs(re[2]), fabs(re[3]))) > LARGE_PRODUCT:
            for k in range(4):
                size = max(fabs(re[k]), im[k])
                re[k] /= size
                im[k] /= size
        i += 4
    for k in range(4):
        total += atan2(im[k], re[k])
    while i < m:
        u = f[i] * scale
        total += atan(u * u)
        i += 1
    return total + <double>turns * M_PI


cdef int _call(const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil:
    """Let a user's loss fill loss.values + m with rho and its two derivatives; negative ends the solve."""
    cdef ptrdiff_t i
    cdef double u
    for i in range(m):
        u = f[i] / loss.scale
        loss.values[i] = u * u
    return loss.rho(m, loss.values, loss.values + m, loss.context)


cdef double loss_norm(const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil:
    """C sqrt(sum rho(z)), the root of twice the cost: NaN where f is not finite, negative where a user's loss ends
    the solve."""
    cdef double total = 0.0, scale = 1.0 / loss.scale, size
    cdef ptrdiff_t i
    if not all_finite(m, f):
        return NAN
    m -= loss.priors
    if loss.kind == LM_LOSS_CALLED:
        if _call(loss, m, f) < 0:
            return -1.0
        for i in range(m):
            total += loss.values[m + i]
    # With a constant for the kind each has a loop of its own.
    elif loss.kind == LM_LOSS_HUBER:
        total = _sum(LM_LOSS_HUBER, scale, m, f)
    elif loss.kind == LM_LOSS_SOFT_L1:
        total = _sum(LM_LOSS_SOFT_L1, scale, m, f)
    elif loss.kind == LM_LOSS_CAUCHY:
        total = _sum_of_logarithms(scale, m, f)
    elif loss.kind == LM_LOSS_ARCTAN:
        total = _sum_of_arctangents(scale, m, f)
    elif loss.kind == LM_LOSS_TUKEY:
        total = _sum(LM_LOSS_TUKEY, scale, m, f)
    else:
        total = _sum(LM_LOSS_LINEAR, scale, m, f)
    if loss.priors > 0:
        size = scale * enorm(loss.priors, f + m)
        total += size * size
    return loss.scale * sqrt(total)


# ---- the linear model -----------------------------------------------------------------------

cdef inline void _row(double slope, double h, double f, double *root, double *model) noexcept nogil:
    """What a row of J and its f are scaled to; all 0 where rho' is 0."""
    cdef double size = max(h, LEAST * slope)
    root[0] = sqrt(size)
    # Where rho' is 0 this is 0 over the least number there is, and no branch.
    model[0] = slope / max(root[0], DBL_MIN) * f


cdef inline void _rows(int kind, const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil:
    cdef double slope = 0.0, h = 0.0, u, scale = 1.0 / loss.scale
    cdef ptrdiff_t i
    for i in range(m):
        u = f[i] * scale
        _derivatives(kind, u * u, &slope, &h)
        _row(slope, h, f[i], loss.root + i, loss.model + i)


cdef int loss_rows(const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil:
    """Fill loss.root, loss.model and loss.weighted for the residual f; negative where a user's loss ends the solve."""
    cdef const double *rho
    cdef ptrdiff_t i
    m -= loss.priors
    for i in range(m, m + loss.priors):
        loss.root[i], loss.model[i] = 1.0, f[i]
    rho = loss.values + m
    if loss.kind == LM_LOSS_CALLED:
        if _call(loss, m, f) < 0:
            return -1
        for i in range(m):
            _row(rho[m + i], rho[m + i] + 2.0 * loss.values[i] * rho[2 * m + i], f[i],
                 loss.root + i, loss.model + i)
    elif loss.kind == LM_LOSS_HUBER:
        _rows(LM_LOSS_HUBER, loss, m, f)
    elif loss.kind == LM_LOSS_SOFT_L1:
        _rows(LM_LOSS_SOFT_L1, loss, m, f)
    elif loss.kind == LM_LOSS_CAUCHY:
        _rows(LM_LOSS_CAUCHY, loss, m, f)
    elif loss.kind == LM_LOSS_ARCTAN:
        _rows(LM_LOSS_ARCTAN, loss, m, f)
    elif loss.kind == LM_LOSS_TUKEY:
        _rows(LM_LOSS_TUKEY, loss, m, f)
    else:
        _rows(LM_LOSS_LINEAR, loss, m, f)
    multiply_rows(m + loss.priors, loss.root, f, loss.weighted)
    return 0


cdef void scale_rows(ptrdiff_t m, ptrdiff_t n, const double *root, double *fjac,
                     ptrdiff_t lda) noexcept nogil:
    """J_i *= root_i for m rows; fjac: column-major, leading dimension lda."""
    cdef ptrdiff_t j
    for j in range(n):
        multiply_rows(m, root, fjac + j * lda, fjac + j * lda)


cdef void multiply_rows(ptrdiff_t m, const double *root, const double *f, double *out) noexcept nogil:
    """out_i = root_i f_i, m doubles each; out may be f."""
    cdef ptrdiff_t i
    for i in range(m):
        out[i] = root[i] * f[i]


# ---- what is told of the points -------------------------------------------------------------

cdef int loss_weights(const lm_loss *loss, ptrdiff_t m, const double *f, double *weights) noexcept nogil:
    """weights_i = rho'(z_i): 1 for a point that counts in full."""
    cdef double slope = 0.0, h = 0.0, u
    cdef ptrdiff_t i
    m -= loss.priors
    for i in range(m, m + loss.priors):
        weights[i] = 1.0
    if loss.kind == LM_LOSS_CALLED and _call(loss, m, f) < 0:
        return -1
    for i in range(m):
        u = f[i] / loss.scale
        _derivatives(loss.kind, u * u, &slope, &h)
        weights[i] = loss.values[2 * m + i] if loss.kind == LM_LOSS_CALLED else slope
    return 0


cdef int loss_sums(const lm_loss *loss, ptrdiff_t m, const double *f, double *sums) noexcept nogil:
    """Four sums over the points that count, for the standard errors; negative where a user's loss ends the solve.

    sums    sum psi^2, sum psi', sum psi'^2, sum h, where psi = rho'(z) f, psi' = rho' + 2 z rho'' is its derivative
            and h what the model takes for it
    """
    cdef double slope = 0.0, h = 0.0, z
    cdef ptrdiff_t i
    memset(sums, 0, 4 * sizeof(double))
    m -= loss.priors
    if loss.kind == LM_LOSS_CALLED and _call(loss, m, f) < 0:
        return -1
    for i in range(m):
        if loss.weights != NULL and loss.weights[i] == 0.0:
            continue
        z = f[i] / loss.scale
        z *= z
        _derivatives(loss.kind, z, &slope, &h)
        if loss.kind == LM_LOSS_CALLED:
            slope = loss.values[2 * m + i]
            h = slope + 2.0 * z * loss.values[3 * m + i]
        sums[0] += slope * f[i] * slope * f[i]
        sums[1] += h
        sums[2] += h * h
        sums[3] += max(h, LEAST * slope)
    return 0


cdef double loss_deviation(const double *sums, double m, double degrees) noexcept nogil:
    """The standard deviation s of a robust fit; infinite where it cannot be told.

        s^2 = K^2 [sum(psi^2) / (m - p)] / mean(psi')^2,   K = 1 + (p / m) var(psi') / mean(psi')^2

    With it s^2 (J^T J)^-1 is the covariance of the p parameters: the sandwich H^-1 (sum psi_i^2 J_i J_i^T) H^-1,
    H = sum psi'_i J_i J_i^T, for errors of one distribution (Huber, Ronchetti 2009, "Robust statistics", section 7.6).

    sums: those of loss_sums;  m: points;  degrees: m - p
    """
    cdef double mean, spread
    if degrees <= 0.0 or m <= 0.0 or not sums[1] > 0.0:
        # More points beyond the inflection of rho than before it, or no more points than parameters.
        return INFINITY
    mean = sums[1] / m
    spread = max(sums[2] / m - mean * mean, 0.0)
    return (1.0 + (m - degrees) / m * spread / (mean * mean)) * sqrt(sums[0] / degrees) / mean


def deviation(sums, double m, double degrees):
    """Return loss_deviation."""
    cdef const double[::1] values = np.ascontiguousarray(sums, dtype=np.float64)
    return loss_deviation(&values[0], m, degrees)


# ---- the scale ------------------------------------------------------------------------------

cdef int _compare(const void *a, const void *b) noexcept nogil:
    cdef double x = (<const double *>a)[0], y = (<const double *>b)[0]
    return (x > y) - (x < y)


cdef double loss_estimate(const lm_loss *loss, ptrdiff_t m, ptrdiff_t n, const double *f,
                          double *work) noexcept nogil:
    """C from the median of |f|: tuning times median / 0.6745; work: m doubles.

    Of the n smallest |f|, which a fit with n parameters can make as small as it wants, all but one are left out
    (DuMouchel, O'Brien 1989).  Where the median is 0 the mean stands for it; where f is all 0, 1.
    """
    cdef ptrdiff_t i, count = 0, first, middle
    cdef double median, total = 0.0
    for i in range(m - loss.priors):
        if loss.weights == NULL or loss.weights[i] != 0.0:
            work[count] = fabs(f[i])
            total += work[count]
            count += 1
    if count == 0 or not isfinite(total) or total == 0.0:
        return loss.scale if loss.rounds > 0 else 1.0
    qsort(work, <size_t>count, sizeof(double), _compare)
    first = min(max(n - 1, 0), count - 1)
    middle = first + (count - first) // 2
    median = work[middle]
    if (count - first) % 2 == 0:
        median = 0.5 * (median + work[middle - 1])
    if median == 0.0:
        return loss.scale if loss.rounds > 0 else loss.tuning * total / <double>count
    return loss.tuning * median / NORMAL_MEDIAN


# ---- objects --------------------------------------------------------------------------------

KINDS = {
    "linear": LM_LOSS_LINEAR, "huber": LM_LOSS_HUBER, "soft_l1": LM_LOSS_SOFT_L1,
    "cauchy": LM_LOSS_CAUCHY, "arctan": LM_LOSS_ARCTAN, "tukey": LM_LOSS_TUKEY,
}


def called(value, Py_ssize_t m):
    """Return what a user's loss returned, (3, m) float64; TypeError or ValueError where it is no loss."""
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
    """lm_loss.rho of a Python callable."""
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


cdef class LossKernel:
    """A loss for one solve.

    Parameters
    ----------
    name : str
        One of KINDS; any other for a callable.
    scale : float
        C, positive.
    tuning : float
        Positive where C is estimated from the residual: C over the standard deviation; else 0.
    func : callable or None
        ``func(z)`` returns rho and its two derivatives, (3, m).
    priors : int, default 0
        Number of last rows that are priors, which the loss leaves as they are.
    """

    def __cinit__(self, str name, double scale, double tuning, func, ptrdiff_t priors=0):
        self.func = func
        self.table.priors = priors
        self.table.kind = LM_LOSS_CALLED if func is not None else <int>KINDS[name]
        self.table.scale, self.table.tuning = scale, tuning
        self.table.rho = <lm_rho_function><void *>_ask
        self.table.context = <void *>self

    cdef int place(self, ptrdiff_t m, ptrdiff_t padded) except -1:
        """Memory for m rows, and the rows of zeros behind them."""
        cdef cnp.npy_intp size = <cnp.npy_intp>(loss_doubles(padded, self.table.kind == LM_LOSS_CALLED))
        self.memory = cnp.PyArray_ZEROS(1, &size, cnp.NPY_DOUBLE, 0)
        loss_place(&self.table, padded, <double *>cnp.PyArray_DATA(<cnp.ndarray>self.memory))
        return 0

    @property
    def scale(self):
        """C, as it is now."""
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
        """Return the sums that standard errors are made of, (4,)."""
        cdef const double[::1] values = self.ready(f)
        cdef double[::1] out = np.zeros(4)
        if values.shape[0] and loss_sums(&self.table, values.shape[0], &values[0], &out[0]) < 0:
            reraise()
        return np.asarray(out)

    def ready(self, f):
        """Return a residual as the kernels take it, with memory for it."""
        values = np.ascontiguousarray(f, dtype=np.float64)
        self.place(values.size, values.size)
        return values


cdef int reraise() except -1:
    """Let the exception that is set come out."""
    return -1


def evaluate(str name, z):
    """Return rho and its two derivatives of a built-in loss, (3, m); z: (m,), not negative."""
    cdef const double[::1] points = np.ascontiguousarray(z, dtype=np.float64)
    cdef double[:, ::1] out = np.empty((3, points.shape[0]))
    cdef int kind = KINDS[name]
    cdef double slope = 0.0, h = 0.0
    cdef ptrdiff_t i
    for i in range(points.shape[0]):
        _derivatives(kind, points[i], &slope, &h)
        out[0, i] = log1p(points[i]) if kind == LM_LOSS_CAUCHY else _rho(kind, points[i])
        out[1, i], out[2, i] = slope, _second_derivative(kind, points[i])
    return np.asarray(out)


cdef double _second_derivative(int kind, double z) noexcept nogil:
    """rho''(z)."""
    cdef double slope = 0.0, h = 0.0
    _derivatives(kind, z, &slope, &h)
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
