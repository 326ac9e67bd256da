"""The arrow linear model, and solves with it: shared parameters and groups of own ones, errors in x."""

from cpython.exc cimport PyErr_CheckSignals, PyErr_Occurred
from libc.math cimport INFINITY, NAN, fabs, frexp, hypot, isfinite, ldexp, sqrt
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memcpy, memset

import numpy as np

cimport numpy as cnp

from lmoo._core.batch cimport CurveModel
from lmoo._core.evaluate cimport (
    FAILED, Team, add_overlaps, job_function, lm_driver, lm_evaluator, lm_helper, loss_rows, loss_weights,
    multiply_rows, pause_at_request, refuse_request, run_in_team, store_errors, store_overlaps, vectors_answer_norm,
)
from lmoo._core.fold cimport fold, fold_work_bytes, merge
from lmoo._core.iteration cimport bounds_start, lm_attach, lm_linearized, lm_refuse, lm_sound, lm_state_bytes
from lmoo._core.model cimport *
from lmoo._core.norms cimport all_finite, copy, dot_in_lanes, enorm
from lmoo._core.solve cimport Derivatives, Loop, Residual, Source, new_vector
from lmoo._core.weights cimport weigh_residual

from lmoo._core.nearest import NearestPoints
from lmoo.errors import EvaluationError

cdef extern from "arrow/gram.h" nogil:
    enum:
        LMOO_LANES
    void lmoo_add_gram(ptrdiff_t rows, ptrdiff_t width, const double *a, ptrdiff_t lda, const int *columns,
                       ptrdiff_t last, double *h, ptrdiff_t ldh, double *work)
    void lmoo_times(ptrdiff_t rows, ptrdiff_t width, const double *a, ptrdiff_t lda, const int *columns,
                    ptrdiff_t last, const double *z, ptrdiff_t w, double *b)
    void lmoo_add_transposed(ptrdiff_t rows, ptrdiff_t width, const double *a, ptrdiff_t lda, const int *columns,
                             const double *b, ptrdiff_t w, double *g)
    ptrdiff_t lmoo_cholesky(ptrdiff_t n, double *a, ptrdiff_t lda, double *d, int *order, double least)

cnp.import_array()

cdef double EPSMCH = 2.0**-52


cdef int reraise() except -1:
    """Let the exception that is set come out."""
    return -1


include "arrow/parts.pxi"
include "arrow/reflections.pxi"
include "arrow/sharedrows.pxi"
include "arrow/scattered.pxi"
include "arrow/intake.pxi"
include "arrow/elimination.pxi"
include "arrow/solutions.pxi"
include "arrow/products.pxi"
include "arrow/wholematrix.pxi"
include "arrow/linear.pxi"
include "arrow/statistics.pxi"
include "arrow/groups.pxi"
include "arrow/arrowloop.pxi"
include "arrow/curvegroups.pxi"
include "arrow/member.pxi"
include "arrow/membergroups.pxi"
include "arrow/errorsinx.pxi"
include "arrow/pointloop.pxi"
