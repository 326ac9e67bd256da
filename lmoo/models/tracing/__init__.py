"""Models from functions: called once with placeholders that record what is done with them."""

from lmoo.models.tracing.residual import trace_residual
from lmoo.models.tracing.trace import ComplexModel, trace

__all__ = ["ComplexModel", "trace", "trace_residual"]
