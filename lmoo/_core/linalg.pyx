"""Dense linear algebra, and the dense linear model."""

include "linalg/qr.pxi"
include "linalg/lmpar.pxi"
include "linalg/covariance.pxi"
include "linalg/units.pxi"
include "linalg/dense.pxi"
