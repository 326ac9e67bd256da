"""The compiled kernels of lmoo; they know no Python class of the package."""
