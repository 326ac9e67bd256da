"""QR factorisation with column pivoting, and what is done with its factors.

    A P = Q R,  Q^T f                                                qrfac
    min |A x - b|^2 + |D x|^2, from R, P and Q^T b                   qrsolv

Businger, Golub (1965), "Linear least squares solutions by Householder transformations",
Numer. Math. 7; More' (1978), "The Levenberg-Marquardt algorithm", section 3.  Matrices are
column-major.  The order of operations is MINPACK's, as it decides pivots, signs and counts; but for
sums over more than 256 rows, which go in lanes, the same on every machine.
"""

from libc.math cimport fabs, sqrt

from lmoo._core.norms cimport IN_ORDER, dot_in_lanes, enorm

cdef extern from "<assert.h>" nogil:
    void c_assert "assert"(bint)

cdef double EPSMCH = 2.0**-52


cdef void qrfac(ptrdiff_t m, ptrdiff_t n, double *a, ptrdiff_t lda, int *ipvt, double *rdiag,
                const double *acnorm, double *wa, double *f, double *qtf) noexcept nogil:
    """A P = Q R by Householder reflections with column pivoting, and (Q^T f)[:n].

    m, n    rows and columns, m >= n >= 1
    a       m x n, column-major, leading dimension lda >= m, the caller's.  On return R strictly
            above the diagonal; on and below it the Householder vectors u_j, Q = prod(I - u u^T / u_j);
            put_diagonal then replaces their first entries by R's diagonal
    ipvt    n ints, on return column j of A P is column ipvt[j] of A (0-based)
    rdiag   n doubles, on return the diagonal of R
    acnorm  n doubles, the norms of the columns of A, in A's order (column_norms); read only
    wa      n doubles of work space
    f       m doubles, overwritten by Q^T f;  qtf: n doubles, its first n entries
    """
    _factor(m, n, a, lda, ipvt, rdiag, acnorm, wa, f, qtf, IN_ORDER)


cdef void qrfac_in_lanes(ptrdiff_t m, ptrdiff_t n, double *a, ptrdiff_t lda, int *ipvt,
                         double *rdiag, const double *acnorm, double *wa, double *f,
                         double *qtf) noexcept nogil:
    """qrfac with all sums in lanes, for a matrix whose factorisation MINPACK never sees."""
    _factor(m, n, a, lda, ipvt, rdiag, acnorm, wa, f, qtf, 0)


cdef inline void _factor(ptrdiff_t m, ptrdiff_t n, double *a, ptrdiff_t lda, int *ipvt,
                         double *rdiag, const double *acnorm, double *wa, double *f, double *qtf,
                         ptrdiff_t in_order) noexcept nogil:
    """qrfac; sums over up to in_order rows go in order."""
    cdef ptrdiff_t j, k
    cdef double *u
    c_assert(m >= n and n >= 1 and lda >= m)
    for j in range(n):
        rdiag[j] = acnorm[j]
        wa[j] = acnorm[j]
        ipvt[j] = <int>j
    for j in range(n):
        _pivot(m, n, j, a, lda, ipvt, rdiag, wa)
        u = a + j + j * lda
        # The first one's norm is known, and to the last bit the same.
        if _reflector(m - j, u, acnorm[ipvt[0]] if j == 0 else enorm(m - j, u), &rdiag[j]):
            # f is one more column, though none to be downdated.
            for k in range(j + 1, n - 1, 2):
                _reflect_two(m - j, u, a + j + k * lda, a + j + (k + 1) * lda, in_order)
            if (n - j) % 2 == 0:
                _reflect_two(m - j, u, a + j + (n - 1) * lda, f + j, in_order)
            else:
                _reflect(m - j, u, f + j, in_order)
            for k in range(j + 1, n):
                _downdate(m - j, a + j + k * lda, &rdiag[k], &wa[k])
        qtf[j] = f[j]


