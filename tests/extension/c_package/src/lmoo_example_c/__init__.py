"""Fits in C with lmoo."""
