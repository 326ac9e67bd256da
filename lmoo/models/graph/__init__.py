"""Expression graphs: elementary functions of variables, parameters and constants, as data.

`nodes` holds a graph, `operations` all that a node can compute, `evaluation` its values in numpy,
`derivatives` the graphs of its derivatives, `linearity` the parameters that it is linear in, `text`
and `latex` how it is written.
"""
