"""Bounds of parameters, and parameters that are held: what callers may write, and its meaning."""

from lmoo.problems.bounds import limits

__all__ = ["limits"]
