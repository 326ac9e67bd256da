"""Compiled problems as the driver takes them, and problems from pointers to functions."""

from libc.stdint cimport uintptr_t

from lmoo._core.abi1 cimport CompiledProblem
from lmoo._core.model cimport *
from lmoo._core.residual cimport Source


cdef class Compiled(Source):
    """A compiled problem for one solve; keeps it alive."""

    def __cinit__(self, CompiledProblem problem not None):
        if problem.m == 0:
            raise TypeError(f"{type(problem).__name__} must call super().__init__(m, n)")
        self.problem = problem
        self.table = problem.table[0]
        self.name = "residual"


cdef class Pointers(CompiledProblem):
    """A problem from the addresses of its functions, 0 for one that is not there."""

    def __init__(self, uintptr_t residual, m, n, uintptr_t jacobian, uintptr_t user_data):
        super().__init__(m, n)
        self.table.residual = <lmoo_residual_function>residual
        self.table.jacobian = <lmoo_jacobian_function>jacobian
        self.table.user_data = <void *>user_data
