"""Nonlinear least squares: Levenberg-Marquardt as in MINPACK, object-oriented and compiled.

`leastsq` takes scipy's arguments; `Problem`, `Solver` and `Result` are the framework under it.
"""

from importlib import import_module as _import_module
from os.path import dirname as _dirname
from os.path import join as _join
from typing import Any as _Any

from lmoo.check import JacobianCheck, check_jacobian
from lmoo.errors import EvaluationError
from lmoo.jacobian import (
    Analytic,
    CentralDifference,
    ColumnMajor,
    ComplexStep,
    ForwardDifference,
    Jacobian,
)
from lmoo.minpack import leastsq
from lmoo.problem import FunctionProblem, Problem
from lmoo.result import Result
from lmoo.solver import Iteration, IterationRecord, Solver
from lmoo.status import Status

__version__ = "0.1.0"

__all__ = [
    "Analytic",
    "CentralDifference",
    "ColumnMajor",
    "ComplexStep",
    "EvaluationError",
    "ForwardDifference",
    "FunctionProblem",
    "Iteration",
    "IterationRecord",
    "Jacobian",
    "JacobianCheck",
    "Problem",
    "Result",
    "Solver",
    "Status",
    "check_jacobian",
    "datasets",
    "get_include",
    "leastsq",
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
    """Import the data sets when first used, so that they cost nothing before."""
    if name == "datasets":
        return _import_module("lmoo.datasets")
    raise AttributeError(f"module 'lmoo' has no attribute {name!r}")
