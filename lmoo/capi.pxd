"""The compiled interface of lmoo for Cython; lmoo/include/lmoo.h is that for C.

    from lmoo.capi cimport CompiledProblem, lmoo_api, lmoo_import

An extension module needs ``lmoo.get_include()`` among its include directories.  The page "What is
stable" of the documentation describes what its version promises.
"""

from lmoo._core.abi1 cimport CompiledProblem
from lmoo._core.public cimport (
    LM_CURVATURE,
    LM_DOMAIN,
    LM_DONE,
    LM_FLAT,
    LM_FTOL,
    LM_FTOL_SMALL,
    LM_FTOL_XTOL,
    LM_GTOL,
    LM_GTOL_SMALL,
    LM_LINEARIZE,
    LM_MAXFEV,
    LM_NO_PROGRESS,
    LM_REFINE,
    LM_RESIDUAL,
    LM_RUNNING,
    LM_START_NOT_FINITE,
    LM_STEP,
    LM_STOPPED,
    LM_TESTS_ACCURATE,
    LM_TESTS_MINPACK,
    LM_XTOL,
    LM_XTOL_SMALL,
    LMOO_API_VERSION,
    LMOO_BAD_POINT,
    LMOO_GOOD,
    LMOO_NOT_PROVIDED,
    lm_options,
    lm_state,
    lmoo_api,
    lmoo_both_function,
    lmoo_jacobian,
    lmoo_jacobian_function,
    lmoo_linear,
    lmoo_model,
    lmoo_model_both_function,
    lmoo_model_function,
    lmoo_outcome,
    lmoo_point,
    lmoo_problem,
    lmoo_residual_function,
    lmoo_step,
)

cdef extern from "lmoo.h":
    const lmoo_api *lmoo_import() except NULL
