"""Nonlinear least squares: Levenberg-Marquardt as in MINPACK, object-oriented and compiled.

`fit` fits a model to a curve, `curve_fit_many` one model to many curves.  `curve_fit`,
`least_squares` and `leastsq` have the arguments of scipy's functions.  `Problem`, `Solver` and
`Result` are for any residual.
"""

from importlib import import_module as _import_module
from os.path import dirname as _dirname
from os.path import join as _join
from typing import TYPE_CHECKING
from typing import Any as _Any

try:
    from lmoo._core.abi1 import CompiledProblem
except ModuleNotFoundError as _error:
    if _error.name != "lmoo._core.abi1":
        raise
    raise ImportError(
        f"lmoo is imported from its source folder, {_dirname(_dirname(__file__))}, where it has "
        "not been built: run `pip install -e .` there, or leave the folder to use an installed lmoo"
    ) from None

from lmoo.errors import BetterMinimumWarning, EvaluationError, TraceError, TraceWarning

if TYPE_CHECKING:
    from lmoo import bounds as bounds
    from lmoo import curve as curve
    from lmoo import datasets, losses, models
    from lmoo import patch as patch
    from lmoo import plotting as plotting
    from lmoo.batch.fits import Fits
    from lmoo.batch.many import curve_fit_many
    from lmoo.batch.problems import solve_many
    from lmoo.batch.shared import JointFits
    from lmoo.integrations.patching import patch_scipy, unpatch_scipy
    from lmoo.jacobians.check import JacobianCheck, check_jacobian
    from lmoo.jacobians.grouped import GroupedDifference
    from lmoo.jacobians.numeric import CentralDifference, ComplexStep, ForwardDifference
    from lmoo.jacobians.strategies import Analytic, ColumnMajor, CompiledJacobian, Jacobian
    from lmoo.models.expression import Expression, ExpressionError
    from lmoo.models.tracing.residual import trace_residual
    from lmoo.models.tracing.trace import trace
    from lmoo.problems.batch import BatchProblem
    from lmoo.problems.cfunction import CFunctionProblem
    from lmoo.problems.curveblocks import CurveBlocks
    from lmoo.problems.curveproblem import CurveProblem
    from lmoo.problems.joint import JointProblem
    from lmoo.problems.problem import FunctionProblem, Problem
    from lmoo.problems.rows import RowBlockProblem
    from lmoo.results.curvature import Nonlinearity
    from lmoo.results.history import History
    from lmoo.results.result import PartResult, Result
    from lmoo.scipy_api.curve_fit import OptimizeWarning, curve_fit
    from lmoo.scipy_api.least_squares import least_squares
    from lmoo.scipy_api.leastsq import leastsq
    from lmoo.solver.fitting import fit as fit
    from lmoo.solver.iteration import Iteration
    from lmoo.solver.linear import LinearModel
    from lmoo.solver.record import IterationRecord
    from lmoo.solver.solver import Solver
    from lmoo.solver.sparse import SparseCholesky
    from lmoo.solver.steps import CompiledStep, GeodesicAcceleration, More, Nielsen, Step, StepModel
    from lmoo.status import Status

__version__ = "0.1.0"

# Names that are imported on first use, with their modules.
_WHERE = {
    "Analytic": "jacobians.strategies",
    "BatchProblem": "problems.batch",
    "CFunctionProblem": "problems.cfunction",
    "CentralDifference": "jacobians.numeric",
    "ColumnMajor": "jacobians.strategies",
    "CompiledJacobian": "jacobians.strategies",
    "CompiledStep": "solver.steps",
    "ComplexStep": "jacobians.numeric",
    "CurveBlocks": "problems.curveblocks",
    "CurveProblem": "problems.curveproblem",
    "Expression": "models.expression",
    "ExpressionError": "models.expression",
    "Fits": "batch.fits",
    "ForwardDifference": "jacobians.numeric",
    "FunctionProblem": "problems.problem",
    "GeodesicAcceleration": "solver.steps",
    "GroupedDifference": "jacobians.grouped",
    "History": "results.history",
    "Iteration": "solver.iteration",
    "IterationRecord": "solver.record",
    "Jacobian": "jacobians.strategies",
    "JacobianCheck": "jacobians.check",
    "JointFits": "batch.shared",
    "JointProblem": "problems.joint",
    "LinearModel": "solver.linear",
    "More": "solver.steps",
    "Nielsen": "solver.steps",
    "Nonlinearity": "results.curvature",
    "OptimizeWarning": "scipy_api.curve_fit",
    "PartResult": "results.result",
    "Problem": "problems.problem",
    "Result": "results.result",
    "RowBlockProblem": "problems.rows",
    "Solver": "solver.solver",
    "SparseCholesky": "solver.sparse",
    "Status": "status",
    "Step": "solver.steps",
    "StepModel": "solver.steps",
    "check_jacobian": "jacobians.check",
    "curve_fit": "scipy_api.curve_fit",
    "curve_fit_many": "batch.many",
    "fit": "solver.fitting",
    "least_squares": "scipy_api.least_squares",
    "leastsq": "scipy_api.leastsq",
    "patch_scipy": "integrations.patching",
    "solve_many": "batch.problems",
    "trace": "models.tracing.trace",
    "trace_residual": "models.tracing.residual",
    "unpatch_scipy": "integrations.patching",
}

# Public modules that are imported on first use.
_MODULES = ("bounds", "curve", "datasets", "losses", "models", "patch", "plotting")

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
    "GroupedDifference",
    "History",
    "Iteration",
    "IterationRecord",
    "Jacobian",
    "JacobianCheck",
    "JointFits",
    "JointProblem",
    "LinearModel",
    "More",
    "Nielsen",
    "Nonlinearity",
    "OptimizeWarning",
    "PartResult",
    "Problem",
    "Result",
    "RowBlockProblem",
    "Solver",
    "SparseCholesky",
    "Status",
    "Step",
    "StepModel",
    "TraceError",
    "TraceWarning",
    "check_jacobian",
    "curve_fit",
    "curve_fit_many",
    "datasets",
    "fit",
    "get_include",
    "least_squares",
    "leastsq",
    "losses",
    "models",
    "patch_scipy",
    "solve_many",
    "trace",
    "trace_residual",
    "unpatch_scipy",
]


def get_include() -> str:
    """Return the folder of lmoo.h, for the include directories of an extension module.

    Examples
    --------
    >>> import os, lmoo
    >>> os.listdir(lmoo.get_include())
    ['lmoo.h']
    """
    return _join(_dirname(__file__), "include")


if not TYPE_CHECKING:
    # Hidden from type checkers, which would take any name for one of lmoo.
    def __getattr__(name: str) -> _Any:
        """Import a name on its first use, so that `import lmoo` is fast."""
        if name in _MODULES:
            return _import_module(f"lmoo.{name}")
        if name in _WHERE:
            found = getattr(_import_module(f"lmoo.{_WHERE[name]}"), name)
            # The next use finds it without this function.
            globals()[name] = found
            return found
        raise AttributeError(f"module 'lmoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names, also those that are not imported yet."""
    return sorted({*__all__, *_MODULES, "__version__"})
