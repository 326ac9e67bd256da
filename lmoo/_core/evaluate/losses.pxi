"""Robust losses: the cost, and the scaling of rows with which the linear model predicts it.

   cost = 1/2 sum C^2 rho(z_i),   z_i = (f_i / C)^2

   J_i -> sqrt(h_i) J_i,   f_i -> rho'(z_i) / sqrt(h_i) f_i,   h_i = max(rho' + 2 z_i rho'', LEAST rho')

After the scaling J^T f is the gradient of the cost and J^T J its Hessian without the second derivatives of f
(Triggs, McLauchlan, Hartley, Fitzgibbon 2000, "Bundle adjustment - a modern synthesis", section 4.3).  The reduction
that the model predicts is therefore one of the cost, though the sum of squares of the scaled residual is not the cost.

   linear    rho = z
   huber     rho = z for z <= 1, else 2 sqrt(z) - 1            Huber (1964)
   soft_l1   rho = 2 (sqrt(1 + z) - 1)                         Charbonnier et al. (1994)
   cauchy    rho = log(1 + z)
   arctan    rho = arctan(z)
   tukey     rho = (1 - (1 - z)^3) / 3 for z <= 1, else 1/3    Beaton, Tukey (1974)

The names and formulas are those of scipy.optimize.least_squares, which has no tukey.
"""

from libc.math cimport M_PI, NAN, atan, atan2, fabs, log1p, sqrt
from libc.string cimport memset

from lmoo._core.norms cimport all_finite, enorm

# Product of factors 1 + z above which its logarithm is added to the sum.  The logarithm of 1 + z is computed separately
# for z > LARGE_Z: the product might overflow.
cdef double LARGE_PRODUCT = 1e100
cdef double LARGE_Z = 1e100
cdef double LARGEST_FACTOR = 1e60

# ---- memory ---------------------------------------------------------------------------------

cdef size_t loss_doubles(ptrdiff_t m, bint called) noexcept nogil:
    """Return the doubles that loss_place uses."""
    return <size_t>((7 if called else 3) * m)


cdef void loss_place(lm_loss *loss, ptrdiff_t m, double *memory) noexcept nogil:
    """Set the pointers of the arrays to memory owned by the caller; m: rows, with the padding rows of zeros."""
    memset(memory, 0, loss_doubles(m, loss.kind == LM_LOSS_CALLED) * sizeof(double))
    loss.root, loss.weighted, loss.model = memory, memory + m, memory + 2 * m
    loss.values = memory + 3 * m


# ---- rho ------------------------------------------------------------------------------------

cdef inline double _rho(int kind, double z) noexcept nogil:
    """Return rho(z) for the kinds without a logarithm, without cancellation for small z."""
    if kind == LM_LOSS_HUBER:
        return z if z <= 1.0 else 2.0 * sqrt(z) - 1.0
    if kind == LM_LOSS_SOFT_L1:
        # NaN, as inf / inf, if z overflows.
        return 2.0 * z / (sqrt(1.0 + z) + 1.0)
    if kind == LM_LOSS_ARCTAN:
        return atan(z)
    if kind == LM_LOSS_TUKEY:
        return z * (1.0 + z * (z / 3.0 - 1.0)) if z < 1.0 else 1.0 / 3.0
    return z


cdef inline double _sum(int kind, double scale, ptrdiff_t m, const double *f) noexcept nogil:
    """Return sum rho(z), from four independent sums."""
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
    """Return sum log(1 + z), with one logarithm for several factors.

    p - 1 of each product p is updated without cancellation; four products are independent of each other.
    """
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
    """Return sum arctan(z): the argument of the product of 1 + i z, from four independent products.

    A product in the lower half plane is rotated by pi; the rotations are counted.
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
            # For larger z the arctangent is pi / 2 to the last bit; the limit prevents overflow of the products.
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
    """Fill loss.values + m with rho and its two derivatives by the user's loss; negative to end the solve."""
    cdef ptrdiff_t i
    cdef double u
    for i in range(m):
        u = f[i] / loss.scale
        loss.values[i] = u * u
    return loss.rho(m, loss.values, loss.values + m, loss.context)


cdef double loss_norm(const lm_loss *loss, ptrdiff_t m, const double *f) noexcept nogil:
    """Return C sqrt(sum rho(z)), the root of twice the cost.

    NaN if f is not finite, negative if a user's loss ends the solve.
    """
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
    # A constant kind lets the compiler generate a loop for each.
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
