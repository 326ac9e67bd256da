"""Programs: expression graphs lowered to tapes of instructions that compiled code runs over points.

A graph is a list of steps ``(operation, arguments, value)`` in topological order; leaves are
``("parameter", (), j)``, ``("variable", (), k)`` and ``("constant", (), c)``.  Operations have
numpy's names and meaning, and those of scipy.special where numpy has none.
"""

from lmoo.models.program.operations import Step
from lmoo.models.program.program import Program, Tape

__all__ = ["Program", "Step", "Tape"]
