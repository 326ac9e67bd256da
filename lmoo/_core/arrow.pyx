"""The arrow linear model, and solves with it: shared parameters and groups of own ones, errors in x."""

include "arrow/linear.pxi"
include "arrow/statistics.pxi"
include "arrow/groups.pxi"
include "arrow/errorsinx.pxi"
