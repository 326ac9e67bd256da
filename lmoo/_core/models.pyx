"""Models of curves: those written by hand, and programs."""

include "models/models.pxi"
include "models/tapes.pxi"
include "models/rewriting.pxi"
include "models/graph.pxi"
include "models/lowering.pxi"
include "models/program.pxi"
