"""The Levenberg-Marquardt parameter.

Find par >= 0 and the step x such that x solves

    min |A x - b|^2 + par |D x|^2

and either par = 0 and |D x| <= 1.1 delta, or par > 0 and | |D x| - delta | <= 0.1 delta.

More' (1978), "The Levenberg-Marquardt algorithm: implementation and theory", section 5: Newton's
method on phi(par) = |D x(par)| - delta (Hebden 1973), limited by bounds.
"""

from libc.math cimport fabs, sqrt
from libc.float cimport DBL_MIN

from lmoo._core.norms cimport enorm, scaled_norm


cdef extern from "<assert.h>" nogil:
    void c_assert "assert"(bint)


cdef double HUGE_SHARE = 1e150  # of delta, beyond which |D x| is not accurate


cdef double lmpar(ptrdiff_t n, double *r, ptrdiff_t ldr, const int *ipvt, const double *diag,
                  const double *qtb, double delta, double par, double *x, double *sdiag,
                  double *wa1, double *wa2) noexcept nogil:
    """Return the parameter; the step goes to x.

    r      n x n, column-major, leading dimension ldr >= n: R of A P = Q R on and above the
           diagonal, kept; below it the strict lower triangle is work space (S^T on return)
    ipvt, diag, qtb   n each, read only: P, D > 0 and (Q^T b)[:n]
    delta  radius of the trust region, > 0;  par: a first guess, >= 0
    x, sdiag          n doubles each: the step and the diagonal of S
    wa1, wa2          n doubles each of work space; wa2 holds D x on return
    """
    # With a constant n the compiler keeps small arrays in registers.
    if n == 3 and ldr == 3:
        return _lmpar(3, r, 3, ipvt, diag, qtb, delta, par, x, sdiag, wa1, wa2)
    elif n == 2 and ldr == 2:
        return _lmpar(2, r, 2, ipvt, diag, qtb, delta, par, x, sdiag, wa1, wa2)
    elif n == 4 and ldr == 4:
        return _lmpar(4, r, 4, ipvt, diag, qtb, delta, par, x, sdiag, wa1, wa2)
    elif n == 5 and ldr == 5:
        return _lmpar(5, r, 5, ipvt, diag, qtb, delta, par, x, sdiag, wa1, wa2)
    return _lmpar(n, r, ldr, ipvt, diag, qtb, delta, par, x, sdiag, wa1, wa2)


cdef inline double _lmpar(ptrdiff_t n, double *r, ptrdiff_t ldr, const int *ipvt, const double *diag,
                          const double *qtb, double delta, double par, double *x, double *sdiag,
                          double *wa1, double *wa2) noexcept nogil:
    cdef double dxnorm, fp, gnorm, parl = 0.0, paru, previous
    cdef ptrdiff_t nsing = _gauss_newton(n, r, ldr, ipvt, qtb, x, wa1)
    cdef int iteration

    c_assert(n >= 1 and ldr >= n and delta > 0.0 and par >= 0.0)
    dxnorm = scaled_norm(n, diag, x, wa2)
    # A pivot near underflow counts as zero: results with it overflow, here or in the bounds of par.
    if not dxnorm < HUGE_SHARE * delta:
        dxnorm, nsing = HUGE_SHARE * delta, 0
    fp = dxnorm - delta
    if fp <= 0.1 * delta:
        return 0.0

    # If R has full rank, Newton's step at par = 0 is a lower bound of the zero of phi.
    if nsing == n:
        _scaled_direction(n, ipvt, diag, wa2, dxnorm, wa1)
        parl = _lower_bound(n, r, ldr, wa1, fp, delta)
    gnorm = _scaled_gradient(n, r, ldr, ipvt, diag, qtb, wa1)
    paru = gnorm / delta
    if paru == 0.0:
        paru = DBL_MIN / min(delta, 0.1)
    par = min(max(par, parl), paru)
    if par == 0.0:
        par = gnorm / dxnorm

    for iteration in range(1, 11):
        if par == 0.0:
            par = max(DBL_MIN, 0.001 * paru)
        _damp(n, diag, par, wa1)
        _qrsolv(n, r, ldr, ipvt, wa1, qtb, x, sdiag, wa2)
        dxnorm = scaled_norm(n, diag, x, wa2)
        previous = fp
        fp = dxnorm - delta
        # In the second case phi has no zero, and par has decreased to its limit.
        if fabs(fp) <= 0.1 * delta or parl == 0.0 and fp <= previous < 0.0 or iteration == 10:
            break
        _scaled_direction(n, ipvt, diag, wa2, dxnorm, wa1)
        if fp > 0.0:
            parl = max(parl, par)
        elif fp < 0.0:
            paru = min(paru, par)
        par = max(parl, par + _newton_correction(n, r, ldr, sdiag, wa1, fp, delta))
    c_assert(par >= 0.0)
    return par


