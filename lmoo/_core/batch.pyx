"""Many small solves of one shape at once, and curve models in compiled code."""

include "batch/uncertainty.pxi"
include "batch/batch.pxi"
include "batch/separable.pxi"
include "batch/curvemodel.pxi"
include "batch/modelfits.pxi"
