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

from libc.math cimport NAN, sqrt

from lmoo._core.norms cimport SMALL_SUM, all_finite, enorm

cdef extern from "evaluate/losses.h" nogil:
    const double LMOO_LEAST_H
    double lmoo_loss_sum(int kind, double scale, ptrdiff_t m, const double *f)
    void lmoo_loss_rows(int kind, double scale, ptrdiff_t m, const double *f, double *root, double *weighted,
                        double *model)
    const ptrdiff_t LMOO_SUMS
    void lmoo_loss_sums(int kind, double scale, ptrdiff_t m, const double *f, double *sums)
    void lmoo_loss_values(int kind, ptrdiff_t m, const double *u, double *rho, double *slope, double *h)

# ---- memory ---------------------------------------------------------------------------------

cdef size_t loss_doubles(ptrdiff_t m, bint called) noexcept nogil:
    """Return the doubles that loss_place uses."""
    return <size_t>((7 if called else 3) * m)


cdef void loss_place(lm_loss *loss, ptrdiff_t m, double *memory) noexcept nogil:
    """Set the pointers of the arrays to memory owned by the caller; m: rows, with the padding rows, which are zeros."""
    loss.root, loss.weighted, loss.model = memory, memory + m, memory + 2 * m
    loss.values = memory + 3 * m


# ---- rho ------------------------------------------------------------------------------------

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
    m -= loss.priors
    if loss.kind == LM_LOSS_CALLED:
        if not all_finite(m + loss.priors, f):
            return NAN
        if _call(loss, m, f) < 0:
            return -1.0
        for i in range(m):
            total += loss.values[m + i]
    else:
        # NaN if f is not finite.
        total = lmoo_loss_sum(loss.kind, scale, m, f)
    if total < SMALL_SUM:
        # rho(z) = z for z this small, which may underflow.
        return enorm(m + loss.priors, f)
    if loss.priors > 0:
        # A norm is not NaN for infinities.
        size = scale * enorm(loss.priors, f + m) if all_finite(loss.priors, f + m) else NAN
        total += size * size
    return loss.scale * sqrt(total)
