"""Residuals and models written in JAX, with exact derivatives, compiled by XLA."""

from lmoo.integrations.jaxcurves import JaxCurve, JaxModel
from lmoo.integrations.jaxproblems import JaxBatchProblem, JaxProblem

__all__ = ["JaxBatchProblem", "JaxCurve", "JaxModel", "JaxProblem"]