cdef inline ptrdiff_t _gauss_newton(ptrdiff_t n, const double *r, ptrdiff_t ldr, const int *ipvt,
                             const double *qtb, double *x, double *wa1) noexcept nogil:
    """Compute x = P R^-1 qtb, with zeros from the first zero on R's diagonal on; return the index of that zero."""
    cdef ptrdiff_t i, j, nsing = n
    for j in range(n):
        if r[j + j * ldr] == 0.0 and nsing == n:
            nsing = j
        wa1[j] = qtb[j] if nsing == n else 0.0
    for j in range(nsing - 1, -1, -1):
        wa1[j] /= r[j + j * ldr]
        for i in range(j):
            wa1[i] -= r[i + j * ldr] * wa1[j]
    for j in range(n):
        x[ipvt[j]] = wa1[j]
    return nsing


cdef inline void _scaled_direction(ptrdiff_t n, const int *ipvt, const double *diag, const double *dx,
                            double dxnorm, double *wa1) noexcept nogil:
    """Compute wa1 = P^T D (D x) / |D x|."""
    cdef ptrdiff_t j
    for j in range(n):
        wa1[j] = diag[ipvt[j]] * (dx[ipvt[j]] / dxnorm)


cdef inline double _lower_bound(ptrdiff_t n, const double *r, ptrdiff_t ldr, double *wa1, double fp,
                         double delta) noexcept nogil:
    """Return -phi(0) / phi'(0) times |D x| / delta, by solving R^T z = wa1."""
    cdef ptrdiff_t i, j
    cdef double total, temp
    for j in range(n):
        total = 0.0
        for i in range(j):
            total += r[i + j * ldr] * wa1[i]
        wa1[j] = (wa1[j] - total) / r[j + j * ldr]
    temp = enorm(n, wa1)
    return ((fp / delta) / temp) / temp


cdef inline double _scaled_gradient(ptrdiff_t n, const double *r, ptrdiff_t ldr, const int *ipvt,
                             const double *diag, const double *qtb, double *wa1) noexcept nogil:
    """Return |D^-1 A^T b|."""
    cdef ptrdiff_t i, j
    cdef double total
    for j in range(n):
        total = 0.0
        for i in range(j + 1):
            total += r[i + j * ldr] * qtb[i]
        wa1[j] = total / diag[ipvt[j]]
    return enorm(n, wa1)


cdef inline void _damp(ptrdiff_t n, const double *diag, double par, double *wa1) noexcept nogil:
    cdef double root = sqrt(par)
    cdef ptrdiff_t j
    for j in range(n):
        wa1[j] = root * diag[j]


cdef inline double _newton_correction(ptrdiff_t n, const double *r, ptrdiff_t ldr, const double *sdiag,
                                      double *wa1, double fp, double delta) noexcept nogil:
    """Return -phi / phi' times (|D x| / delta), by solving S^T z = wa1 (More' 1978, section 5)."""
    cdef ptrdiff_t i, j
    cdef double temp
    for j in range(n):
        wa1[j] /= sdiag[j]
        temp = wa1[j]
        for i in range(j + 1, n):
            wa1[i] -= r[i + j * ldr] * temp
    temp = enorm(n, wa1)
    return ((fp / delta) / temp) / temp
