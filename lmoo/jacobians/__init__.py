"""Derivatives of residuals: the strategies that provide them, and the check of user code."""
