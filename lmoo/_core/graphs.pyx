"""Graphs of expressions, and their conversion to the tapes of programs."""

include "graphs/rewriting.pxi"
include "graphs/steps.pxi"
include "graphs/lowering.pxi"
