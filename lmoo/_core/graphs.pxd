"""Declarations of the tapes of programs, see models/program.h."""

from libc.stdint cimport int32_t

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


cdef class Tape:
    cdef lmoo_tape tape
    cdef lmoo_instruction *instructions
    cdef lmoo_operand *ends
    cdef double *constants
    cdef ptrdiff_t constant_rows
