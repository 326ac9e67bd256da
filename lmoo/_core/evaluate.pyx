"""From the iteration's requests to values: losses, differences, the driver, factorisation of the Jacobian."""

cdef double EPSMCH = 2.0**-52

include "evaluate/losses.pxi"
include "evaluate/threads.pxi"
include "evaluate/differences.pxi"
include "evaluate/driver.pxi"
include "evaluate/linearize.pxi"
include "evaluate/stream.pxi"
include "evaluate/vectors.pxi"
include "evaluate/lanes.pxi"
include "evaluate/whole.pxi"
include "evaluate/access.pxi"
