"""Models of curves: those written by hand, and programs."""

include "models/models.pxi"
include "models/program.pxi"
