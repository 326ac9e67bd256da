"""Functions of parameters: ties, derived quantities, and coordinates of linear constraints.

`expressions` reads texts, `linear` the linear algebra of constraints, `coordinates` puts both
together.
"""
