"""A solve as a Python object: residuals, Jacobian strategies, step strategies and linear models in Python."""

cimport cython
from cpython.exc cimport PyErr_CheckSignals, PyErr_Clear, PyErr_Occurred
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_CheckExact, PyCapsule_GetContext, PyCapsule_GetName, PyCapsule_GetPointer
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.float cimport DBL_MIN
from libc.math cimport NAN, fabs, isfinite, sqrt
from libc.stdint cimport uintptr_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memset

import zlib

import numpy as np

cimport numpy as cnp

from lmoo._core.abi1 cimport CompiledProblem
from lmoo._core.evaluate cimport *
from lmoo._core.fold cimport fold_work_bytes
from lmoo._core.iteration cimport *
from lmoo._core.linalg cimport dense_fill_triangle, inverse_gram, lm_dense, lm_triangle
from lmoo._core.model cimport *
from lmoo._core.norms cimport all_finite, enorm, first_not_finite

from lmoo._core.masks import plain, refuse_masked
from lmoo._core.signatures import ClassSignature

cnp.import_array()

cdef double EPSMCH = 2.0**-52

include "solve/residual.pxi"
include "solve/curveresidual.pxi"
include "solve/compiled.pxi"
include "solve/derivatives.pxi"
include "solve/grouped.pxi"
include "solve/stepping.pxi"
include "solve/linearmodel.pxi"
include "solve/stored.pxi"
include "solve/loop.pxi"
include "solve/results.pxi"
include "solve/snapshot.pxi"
include "solve/block.pxi"
include "solve/merging.pxi"
include "solve/rows.pxi"
include "solve/sparseloop.pxi"
