"""Models of curves in compiled code."""

from lmoo._core.abi1 cimport CompiledProblem
from lmoo._core.model cimport lmoo_model

ctypedef struct lm_curve:
    # What a residual made of a model gets as user_data.
    const lmoo_model *model
    const double *t         # variables x m
    const double *y         # m
    const double *weights   # m, or NULL
    const lmoo_model *second    # second derivatives along v as the values of a model of (x, v), or NULL

cdef int curve_residual(ptrdiff_t m, ptrdiff_t n, const double *x, double *f,
                        void *user_data) noexcept nogil
cdef int curve_jacobian(ptrdiff_t m, ptrdiff_t n, const double *x, double *fjac,
                        void *user_data) noexcept nogil
cdef int curve_both(ptrdiff_t m, ptrdiff_t n, const double *x, double *f, double *fjac,
                    void *user_data) noexcept nogil

cdef class CurveModel:
    cdef lmoo_model table
    cdef object kept
