"""Dense linear algebra and the dense linear model."""

from lmoo._core.model cimport lm_state, lmoo_linear


# ---- linalg/qr.pxi: QR factorisation with column pivoting, and least squares with its factors.

cdef void qrfac(ptrdiff_t m, ptrdiff_t n, double *a, ptrdiff_t lda, int *ipvt, double *rdiag,
                const double *acnorm, double *wa, double *f, double *qtf) noexcept nogil
cdef void put_diagonal(ptrdiff_t n, double *a, ptrdiff_t lda, const double *rdiag) noexcept nogil
cdef void qrsolv(ptrdiff_t n, double *r, ptrdiff_t ldr, const int *ipvt, const double *diag,
                 const double *qtb, double *x, double *sdiag, double *wa) noexcept nogil
cdef void qrfac_in_lanes(ptrdiff_t m, ptrdiff_t n, double *a, ptrdiff_t lda, int *ipvt,
                         double *rdiag, const double *acnorm, double *wa, double *f,
                         double *qtf) noexcept nogil


# ---- linalg/lmpar.pxi: The Levenberg-Marquardt parameter.

cdef double lmpar(ptrdiff_t n, double *r, ptrdiff_t ldr, const int *ipvt, const double *diag,
                  const double *qtb, double delta, double par, double *x, double *sdiag,
                  double *wa1, double *wa2) noexcept nogil


# ---- linalg/covariance.pxi: (J^T J)^-1 from the factor R.

cdef int inverse_gram(ptrdiff_t n, const double *r, const int *ipvt, double *work,
                      double *out) noexcept nogil


# ---- linalg/units.pxi: Factorisations that do not depend on the units of the parameters.

cdef void units_of(const lm_state *s, const double *acnorm, double *units) noexcept nogil
cdef void divide_columns(ptrdiff_t n, const double *units, ptrdiff_t m, double *a, const double *acnorm,
                         double *norms) noexcept nogil
cdef void multiply_triangle(ptrdiff_t n, const double *units, double *r, const int *ipvt) noexcept nogil


# ---- linalg/dense.pxi: The dense linear model.

ctypedef struct lm_triangle:
    double *r           # n x n: R on and above the diagonal, below it work space of lmpar
    double *qtf         # n: (Q^T f)[:n]
    int *ipvt           # n: J[:, ipvt] = Q R

ctypedef struct lm_dense:
    # Follows its state in the same block of memory.
    lm_state *s
    lm_triangle all     # of all columns
    lm_triangle free    # of those that are not left out; without bounds the same memory
    lm_triangle face
    double *sdiag       # n each, for lmpar
    double *wa1
    double *wa2
    double *units       # n: of the columns, see units.pxi
    double *share       # n: error of a column along its row of R, over that of the column
    double *work        # 3 n, with bounds

cdef lmoo_linear DENSE
cdef size_t dense_doubles(ptrdiff_t n, bint bounded) noexcept nogil
cdef void dense_attach(lm_state *s, double *memory) noexcept nogil
cdef void dense_fill_triangle(lm_state *s, double *t, double *acnorm, double *work) noexcept nogil
cdef void dense_times_transpose(const lm_state *s, const double *w, double *out) noexcept nogil
cdef void dense_share_all(lm_state *s) noexcept nogil


cdef inline lm_triangle *dense_all(const lm_state *s) noexcept nogil:
    """Return the triangle of all columns."""
    return &(<lm_dense *>s.model).all


cdef inline double *dense_share(const lm_state *s) noexcept nogil:
    """Return the shares of the errors of the columns along their rows of R, n numbers of at most 1."""
    return (<lm_dense *>s.model).share


cdef inline double *dense_units(const lm_state *s) noexcept nogil:
    """Return the units of the columns, n numbers."""
    return (<lm_dense *>s.model).units
