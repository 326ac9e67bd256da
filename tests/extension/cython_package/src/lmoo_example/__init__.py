"""Models in Cython for lmoo."""
