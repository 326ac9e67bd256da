"""A solve as a Python object: residuals, Jacobian strategies, step strategies and linear models in Python."""

from cpython.object cimport PyObject
from lmoo._core.abi1 cimport CompiledProblem
from lmoo._core.evaluate cimport LossKernel, lm_columns, lm_differences, lm_driver
from lmoo._core.model cimport lm_state, lmoo_jacobian, lmoo_linear, lmoo_point, lmoo_problem, lmoo_step


# ---- solve/residual.pxi: The user's residual, called from the compiled loop.

cdef class Source:
    cdef lmoo_problem table
    cdef readonly str name
    cdef bint python                # the table's functions need the GIL
    cdef public object refusal      # exception with which the user's function refused the starting point

cdef class Residual(Source):
    cdef object func, names, bad_point, x
    cdef tuple rest
    cdef PyObject **stack
    cdef size_t nargs
    cdef bint scalar
    cdef object offered             # a known value at x0
    cdef object first               # the first value, until the loop has taken it
    cdef int place(self, ptrdiff_t n, const double *x) except -1
    cdef PyObject *call(self) noexcept
    cdef int begin(self, ptrdiff_t n, const double *x) except -1
    cdef int evaluate(self, ptrdiff_t n, const double *x, double *f) except -1
    cdef int take(self, object value, double *f) except -1

cdef object new_vector(ptrdiff_t n, const double *x)


# ---- solve/compiled.pxi: Compiled problems for the driver.

cdef class Compiled(Source):
    cdef CompiledProblem problem


# ---- solve/derivatives.pxi: Jacobian strategies as Python objects.

cdef class Derivatives:
    cdef lmoo_jacobian table
    cdef readonly double noise
    cdef bint weighs                # differences of residuals, which a loss has to weigh first
    cdef int attach(self, Source fun, object out) except -1
    cdef object of_block(self, lmoo_point *at, Residual fun)

cdef class Differences(Derivatives):
    cdef lm_differences options
    cdef object typical             # keeps the sizes alive

cdef class ProblemJacobian(Derivatives):
    pass

cdef class Foreign(Derivatives):
    cdef object capsule

cdef class Called(Derivatives):
    cdef Source fun
    cdef object out
    cdef int fill(self, lmoo_point *at) except -1
    cdef object sparse(self, lmoo_point *at)
    cdef int refuse(self, lmoo_point *at, error) except -1

cdef class Rows(Called):
    cdef object func, bad_point
    cdef object array               # the array that the driver reads
    cdef tuple args
    cdef dict kwargs
    cdef readonly str name
    cdef bint columns
    cdef public bint may_switch     # to the loop for the kind of matrix that the first Jacobian is
    cdef object early               # the Jacobian at x0, already evaluated
    cdef object repeated            # counts the residuals that func evaluates
    cdef object value(self, lmoo_point *at, tuple shape)
    cdef bint lend(self, lmoo_point *at, array) except -1
    cdef object matrix(self, lmoo_point *at)

cdef class Custom(Called):
    cdef object func, bad_point
    cdef double relative_error

cdef class SparseCustom(Called):
    cdef object func, bad_point


# ---- solve/grouped.pxi: Differences of columns that share no row.

cdef class Grouped(Called):
    cdef lm_differences options
    cdef object typical             # keeps the sizes alive
    cdef object pattern, check, data, memory, codes, steps, point, values
    cdef const ptrdiff_t[::1] first, rows
    cdef const double *f            # at the point of the Jacobian
    cdef lmoo_point *at             # during the check
    cdef int evaluate(self, lmoo_point *at) except -1
    cdef int evaluate_group(self, lmoo_point *at, lm_state *one, lm_columns *whole, const ptrdiff_t[::1] group) except -1
    cdef void view(self, lmoo_point *at, lm_state *one, lmoo_point *column, ptrdiff_t j) noexcept
    cdef void begin(self, lmoo_point *column, const lm_columns *whole, lm_columns *w) noexcept
    cdef void clear(self, ptrdiff_t j) noexcept


# ---- solve/stepping.pxi: Step strategies as Python objects.

cdef class Stepping:
    cdef lmoo_step table
    cdef public object memory       # data of a Python strategy, pickled with the solve
    cdef bint asks                  # it is in Python, and answers LM_STEP
    cdef int ask(self, lm_state *s) except -1

cdef class Table(Stepping):
    cdef object capsule

cdef class Asked(Stepping):
    cdef object func

cdef class StepModel:
    cdef lm_state *s                # a copy, so that it may outlive the call
    cdef readonly object memory


# ---- solve/linearmodel.pxi: Linear models written in Python.

cdef class LinearTable:
    cdef lmoo_linear table      # its functions are given the object itself
    cdef lm_state *state        # of its solve
    cdef object error           # exception that ended it
    cdef int attach(self, lm_state *s) except -1
    cdef int reraise(self) except -1

cdef class PythonLinear(LinearTable):
    cdef object model
    cdef ptrdiff_t size(self) noexcept
    cdef int fail(self, error) except -1
    cdef int put(self, value, double *out, str name) except -1


# ---- solve/loop.pxi: The iteration of a solve.

cdef class BaseLoop:
    cdef lm_driver d
    cdef lm_state *s
    cdef size_t bytes           # of the state
    cdef Source fun
    cdef Derivatives derivatives
    cdef Stepping stepping
    cdef LinearTable linear     # None: the dense one
    cdef LossKernel kernel      # None if the cost is the sum of squares
    cdef object stopped
    cdef ptrdiff_t m, n
    cdef object memory          # the driver's, in one array
    cdef object buffer          # the (n, m) array that owns the Jacobian
    cdef bint running           # step is being executed
    cdef readonly object found  # WrongKindError: the first Jacobian is for another kind of loop
    cdef int enter(self) except -1
    cdef int fail(self) except -1
    cdef int allocate(self, ptrdiff_t m) except -1
    cdef int begin(self) except -1
    cdef int recall(self) except -1
    cdef int step(self, bint one_iteration) except -1


# ---- solve/results.pxi: Results of a solve.

cdef class LoopResults(BaseLoop):
    cdef object streamed_rows(self)
    cdef object whole_jacobian(self)


# ---- solve/snapshot.pxi: A solve that can be stored before its end, and resumed.

cdef class Loop(LoopResults):
    cdef object stored_vectors(self, stored, bint needed, bint curved)
    cdef object stored_loss(self, stored)
    cdef int restore_vectors(self, vectors, jacobian) except -1


# ---- solve/sparseloop.pxi: Solves whose Jacobian is a sparse matrix.

cdef class SparseLoop(Loop):
    cdef object model           # the linear model in Python
    cdef readonly object rows   # the Jacobian of the linear model
    cdef object scaled(self, value)
    cdef int linearize(self, bint high_accuracy) except -1
