"""A solve as a Python object: residuals, Jacobian strategies, step strategies and linear models in Python."""

from cpython.object cimport PyObject
from lmoo._core.abi1 cimport CompiledProblem
from lmoo._core.evaluate cimport LossKernel, lm_differences, lm_driver
from lmoo._core.model cimport lm_state, lmoo_jacobian, lmoo_linear, lmoo_point, lmoo_problem, lmoo_step


# ---- solve/residual.pxi: The user's residual, called from the compiled loop.

cdef class Source:
    cdef lmoo_problem table
    cdef readonly str name
    cdef bint python                # the table's functions want the GIL
    cdef public object refusal      # what the user raised to refuse the starting point

cdef class Residual(Source):
    cdef object func, names, bad_point, x
    cdef tuple rest
    cdef PyObject **stack
    cdef size_t nargs
    cdef bint scalar
    cdef object offered             # a value at x0 that is known already
    cdef object first               # the first value, until the loop has taken it
    cdef int place(self, ptrdiff_t n, const double *x) except -1
    cdef PyObject *call(self) noexcept
    cdef int begin(self, ptrdiff_t n, const double *x) except -1
    cdef int evaluate(self, ptrdiff_t n, const double *x, double *f) except -1
    cdef int take(self, object value, double *f) except -1

cdef object own_vector(ptrdiff_t n, const double *x)


# ---- solve/compiled.pxi: Compiled problems as the driver takes them.

cdef class Compiled(Source):
    cdef CompiledProblem problem


# ---- solve/derivatives.pxi: Jacobian strategies as objects.

cdef class Derivatives:
    cdef lmoo_jacobian table
    cdef readonly double noise
    cdef int attach(self, Source fun, object out) except -1

cdef class Differences(Derivatives):
    cdef lm_differences options
    cdef object typical             # owns the sizes

cdef class OwnJacobian(Derivatives):
    pass

cdef class Foreign(Derivatives):
    cdef object capsule

cdef class Called(Derivatives):
    cdef Source fun
    cdef object out
    cdef int fill(self, lmoo_point *at) except -1
    cdef int refuse(self, lmoo_point *at, error) except -1

cdef class Rows(Called):
    cdef object func, bad_point
    cdef object array               # the array that the driver reads
    cdef tuple args
    cdef dict kwargs
    cdef readonly str name
    cdef bint columns
    cdef bint lend(self, lmoo_point *at, array) except -1
    cdef object matrix(self, lmoo_point *at)

cdef class Custom(Called):
    cdef object func, bad_point
    cdef double relative_error


# ---- solve/stepping.pxi: Step strategies as objects.

cdef class Stepping:
    cdef lmoo_step table
    cdef public object memory       # a Python strategy's own, to be pickled with the solve
    cdef int ask(self, lm_state *s) except -1

cdef class Table(Stepping):
    cdef object capsule

cdef class Asked(Stepping):
    cdef object func

cdef object triangle_of(const lm_state *s)

cdef class StepModel:
    cdef lm_state *s                # a copy, so that it may outlive the call
    cdef readonly object memory


# ---- solve/linearmodel.pxi: Linear models as objects.

cdef class LinearTable:
    cdef lmoo_linear table      # its functions are given the object itself
    cdef lm_state *state        # of the solve that it belongs to
    cdef object error           # what ended it
    cdef int attach(self, lm_state *s) except -1
    cdef int reraise(self) except -1

cdef class PythonLinear(LinearTable):
    cdef object model
    cdef ptrdiff_t size(self) noexcept
    cdef int fail(self, error) except -1
    cdef int put(self, value, double *out, str name) except -1


# ---- solve/stored.pxi: Checks of a stored solve before it is resumed.

cdef int check_state(const lm_state *own, lm_state *s, bint asked) except -1
cdef object field(stored, str name)
cdef object count(stored, str name)
cdef object vector(value, str name, tuple shape)


# ---- solve/loop.pxi: One solve as a Python object.

cdef class Loop:
    cdef lm_driver d
    cdef lm_state *s
    cdef size_t bytes           # of the state
    cdef Source fun
    cdef Derivatives derivatives
    cdef Stepping stepping
    cdef LinearTable linear     # None: the dense one
    cdef LossKernel kernel      # None where the cost is the sum of squares
    cdef object stopped
    cdef ptrdiff_t m, n
    cdef object memory          # the driver's, in one array
    cdef object buffer          # the (n, m) array that owns the Jacobian
    cdef bint running           # step is being executed
    cdef int enter(self) except -1
    cdef int fail(self) except -1
    cdef int allocate(self, ptrdiff_t m) except -1
    cdef int begin(self) except -1
    cdef int step(self) except -1
    cdef object stored_vectors(self, stored, bint needed, bint curved)
    cdef object streamed_rows(self)
    cdef object whole_jacobian(self)
    cdef object stored_loss(self, stored)
    cdef int restore_vectors(self, vectors, jacobian) except -1
