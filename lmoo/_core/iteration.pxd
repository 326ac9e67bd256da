"""The iteration, in reverse communication."""

from lmoo._core.model cimport lm_options, lm_state

cdef size_t lm_state_bytes(ptrdiff_t n, bint bounded, bint dense) noexcept nogil
cdef size_t lm_bytes(const lm_state *s) noexcept nogil
cdef void lm_attach(lm_state *s, ptrdiff_t n) noexcept nogil
cdef void lm_start(lm_state *s, ptrdiff_t n, const lm_options *options, const double *x0,
                   const double *diag) noexcept nogil
cdef int lm_advance(lm_state *s) noexcept nogil
cdef void lm_residual(lm_state *s, double fnorm) noexcept nogil
cdef void lm_linearized(lm_state *s) noexcept nogil
cdef void lm_curved(lm_state *s) noexcept nogil
cdef void lm_stepped(lm_state *s) noexcept nogil
cdef const double *lm_column_norms(const lm_state *s) noexcept nogil
cdef bint lm_sound(const lm_state *s, const double *acnorm) noexcept nogil
cdef void lm_refuse(lm_state *s) noexcept nogil
cdef void lm_stop(lm_state *s, int status) noexcept nogil
cdef bint is_hidden_column(const lm_state *s, ptrdiff_t j, double norm) noexcept nogil
