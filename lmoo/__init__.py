"""Nonlinear least squares: Levenberg-Marquardt as in MINPACK, object-oriented and compiled.

`leastsq` takes scipy's arguments; `Problem`, `Solver` and `Result` are the framework under it.
"""

from importlib import import_module as _import_module
from os.path import dirname as _dirname
from os.path import join as _join
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from lmoo._core.abi1 import CompiledProblem
from lmoo.errors import BetterMinimumWarning, EvaluationError
from lmoo.jacobian import (
    Analytic,
    CentralDifference,
    ColumnMajor,
    CompiledJacobian,
    ComplexStep,
    ForwardDifference,
    Jacobian,
)
from lmoo.minpack import leastsq
from lmoo.problem import FunctionProblem, Problem
from lmoo.result import Result
from lmoo.rows import RowBlockProblem
from lmoo.solver import Iteration, IterationRecord, Solver
from lmoo.status import Status
from lmoo.step import CompiledStep, GeodesicAcceleration, More, Nielsen, Step, StepModel

if _TYPE_CHECKING:
    from lmoo import datasets, models
    from lmoo.batchproblem import BatchProblem, solve_many
    from lmoo.cfunction import CFunctionProblem
    from lmoo.check import JacobianCheck, check_jacobian
    from lmoo.curvature import Nonlinearity
    from lmoo.curveblocks import CurveBlocks
    from lmoo.curvefit import OptimizeWarning, curve_fit
    from lmoo.curveproblem import CurveProblem
    from lmoo.expression import Expression, ExpressionError
    from lmoo.history import History
    from lmoo.many import Fits, curve_fit_many

__version__ = "0.1.0"

# The modules of what is imported when it is used.
_WHERE = {
    "BatchProblem": "batchproblem",
    "CFunctionProblem": "cfunction",
    "CurveBlocks": "curveblocks",
    "CurveProblem": "curveproblem",
    "Expression": "expression",
    "ExpressionError": "expression",
    "Fits": "many",
    "History": "history",
    "JacobianCheck": "check",
    "Nonlinearity": "curvature",
    "OptimizeWarning": "curvefit",
    "check_jacobian": "check",
    "curve_fit": "curvefit",
    "curve_fit_many": "many",
    "solve_many": "batchproblem",
}

__all__ = [
    "Analytic",
    "BatchProblem",
    "BetterMinimumWarning",
    "CFunctionProblem",
    "CentralDifference",
    "ColumnMajor",
    "CompiledJacobian",
    "CompiledProblem",
    "CompiledStep",
    "ComplexStep",
    "CurveBlocks",
    "CurveProblem",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "Fits",
    "ForwardDifference",
    "FunctionProblem",
    "GeodesicAcceleration",
    "History",
    "Iteration",
    "IterationRecord",
    "Jacobian",
    "JacobianCheck",
    "More",
    "Nielsen",
    "Nonlinearity",
    "OptimizeWarning",
    "Problem",
    "Result",
    "RowBlockProblem",
    "Solver",
    "Status",
    "Step",
    "StepModel",
    "check_jacobian",
    "curve_fit",
    "curve_fit_many",
    "datasets",
    "get_include",
    "leastsq",
    "models",
    "solve_many",
]


def get_include() -> str:
    """Return the folder of lmoo.h, for the include directories of an extension's compiler.

    Examples
    --------
    >>> import os, lmoo
    >>> os.listdir(lmoo.get_include())
    ['lmoo.h']
    """
    return _join(_dirname(__file__), "include")


def __getattr__(name: str) -> _Any:
    """Import what a script may not need when it is first used, so that it costs nothing before."""
    if name in ("datasets", "models"):
        return _import_module(f"lmoo.{name}")
    if name in _WHERE:
        return getattr(_import_module(f"lmoo.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'lmoo' has no attribute {name!r}")
