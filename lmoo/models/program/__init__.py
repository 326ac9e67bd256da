"""Programs: expression graphs converted to instructions that compiled code executes for all points.

A graph is a list of steps ``(operation, arguments, value)`` in topological order; leaves are
``("parameter", (), j)``, ``("variable", (), k)`` and ``("constant", (), c)``.  Operations have the
names and meaning of functions in numpy, or in scipy.special if numpy has no such function.
"""

from lmoo.models.program.program import Program, Step

__all__ = ["Program", "Step"]
