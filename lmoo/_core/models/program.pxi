"""Programs that evaluate models of curves: tapes of instructions run over blocks of points, program.h."""

from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_New, PyCapsule_SetContext
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport int32_t
from libc.string cimport memset

import numpy as np

from lmoo._core.model cimport *

cdef extern from "models/program.h" nogil:
    ctypedef struct lmoo_instruction:
        pass

    ctypedef struct lmoo_tape:
        ptrdiff_t n, variables, outputs, rows, registers, points
        const lmoo_instruction *all
        const lmoo_instruction *block
        const lmoo_instruction *end
        double *constants

    ctypedef void (*lmoo_run)(const lmoo_tape *tape, ptrdiff_t m, const double *t, const double *x,
                              double *first, double *rest, double **areas, double *work)
    lmoo_run lmoo_runner(const char *target)
    void lmoo_run_tape(lmoo_run run, const lmoo_tape *tape, ptrdiff_t m, const double *t,
                       const double *x, double *first, double *rest)
    ptrdiff_t lmoo_tape_work(const lmoo_tape *tape)
    const char **lmoo_operation_names
    int LMOO_CODES, LMOO_ROW, LMOO_BLOCK, LMOO_CACHE
    int LMOO_CONSTANTS, LMOO_UNIFORM, LMOO_REGISTERS, LMOO_FIRST_DATA

CODES = {lmoo_operation_names[code].decode(): code for code in range(LMOO_CODES)}
CONSTANTS, UNIFORM, REGISTERS = LMOO_CONSTANTS, LMOO_UNIFORM, LMOO_REGISTERS
FIRST_DATA, ROW, BLOCK, CACHE = LMOO_FIRST_DATA, LMOO_ROW, LMOO_BLOCK, LMOO_CACHE
# Work space of a run, on its stack; threads may have half a megabyte.
LARGEST_WORK = 1 << 15


ctypedef struct Tapes:
    lmoo_run run
    lmoo_tape values, derivatives, both


# What lmoo_model has of them; user_data: Tapes.

cdef int run_values(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *out,
                    void *user_data) noexcept nogil:
    cdef const Tapes *tapes = <const Tapes *>user_data
    lmoo_run_tape(tapes.run, &tapes.values, m, t, x, out, out + m)
    return 0


cdef int run_derivatives(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *out,
                         void *user_data) noexcept nogil:
    cdef const Tapes *tapes = <const Tapes *>user_data
    lmoo_run_tape(tapes.run, &tapes.derivatives, m, t, x, out, out + m)
    return 0


cdef int run_both(ptrdiff_t m, ptrdiff_t n, const double *t, const double *x, double *values,
                  double *derivatives, void *user_data) noexcept nogil:
    cdef const Tapes *tapes = <const Tapes *>user_data
    lmoo_run_tape(tapes.run, &tapes.both, m, t, x, values, derivatives)
    return 0


cdef void release_owner(object capsule) noexcept:
    """The capsule's destructor."""
    cdef void *owner = PyCapsule_GetContext(capsule)
    if owner != NULL:
        Py_DECREF(<object>owner)


cdef class CompiledTapes:
    """The tapes of one model in memory, and the lmoo_model table that runs them.

    Parameters
    ----------
    n, variables : int
        Parameters and independent variables.
    values : tuple
        ``(outputs, instructions, uniforms, constants, rows, registers, points)`` as in lmoo_tape:
        instructions (count, 12) int32, the number of the uniform ones among them, constants (count,
        ROW) float64.
    derivatives, both : tuple or None
        Likewise, of n and n + 1 outputs.
    target : str or None
        Instruction set, ``avx512``, ``avx2`` or ``plain``; None for the best.
    """

    cdef Tapes tapes
    cdef lmoo_model table
    cdef object kept

    def __cinit__(self, ptrdiff_t n, ptrdiff_t variables, values, derivatives, both, target):
        memset(&self.table, 0, sizeof(lmoo_model))
        memset(&self.tapes, 0, sizeof(Tapes))
        self.kept = []
        name = None if target is None else target.encode()
        self.tapes.run = lmoo_runner(NULL) if name is None else lmoo_runner(<const char *>name)
        if self.tapes.run == NULL:
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

    cdef int _fill(self, lmoo_tape *tape, parts) except -1:
        cdef const int32_t[:, ::1] instructions
        cdef double[:, ::1] constants
        outputs, instructions, uniforms, rows_of_constants, rows, registers, points = parts
        self.kept.append(parts)
        tape.n, tape.variables, tape.outputs = self.table.n, self.table.variables, outputs
        tape.rows, tape.registers, tape.points = rows, registers, points
        tape.all = <const lmoo_instruction *>&instructions[0, 0]
        tape.block = tape.all + <ptrdiff_t>uniforms
        tape.end = tape.all + instructions.shape[0]
        constants = rows_of_constants
        tape.constants = &constants[0, 0]
        if lmoo_tape_work(tape) > LARGEST_WORK:
            raise ValueError(
                f"the program needs {lmoo_tape_work(tape)} numbers of work space; at most "
                f"{LARGEST_WORK} are provided"
            )
        return 0

    @property
    def capsule(self):
        """A PyCapsule ``lmoo_model``, which keeps this object alive."""
        capsule = PyCapsule_New(&self.table, b"lmoo_model", release_owner)
        PyCapsule_SetContext(capsule, <void *>self)
        Py_INCREF(self)
        return capsule

    def evaluate(self, str name, const double[:, ::1] t not None, const double[::1] x not None,
                 ptrdiff_t outputs):
        """Return the outputs of one of the tapes, (outputs, m), at t, (variables, m)."""
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
        cdef double[:, ::1] out = np.empty((outputs, max(m, 1)))
        cdef double[::1] parameters = np.append(x, 0.0)
        if m > 0:
            with nogil:
                lmoo_run_tape(self.tapes.run, tape, m, &t[0, 0], &parameters[0], &out[0, 0],
                              &out[0, 0] + m)
        return np.asarray(out)[:, :m]
