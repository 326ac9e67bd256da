"""Compiled problems as the driver takes them."""

from lmoo._core.abi1 cimport CompiledProblem
from lmoo._core.residual cimport Source

cdef class Compiled(Source):
    cdef CompiledProblem problem
