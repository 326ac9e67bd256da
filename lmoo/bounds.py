"""Bounds and fixed parameters: `limits` shows how lmoo reads them."""

from lmoo.problems.bounds import limits

__all__ = ["limits"]
