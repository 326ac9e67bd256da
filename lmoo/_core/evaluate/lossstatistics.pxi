"""Statistics of a robust fit: weights of points, sums for standard errors, the estimated scale."""

from libc.math cimport INFINITY, fabs, isfinite, sqrt
from libc.stdlib cimport qsort
from libc.string cimport memset

import numpy as np

# Median of |f| for normal f with the standard deviation 1.
cdef double NORMAL_MEDIAN = 0.6744897501960817


cdef enum:
    PART = 64   # points whose slopes are computed together


cdef inline void _slopes(const lm_loss *loss, ptrdiff_t m, ptrdiff_t begin, ptrdiff_t count, const double *f,
                         double *slope, double *h) noexcept nogil:
    """Compute rho' and rho' + 2 z rho'' of at most PART of the m points; those of a user's loss are in loss.values."""
    cdef double[PART] u
    cdef ptrdiff_t i
    for i in range(count):
        u[i] = f[begin + i] / loss.scale
    if loss.kind != LM_LOSS_CALLED:
        lmoo_loss_values(loss.kind, count, u, NULL, slope, h)
        return
    for i in range(count):
        slope[i] = loss.values[2 * m + begin + i]
        h[i] = slope[i] + 2.0 * u[i] * u[i] * loss.values[3 * m + begin + i]


cdef int loss_weights(const lm_loss *loss, ptrdiff_t m, const double *f, double *weights) noexcept nogil:
    """Compute weights_i = rho'(z_i): 1 for a point with its full weight."""
    cdef double[PART] h
    cdef double[PART] slope
    cdef ptrdiff_t i, k, begin, count
    m -= loss.priors
    for i in range(m, m + loss.priors):
        weights[i] = 1.0
    if loss.kind == LM_LOSS_CALLED and _call(loss, m, f) < 0:
        return -1
    for k in range((m + PART - 1) // PART):
        begin = k * PART
        count = min(<ptrdiff_t>PART, m - begin)
        _slopes(loss, m, begin, count, f, slope, h)
        for i in range(count):
            weights[begin + i] = slope[i]
    return 0


cdef int loss_sums(const lm_loss *loss, ptrdiff_t m, const double *f, double *sums) noexcept nogil:
    """Compute a norm and three sums over the points with nonzero weights, for the standard errors.

    Negative if a user's loss ends the solve.

    sums    |psi|, sum psi', sum psi'^2, sum h, where psi = rho'(z) f, psi' = rho' + 2 z rho'' is its derivative
            and h its value in the linear model
    """
    cdef double[PART] h
    cdef double[PART] slope
    # |psi| = largest sqrt(squares): squares of psi itself may over- or underflow.
    cdef double psi, largest = 0.0, squares = 0.0
    cdef ptrdiff_t i, begin = 0, count
    memset(sums, 0, 4 * sizeof(double))
    m -= loss.priors
    if loss.kind == LM_LOSS_CALLED:
        if _call(loss, m, f) < 0:
            return -1
    elif loss.weights == NULL:
        begin = m - m % LMOO_SUMS
        lmoo_loss_sums(loss.kind, 1.0 / loss.scale, begin, f, sums)
        largest, squares = loss.scale, sums[0]
        if not SMALL_SUM <= squares < INFINITY:
            begin, largest, squares = 0, 0.0, 0.0
            memset(sums, 0, 4 * sizeof(double))
    while begin < m:
        count = min(<ptrdiff_t>PART, m - begin)
        _slopes(loss, m, begin, count, f, slope, h)
        for i in range(count):
            if loss.weights != NULL and loss.weights[begin + i] == 0.0:
                continue
            psi = fabs(slope[i] * f[begin + i])
            if psi > largest:
                squares = 1.0 + squares * (largest / psi) * (largest / psi)
                largest = psi
            elif psi != 0.0:
                squares += (psi / largest) * (psi / largest)
            sums[1] += h[i]
            sums[2] += h[i] * h[i]
            sums[3] += max(h[i], LMOO_LEAST_H * slope[i])
        begin += count
    sums[0] = largest * sqrt(squares)
    return 0


cdef double loss_deviation(const double *sums, double m, double degrees) noexcept nogil:
    """Return the standard deviation s of a robust fit; infinite if it is unknown.

        s^2 = K^2 [sum(psi^2) / (m - p)] / mean(psi')^2,   K = 1 + (p / m) var(psi') / mean(psi')^2

    s^2 (J^T J)^-1 is then the covariance of the p parameters: the sandwich H^-1 (sum psi_i^2 J_i J_i^T) H^-1,
    H = sum psi'_i J_i J_i^T, for errors of one distribution (Huber, Ronchetti 2009, "Robust statistics", section 7.6).

    sums: those of loss_sums;  m: points;  degrees: m - p
    """
    cdef double mean, variance
    if degrees <= 0.0 or m <= 0.0 or not sums[1] > 0.0:
        # Most points are beyond the inflection of rho, or there are no degrees of freedom.
        return INFINITY
    mean = sums[1] / m
    variance = max(sums[2] / m - mean * mean, 0.0)
    return (1.0 + (m - degrees) / m * variance / (mean * mean)) * (sums[0] / sqrt(degrees)) / mean


def deviation(sums, double m, double degrees):
    """Return loss_deviation."""
    cdef const double[::1] values = np.ascontiguousarray(sums, dtype=np.float64)
    return loss_deviation(&values[0], m, degrees)


cdef int _compare(const void *a, const void *b) noexcept nogil:
    cdef double x = (<const double *>a)[0], y = (<const double *>b)[0]
    return (x > y) - (x < y)


cdef double loss_estimate(const lm_loss *loss, ptrdiff_t m, ptrdiff_t n, const double *f,
                          double *work) noexcept nogil:
    """Estimate C from the median of |f|: tuning times median / 0.6745; work: m doubles.

    Of the n smallest |f|, which a fit with n parameters can make arbitrarily small, all but one are left out
    (DuMouchel, O'Brien 1989).  If the median is 0, the mean is used; if f is 0, C is 1.
    """
    cdef ptrdiff_t i, count = 0, first, middle
    cdef double median, total = 0.0
    if loss.parameters > 0:
        n = loss.parameters
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
