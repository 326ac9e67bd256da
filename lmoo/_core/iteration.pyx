"""The Levenberg-Marquardt iteration: its step strategies, its tests, bounds."""

cdef double EPSMCH = 2.0**-52
# Of actual to predicted reduction, for a step to be taken.
cdef double LEAST_RATIO = 1e-4
# A radius beyond this overflows when it grows.
cdef double LARGEST_RADIUS = 1e300

include "iteration/stopping.pxi"
include "iteration/noise.pxi"
include "iteration/steps.pxi"
include "iteration/more.pxi"
include "iteration/nielsen.pxi"
include "iteration/geodesic.pxi"
include "iteration/valley.pxi"
include "iteration/bounds.pxi"
include "iteration/search.pxi"
include "iteration/iteration.pxi"
