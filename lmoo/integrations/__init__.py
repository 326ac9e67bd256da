"""Connections to other packages: scipy, xarray, scikit-learn, JAX."""
