"""Programs that evaluate models of curves: tapes of instructions for blocks of points, see program.h."""

from cpython.pycapsule cimport (
    PyCapsule_GetContext,
    PyCapsule_GetPointer,
    PyCapsule_New,
    PyCapsule_SetContext,
)
from cpython.ref cimport Py_DECREF, Py_INCREF

import numpy as np

from lmoo._core.graphs cimport *
from lmoo._core.model cimport *

cdef extern from "models/program.h" nogil:
    ctypedef struct lmoo_runner:
        void *run

    lmoo_runner lmoo_runner_of(const char *target)
    void lmoo_run_tape(const lmoo_runner *runner, const lmoo_tape *tape, ptrdiff_t m, const double *t,
                       const double *x, double *first, double *rest)
    void lmoo_run_tapes(const lmoo_runner *runner, const lmoo_tape *tape, ptrdiff_t count, ptrdiff_t m,
                        const double *const *t, const double *const *x, double *const *first,
                        double *const *rest)
    ptrdiff_t lmoo_tape_work(const lmoo_tape *tape)
    const char **lmoo_operation_names
    void **lmoo_scipy
    int LMOO_FIRST_OF_SCIPY, LMOO_CODES

# The functions of scipy.special, see `use_scipy`.
SCIPY = tuple(lmoo_operation_names[code].decode() for code in range(LMOO_FIRST_OF_SCIPY, LMOO_CODES))
# Largest work space of a run, on its stack; threads may have half a megabyte.
LARGEST_WORK = 1 << 15


def use_scipy(list capsules):
    """Set the addresses of functions that programs call: (capsule, its name), in the order of `SCIPY`."""
    cdef int k
    if len(capsules) != LMOO_CODES - LMOO_FIRST_OF_SCIPY:
        raise ValueError(f"capsules must have one entry for each of {SCIPY}; it has {len(capsules)}")
    for k, (capsule, name) in enumerate(capsules):
        lmoo_scipy[k] = PyCapsule_GetPointer(capsule, name)


cdef enum:
    MANY = 64   # fits that are evaluated by one call of lmoo_run_tapes


ctypedef struct Tapes:
    lmoo_runner runner
    lmoo_tape values, derivatives, both


# The functions of lmoo_model; user_data: Tapes.

cdef int run_values(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *out,
                    void *user_data) noexcept nogil:
    cdef const Tapes *tapes = <const Tapes *>user_data
    lmoo_run_tape(&tapes.runner, &tapes.values, m, t, x, out, out + m)
    return 0


cdef int run_derivatives(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *out,
                         void *user_data) noexcept nogil:
    cdef const Tapes *tapes = <const Tapes *>user_data
    lmoo_run_tape(&tapes.runner, &tapes.derivatives, m, t, x, out, out + m)
    return 0


cdef int run_both(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *values,
                  double *derivatives, void *user_data) noexcept nogil:
    cdef const Tapes *tapes = <const Tapes *>user_data
    lmoo_run_tape(&tapes.runner, &tapes.both, m, t, x, values, derivatives)
    return 0


cdef void run_many(ptrdiff_t count, ptrdiff_t m, ptrdiff_t n, const double *const *t, const double *const *x,
                   double *const *values, double *const *derivatives, void *user_data) noexcept nogil:
    cdef const Tapes *tapes = <const Tapes *>user_data
    cdef const lmoo_tape *tape = &tapes.both
    cdef double *rest[MANY]
    cdef ptrdiff_t begin = 0, some, l
    cdef double *const *first = values
    if values == NULL:
        tape, first = &tapes.derivatives, derivatives
    elif derivatives == NULL:
        tape = &tapes.values
    while begin < count:
        some = min(<ptrdiff_t>MANY, count - begin)
        for l in range(some):
            rest[l] = first[begin + l] + m if tape != &tapes.both else derivatives[begin + l]
        lmoo_run_tapes(&tapes.runner, tape, some, m, t + begin, x + begin, first + begin, rest)
        begin += some


cdef void release_owner(object capsule) noexcept:
    """Release the owner of a capsule's memory: the capsule's destructor."""
    cdef void *owner = PyCapsule_GetContext(capsule)
    if owner != NULL:
        Py_DECREF(<object>owner)


cdef class CompiledTapes:
    """The tapes of one model in memory, and the lmoo_model table that runs them.

    Parameters
    ----------
    n, variables : int
        Parameters and independent variables.
    values : Tape
    derivatives, both : Tape or None
        Of n and n + 1 outputs.
    target : str or None
        Instruction set, ``avx512``, ``avx2`` or ``plain``; None for the widest of the processor.
    """

    cdef Tapes tapes
    cdef lmoo_model table
    cdef object kept

    def __cinit__(self, ptrdiff_t n, ptrdiff_t variables, Tape values not None, Tape derivatives,
                  Tape both, target):
        memset(&self.table, 0, sizeof(lmoo_model))
        memset(&self.tapes, 0, sizeof(Tapes))
        self.kept = []
        name = None if target is None else target.encode()
        self.tapes.runner = lmoo_runner_of(NULL) if name is None else lmoo_runner_of(<const char *>name)
        if self.tapes.runner.run == NULL:
            raise ValueError(f"target must be an instruction set of this processor; it is {target!r}")
        self.table.size, self.table.n, self.table.variables = sizeof(lmoo_model), n, variables
        self.table.user_data = &self.tapes
        self._fill(&self.tapes.values, values)
        self.table.values = run_values
        if derivatives is not None:
            self._fill(&self.tapes.derivatives, derivatives)
            self.table.derivatives = run_derivatives
        if both is not None:
            self._fill(&self.tapes.both, both)
            self.table.both = run_both
            if derivatives is not None:
                self.table.many = run_many

    cdef int _fill(self, lmoo_tape *tape, Tape found) except -1:
        self.kept.append(found)
        tape[0] = found.tape
        if lmoo_tape_work(tape) > LARGEST_WORK:
            raise ValueError(
                f"the program needs {lmoo_tape_work(tape)} numbers of work space; at most "
                f"{LARGEST_WORK} are provided"
            )
        return 0

    @property
    def capsule(self):
        """A PyCapsule ``lmoo_model``, with a reference to this object."""
        capsule = PyCapsule_New(&self.table, b"lmoo_model", release_owner)
        PyCapsule_SetContext(capsule, <void *>self)
        Py_INCREF(self)
        return capsule

    def evaluate(self, str name, const double[:, ::1] t not None, const double[::1] x not None,
                 ptrdiff_t outputs):
        """Return the outputs of a tape, (outputs, m), at t, (variables, m)."""
        cdef ptrdiff_t m = t.shape[1]
        cdef lmoo_tape *tape = &self.tapes.values
        if name == "derivatives":
            tape = &self.tapes.derivatives
        elif name == "both":
            tape = &self.tapes.both
        if t.shape[0] != self.table.variables or x.shape[0] != tape.n or outputs != tape.outputs:
            raise ValueError(
                f"t, x and the outputs must have {self.table.variables}, {tape.n} and {tape.outputs} "
                f"rows; they have {t.shape[0]}, {x.shape[0]} and {outputs}"
            )
        found = np.empty((outputs, m))
        cdef double[:, ::1] out = found
        if m > 0:
            with nogil:
                lmoo_run_tape(&self.tapes.runner, tape, m, &t[0, 0], &x[0] if tape.n > 0 else NULL, &out[0, 0],
                              &out[0, 0] + m)
        return found
