"""Expression graphs: elementary functions of variables, parameters and constants, as data.

`nodes` contains the class of graphs, `operations` the operations of nodes, `evaluation` the values
of a graph in numpy, `derivatives` the graphs of its derivatives, `linearity` the parameters that it
is linear in, `text` and `latex` its notations.
"""
