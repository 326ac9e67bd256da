"""Models from functions: a function is called once with placeholders that record its operations.

`trace` and `residual` contain the functions that users call.  `recorder`, `placeholder`, `ufuncs`,
`functions` and `complexes` record operations.  `effects`, `bytecode` and `purity` examine the code
of a function.  `cache` stores traces, and `evaluation` decides whether a fit uses one.
"""