cdef void put_diagonal(ptrdiff_t n, double *a, ptrdiff_t lda, const double *rdiag) noexcept nogil:
    """R's diagonal in its place, where qrfac left the first entries of the Householder vectors."""
    cdef ptrdiff_t j
    for j in range(n):
        a[j + j * lda] = rdiag[j]


cdef void _pivot(ptrdiff_t m, ptrdiff_t n, ptrdiff_t j, double *a, ptrdiff_t lda, int *ipvt,
                 double *rdiag, double *wa) noexcept nogil:
    """Bring the column of largest remaining norm to place j."""
    cdef ptrdiff_t i, k, kmax = j
    cdef double temp
    for k in range(j, n):
        if rdiag[k] > rdiag[kmax]:
            kmax = k
    if kmax == j:
        return
    for i in range(m):
        temp = a[i + j * lda]
        a[i + j * lda] = a[i + kmax * lda]
        a[i + kmax * lda] = temp
    rdiag[kmax] = rdiag[j]
    wa[kmax] = wa[j]
    ipvt[j], ipvt[kmax] = ipvt[kmax], ipvt[j]


cdef bint _reflector(ptrdiff_t m, double *u, double ajnorm, double *rdiag) noexcept nogil:
    """Turn the column u, of norm ajnorm, into its Householder vector; False where it is zero."""
    cdef ptrdiff_t i
    if ajnorm == 0.0:
        rdiag[0] = 0.0
        return False
    if u[0] < 0.0:
        ajnorm = -ajnorm
    for i in range(m):
        u[i] /= ajnorm
    u[0] += 1.0
    rdiag[0] = -ajnorm
    return True


cdef void _reflect(ptrdiff_t m, const double *u, double *column,
                   ptrdiff_t in_order) noexcept nogil:
    """column -= u (u^T column) / u_0."""
    cdef double total = 0.0, temp
    cdef ptrdiff_t i
    if m > in_order:
        total = dot_in_lanes(m, u, column)
    else:
        for i in range(m):
            total += u[i] * column[i]
    temp = total / u[0]
    for i in range(m):
        column[i] -= temp * u[i]


cdef void _reflect_two(ptrdiff_t m, const double *u, double *one, double *two,
                       ptrdiff_t in_order) noexcept nogil:
    """_reflect for two columns: two chains of additions for the processor to work on."""
    cdef double total1 = 0.0, total2 = 0.0
    cdef ptrdiff_t i
    if m > in_order:
        _reflect(m, u, one, in_order)
        _reflect(m, u, two, in_order)
        return
    for i in range(m):
        total1 += u[i] * one[i]
        total2 += u[i] * two[i]
    total1 = total1 / u[0]
    total2 = total2 / u[0]
    for i in range(m):
        one[i] -= total1 * u[i]
        two[i] -= total2 * u[i]


cdef void _downdate(ptrdiff_t m, const double *column, double *rdiag, double *wa) noexcept nogil:
    """Norm of the column below its first entry, from that of the whole; anew where digits went."""
    cdef double temp
    if rdiag[0] == 0.0:
        return
    temp = column[0] / rdiag[0]
    rdiag[0] *= sqrt(max(0.0, 1.0 - temp * temp))
    temp = rdiag[0] / wa[0]
    if 0.05 * (temp * temp) <= EPSMCH:
        rdiag[0] = enorm(m - 1, column + 1)
        wa[0] = rdiag[0]


