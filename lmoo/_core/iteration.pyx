"""The Levenberg-Marquardt iteration: step strategies, tests, bounds."""

cdef double EPSMCH = 2.0**-52
# Least ratio of the actual to the predicted reduction of an accepted step.
cdef double LEAST_RATIO = 1e-4
# A radius beyond this overflows when it grows.
cdef double LARGEST_RADIUS = 1e300

include "iteration/memory.pxi"
include "iteration/minpack.pxi"
include "iteration/stopping.pxi"
include "iteration/noise.pxi"
include "iteration/steps.pxi"
include "iteration/more.pxi"
include "iteration/nielsen.pxi"
include "iteration/geodesic.pxi"
include "iteration/secant.pxi"
include "iteration/crossing.pxi"
include "iteration/valley.pxi"
include "iteration/bounds.pxi"
include "iteration/search.pxi"
include "iteration/jumps.pxi"
include "iteration/kinks.pxi"
include "iteration/accuracy.pxi"
include "iteration/linearization.pxi"
include "iteration/trials.pxi"
include "iteration/ending.pxi"
include "iteration/iteration.pxi"
