"""Sparse matrices: patterns and their colouring, rows of Jacobians, Cholesky factors."""
