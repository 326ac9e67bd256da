"""Tapes of instructions and what runs them, see program.h."""

from libc.stdint cimport int32_t
from libc.string cimport memset

import numpy as np

cdef extern from "models/program.h" nogil:
    ctypedef struct lmoo_operand:
        int32_t area, offset

    ctypedef struct lmoo_instruction:
        int32_t code, unused
        lmoo_operand out, out2, a, b, c

    ctypedef struct lmoo_tape:
        ptrdiff_t n, variables, outputs, rows, registers, points
        const lmoo_instruction *all
        const lmoo_instruction *block
        const lmoo_instruction *end
        const lmoo_operand *ends
        double *constants

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
    int LMOO_CODES, LMOO_ROW, LMOO_BLOCK, LMOO_CACHE
    int LMOO_CONSTANTS, LMOO_UNIFORM, LMOO_REGISTERS, LMOO_FIRST_DATA

CODES = {lmoo_operation_names[code].decode(): code for code in range(LMOO_CODES)}
CONSTANTS, UNIFORM, REGISTERS = LMOO_CONSTANTS, LMOO_UNIFORM, LMOO_REGISTERS
FIRST_DATA, ROW, BLOCK, CACHE = LMOO_FIRST_DATA, LMOO_ROW, LMOO_BLOCK, LMOO_CACHE
# Largest work space of a run, on its stack; threads may have half a megabyte.
LARGEST_WORK = 1 << 15
