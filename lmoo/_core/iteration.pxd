"""The Levenberg-Marquardt iteration: step strategies, tests, bounds."""

from lmoo._core.model cimport lm_options, lm_state, lmoo_step


# ---- iteration/minpack.pxi: MINPACK's tests.

cdef bint has_faded_column(const lm_state *s) noexcept nogil


# ---- iteration/stopping.pxi: Tests that end the iteration.

cdef int stopping(lm_state *s) noexcept nogil
cdef int exhausted(const lm_state *s) noexcept nogil
cdef bint is_hidden(const lm_state *s) noexcept nogil
cdef double size_of(const lm_state *s, ptrdiff_t j) noexcept nogil
cdef bint changes_nothing(const lm_state *s, double share) noexcept nogil
cdef bint is_all_error(const lm_state *s) noexcept nogil
cdef double gradient_error(const lm_state *s) noexcept nogil
cdef bint is_flat(const lm_state *s) noexcept nogil
cdef bint is_settled(const lm_state *s, double left) noexcept nogil
cdef bint rounding_counts(const lm_state *s, const double *norms) noexcept nogil
cdef void assess(lm_state *s) noexcept nogil
cdef double relaxed_ratio(lm_state *s, bint *taken) noexcept nogil
cdef bint hidden_steps_fail(lm_state *s) noexcept nogil


# ---- iteration/noise.pxi: The measured error of |f|.

cdef void noise_begin(lm_state *s) noexcept nogil
cdef void noise_place(lm_state *s) noexcept nogil
cdef bint noise_lengthen(lm_state *s, double factor) noexcept nogil
cdef bint noise_take(lm_state *s) noexcept nogil
cdef double noise_found(lm_state *s) noexcept nogil


# ---- iteration/steps.pxi: Functions for step strategies.

cdef void predict(lm_state *s, const double *p, bint all) noexcept nogil
cdef void predict_damped(lm_state *s, const double *p, double par) noexcept nogil
cdef void damped(lm_state *s, double par, double *p) noexcept nogil
cdef double step_within(lm_state *s, double delta, double par, double *p) noexcept nogil


# ---- iteration/more.pxi: More's step strategy.

cdef lmoo_step MORE
cdef int more_propose(lm_state *s, void *context) noexcept nogil
cdef void more_update(lm_state *s, void *context) noexcept nogil
cdef void more_refused(lm_state *s, void *context) noexcept nogil


# ---- iteration/nielsen.pxi: Nielsen's step strategy.

cdef lmoo_step NIELSEN


# ---- iteration/geodesic.pxi: Geodesic acceleration.

cdef lmoo_step GEODESIC
cdef int geodesic_propose(lm_state *s, void *context) noexcept nogil


# ---- iteration/valley.pxi: The default step strategy.

cdef lmoo_step DEFAULT, APART
cdef void default_limited(lm_state *s) noexcept nogil


# ---- iteration/bounds.pxi: Bounds on the parameters.

cdef size_t bounds_doubles(ptrdiff_t n) noexcept nogil
cdef void bounds_attach(lm_state *s, double *next) noexcept nogil
cdef void bounds_start(lm_state *s, const double *lower, const double *upper) noexcept nogil
cdef void bounds_new_model(lm_state *s) noexcept nogil
cdef void bounds_limit_step(lm_state *s) noexcept nogil
cdef void bounds_place(lm_state *s) noexcept nogil
cdef bint bounds_inside(const lm_state *s, const double *x) noexcept nogil


# ---- iteration/jumps.pxi: Parameters at a jump of f.

cdef enum:
    # In place of L for a parameter that keeps its value.
    AT_JUMP = -8

cdef inline bint is_at_jump(const lm_state *s, ptrdiff_t j) noexcept nogil:
    return s.length[j] == AT_JUMP

cdef bint jumps_ahead(lm_state *s) noexcept nogil
cdef int jumps_look(lm_state *s, ptrdiff_t j) noexcept nogil


# ---- iteration/kinks.pxi: Parameters at 0 where f has a kink.

cdef bint kinks_ahead(const lm_state *s) noexcept nogil
cdef int kinks_cross(lm_state *s) noexcept nogil
cdef int kinks_verify(lm_state *s, ptrdiff_t j) noexcept nogil
cdef int kinks_answer(lm_state *s, int answer) noexcept nogil


# ---- iteration/search.pxi: Trial points away from x.

cdef enum:
    # Searches that may find a better point; if its reduction is lost again, the model has no minimum here.
    MOST_FOUND = 3

cdef bint search_place(lm_state *s) noexcept nogil
cdef bint search_take(lm_state *s, bint good) noexcept nogil


# ---- iteration/memory.pxi: The memory of a state.

cdef size_t lm_state_bytes(ptrdiff_t n, bint bounded, bint dense) noexcept nogil
cdef size_t lm_bytes(const lm_state *s) noexcept nogil
cdef void lm_attach(lm_state *s, ptrdiff_t n) noexcept nogil
cdef void lm_start(lm_state *s, ptrdiff_t n, const lm_options *options, const double *x0,
                   const double *diag) noexcept nogil


# ---- iteration/accuracy.pxi: Whether one-sided differences are accurate enough to end with.

cdef bint is_error(lm_state *s, double offset) noexcept nogil
cdef bint differences_suffice(lm_state *s, double left) noexcept nogil
cdef bint ends_accurately(lm_state *s, int status) noexcept nogil


# ---- iteration/linearization.pxi: New linear models.

cdef const double *lm_column_norms(const lm_state *s) noexcept nogil
cdef bint lm_sound(lm_state *s, const double *acnorm) noexcept nogil


# ---- iteration/search.pxi: Trial points away from x, evaluated before a solve ends as a success.

cdef ptrdiff_t search_trials(ptrdiff_t n) noexcept nogil


# ---- iteration/ending.pxi: The end of an iteration, and what is tried before it.

cdef bint is_hidden_column(const lm_state *s, ptrdiff_t j, double norm) noexcept nogil


# ---- iteration/iteration.pxi: The iteration, in reverse communication.

cdef int lm_advance(lm_state *s) noexcept nogil
cdef void lm_residual(lm_state *s, double fnorm) noexcept nogil
cdef void lm_linearized(lm_state *s) noexcept nogil
cdef void lm_curved(lm_state *s) noexcept nogil
cdef void lm_stepped(lm_state *s) noexcept nogil
cdef void lm_refuse(lm_state *s) noexcept nogil
cdef void lm_stop(lm_state *s, int status) noexcept nogil
