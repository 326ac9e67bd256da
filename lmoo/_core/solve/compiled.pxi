"""Compiled problems for the driver, and problems from pointers to functions."""


cdef class Compiled(Source):
    """A compiled problem for one solve, with a reference to it."""

    def __cinit__(self, CompiledProblem problem not None):
        if problem.m == 0:
            raise TypeError(f"{type(problem).__name__} must call super().__init__(m, n)")
        self.problem = problem
        # The struct as declared for modules that are compiled separately.
        self.table = (<const lmoo_problem *>problem.table)[0]
        self.name = "residual"


cdef class Pointers(CompiledProblem):
    """A problem from the addresses of its functions, 0 for a missing one."""

    def __init__(self, uintptr_t residual, m, n, uintptr_t jacobian, uintptr_t user_data):
        super().__init__(m, n)
        self.table.residual = <lmoo_residual_function>residual
        self.table.jacobian = <lmoo_jacobian_function>jacobian
        self.table.user_data = <void *>user_data


def capsule_contents(capsule):
    """Return name, pointer and context of a PyCapsule; raise TypeError for another object."""
    if not PyCapsule_CheckExact(capsule):
        raise TypeError(f"expected a PyCapsule; got {capsule!r}")
    cdef const char *name = PyCapsule_GetName(capsule)
    cdef void *pointer = PyCapsule_GetPointer(capsule, name)
    return (None if name == NULL else name.decode(), <uintptr_t>pointer,
            <uintptr_t>PyCapsule_GetContext(capsule))


def is_capsule(value):
    """Return whether value is a PyCapsule."""
    return PyCapsule_CheckExact(value)
