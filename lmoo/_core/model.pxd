"""Structs of the compiled code: those of lmoo.h (api.pxi), and the state of the iteration (state.h)."""

cdef extern from "lmoo.h" nogil:
    ctypedef struct lm_state

include "api.pxi"

cdef extern from "state.h" nogil:
    ctypedef struct lm_state:
        int version
        ptrdiff_t n
        const lmoo_linear *linear
        void *model
        double *x
        double *trial
        double *base
        double *diag
        double *step
        double *velocity
        double *acceleration
        double *curvature
        double *acnorm
        double *free_norms
        double *wa1
        double *wa2
        int request
        int answer
        int status
        int accepted
        int reverted
        int refined
        int refused
        int started
        int curved
        int failed
        double fnorm
        double fnorm1
        double base_fnorm
        double delta
        double par
        double step_par
        double xnorm
        double pnorm
        double gnorm
        double actred
        double prered
        double dirder
        double ratio
        ptrdiff_t nfev
        ptrdiff_t models
        ptrdiff_t nit
        ptrdiff_t steps
        double jacobian_error
        int newton
        int below_noise
        double memory[8]
        lm_options options
        double offset
        double noise
        double contraction
        double last_pnorm
        double hidden_offset
        int failed_hidden
        int bounded
        int limited
        double *lower
        double *upper
        double *gradient
        double *shift
        double *target
        int *active
        int *working
        int *near
        double *column_error
        double *interval
        double *length
        double *last_step
        double *newton_step
        double least_noise
        double along_error
        int rank
        int probe
        double probes[8]
        int search
        int best
        double drop
        int found
        double start_fnorm
        double reached
        int idle
        int rejections
        int cut
        int good
        int measured
        int measuring
        int extrapolated
        int known_newton
        double remainder
        double probe_scale
        double last_actred
        double last_dirder
        double secant_error
        double linear_rate
        double bend
        int finished
        double wall
        ptrdiff_t wall_seen
        double room
        double gained
        int ending
        int left_out
        double rounding
        double *overlap

cdef enum:
    LM_STATE_VERSION = 13