cdef void qrsolv(ptrdiff_t n, double *r, ptrdiff_t ldr, const int *ipvt, const double *diag,
                 const double *qtb, double *x, double *sdiag, double *wa) noexcept nogil:
    """Solve min |A x - b|^2 + |D x|^2 from A P = Q R by Givens rotations (More' 1978, section 3).

    r      n x n, column-major, leading dimension ldr >= n: R on and above the diagonal, kept.  On
           return S^T strictly below it, P^T (A^T A + D D) P = S^T S
    ipvt   n ints, the permutation P
    diag   n doubles, D;  qtb: n doubles, (Q^T b)[:n];  both read only
    x      n doubles, the solution;  sdiag: n doubles, the diagonal of S;  wa: n of work space
    """
    # With n known to the compiler, what is a few numbers stays in registers.
    if n == 3:
        _qrsolv(3, r, ldr, ipvt, diag, qtb, x, sdiag, wa)
    elif n == 2:
        _qrsolv(2, r, ldr, ipvt, diag, qtb, x, sdiag, wa)
    elif n == 4:
        _qrsolv(4, r, ldr, ipvt, diag, qtb, x, sdiag, wa)
    elif n == 5:
        _qrsolv(5, r, ldr, ipvt, diag, qtb, x, sdiag, wa)
    else:
        _qrsolv(n, r, ldr, ipvt, diag, qtb, x, sdiag, wa)


cdef inline void _qrsolv(ptrdiff_t n, double *r, ptrdiff_t ldr, const int *ipvt, const double *diag,
                         const double *qtb, double *x, double *sdiag, double *wa) noexcept nogil:
    cdef ptrdiff_t j, l
    for j in range(n):
        for l in range(j, n):
            r[l + j * ldr] = r[j + l * ldr]
        x[j] = r[j + j * ldr]
        wa[j] = qtb[j]
    for j in range(n):
        l = ipvt[j]
        if diag[l] != 0.0:
            _rotate_in(n, j, r, ldr, diag[l], sdiag, wa)
        # S's diagonal goes to sdiag, R's is put back from where x kept it.
        sdiag[j] = r[j + j * ldr]
        r[j + j * ldr] = x[j]
    _solve_triangle(n, r, ldr, ipvt, sdiag, x, wa)


cdef inline void _rotate_in(ptrdiff_t n, ptrdiff_t j, double *r, ptrdiff_t ldr, double d,
                     double *sdiag, double *wa) noexcept nogil:
    """Rotate the row of D whose only entry, d, stands in column j into the triangle."""
    cdef ptrdiff_t i, k
    cdef double cosine, sine, cotangent, tangent, temp, qtbpj = 0.0
    for k in range(j, n):
        sdiag[k] = 0.0
    sdiag[j] = d
    for k in range(j, n):
        if sdiag[k] == 0.0:
            continue
        if fabs(r[k + k * ldr]) < fabs(sdiag[k]):
            cotangent = r[k + k * ldr] / sdiag[k]
            sine = 0.5 / sqrt(0.25 + 0.25 * (cotangent * cotangent))
            cosine = sine * cotangent
        else:
            tangent = sdiag[k] / r[k + k * ldr]
            cosine = 0.5 / sqrt(0.25 + 0.25 * (tangent * tangent))
            sine = cosine * tangent
        temp = cosine * wa[k] + sine * qtbpj
        qtbpj = -sine * wa[k] + cosine * qtbpj
        wa[k] = temp
        r[k + k * ldr] = cosine * r[k + k * ldr] + sine * sdiag[k]
        for i in range(k + 1, n):
            temp = cosine * r[i + k * ldr] + sine * sdiag[i]
            sdiag[i] = -sine * r[i + k * ldr] + cosine * sdiag[i]
            r[i + k * ldr] = temp


cdef inline void _solve_triangle(ptrdiff_t n, const double *r, ptrdiff_t ldr, const int *ipvt,
                          const double *sdiag, double *x, double *wa) noexcept nogil:
    """Solve S z = wa and x = P z, with zeros from the first zero on S's diagonal on."""
    cdef ptrdiff_t i, j, rank = n
    cdef double total
    for j in range(n):
        if sdiag[j] == 0.0 and rank == n:
            rank = j
        if rank < n:
            wa[j] = 0.0
    for j in range(rank - 1, -1, -1):
        total = 0.0
        for i in range(j + 1, rank):
            total += r[i + j * ldr] * wa[i]
        wa[j] = (wa[j] - total) / sdiag[j]
    for j in range(n):
        x[ipvt[j]] = wa[j]
