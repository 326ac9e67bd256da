"""Models from functions: called once with placeholders that record what is done with them.

`trace` and `residual` hold what users call; `recorder`, `placeholder`, `ufuncs`, `functions` and
`complexes` what is recorded; `effects` reads the code of a function; `cache` keeps traces, and
`evaluation` decides whether a fit runs with one.
"""
