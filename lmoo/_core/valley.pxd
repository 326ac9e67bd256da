"""The default step strategy."""

from lmoo._core.model cimport lmoo_step

cdef lmoo_step DEFAULT
