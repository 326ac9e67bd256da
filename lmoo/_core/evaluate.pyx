"""Evaluation of problems for the iteration: losses, differences, the driver, factorisation of the Jacobian."""

cdef double EPSMCH = 2.0**-52

include "evaluate/losses.pxi"
include "evaluate/lossrows.pxi"
include "evaluate/lossstatistics.pxi"
include "evaluate/losskernel.pxi"
include "evaluate/threads.pxi"
include "evaluate/intervals.pxi"
include "evaluate/columns.pxi"
include "evaluate/differences.pxi"
include "evaluate/driver.pxi"
include "evaluate/linearize.pxi"
include "evaluate/stream.pxi"
include "evaluate/vectors.pxi"
include "evaluate/lanes.pxi"
include "evaluate/whole.pxi"
include "evaluate/access.pxi"
