"""The options of a solver, and the compiled loop of one solve."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.solve import (
    Derivatives,
    Loop,
    PythonLinear,
    RowLoop,
    SparseLoop,
    Stepping,
)
from lmoo.blockwise.evaluation import BlockView
from lmoo.blockwise.passes import row_source
from lmoo.errors import EvaluationError
from lmoo.jacobians.numeric import ForwardDifference
from lmoo.jacobians.strategies import Analytic, Jacobian
from lmoo.losses.loss import Loss, kernel_of, loss_of, scale_of
from lmoo.problems.arguments import integer, positive, real_number
from lmoo.problems.bounds import box
from lmoo.problems.boundsforms import FrozenMapping, frozen_bounds, frozen_fixed
from lmoo.problems.kinds import form_of, has_jacobian, in_blocks, is_compiled, is_joint
from lmoo.problems.names import mapping_of
from lmoo.problems.paired import paired
from lmoo.problems.parameters import OPTIONS, frozen_options, named_start
from lmoo.problems.problem import source
from lmoo.problems.typed import Bounds, Constraints, Expressions, Fixed, FScale, LossName, Priors
from lmoo.solver.linear import LinearModel, checked_linear, new_linear
from lmoo.solver.steps import Step

if TYPE_CHECKING:
    from lmoo.models.tracing.evaluation import Evaluation

_ACCURATE = 1  # the stopping tests
# Derivatives of a compiled problem that has none.
_FORWARD = ForwardDifference()
# With this many parameters a loop for sparse Jacobians is tried first, as the memory of one for
# dense ones is proportional to n^2.
_MANY = 2000


@dataclass(frozen=True)
class SolverOptions:
    """The options of a `Solver`, which documents them."""

    ftol: float = 1e-20
    xtol: float = 1e-10
    gtol: float = 0.0
    maxfev: int | None = None
    factor: float = 0.3
    diag: ArrayLike | Mapping[str, float] | None = None
    jacobian: Jacobian | None = field(default=None)
    step: Step | None = field(default=None)
    bounds: Bounds | None = field(default=None)
    fixed: Fixed | None = field(default=None)
    time_limit: float | None = None
    linear: Callable[[], LinearModel] | None = field(default=None)
    loss: LossName | Loss | Callable[..., Any] = "linear"
    f_scale: FScale = 1.0
    ties: Expressions | None = field(default=None)
    priors: Priors | None = field(default=None)
    derived: Expressions | None = field(default=None)
    constraints: Constraints | None = field(default=None)
    separable: bool | Literal["auto"] = False

    def __post_init__(self) -> None:
        for name in ("ftol", "xtol", "gtol"):
            if not real_number(name, getattr(self, name)) >= 0:
                raise ValueError(f"{name} must not be negative; it is {getattr(self, name)!r}")
        if not 0 < real_number("factor", self.factor) < np.inf:
            raise ValueError(f"factor must be positive and finite; it is {self.factor!r}")
        if self.maxfev is not None and not integer("maxfev", self.maxfev) >= 1:
            raise ValueError(f"maxfev must be at least 1, or None; it is {self.maxfev!r}")
        if self.time_limit is not None and not real_number("time_limit", self.time_limit) > 0:
            raise ValueError(
                "time_limit must be a positive number of seconds, or None; it is "
                f"{self.time_limit!r}"
            )
        if self.loss != "linear":
            self._set_loss()
        elif self.f_scale != 1.0:
            object.__setattr__(self, "f_scale", scale_of(loss_of("linear"), self.f_scale))
        if self.jacobian is not None and not isinstance(self.jacobian, Jacobian):
            raise TypeError(f"jacobian must be a Jacobian or None; it is {self.jacobian!r}")
        if self.step is not None and not isinstance(self.step, Step):
            raise TypeError(f"step must be a Step or None; it is {self.step!r}")
        if self.linear is not None:
            checked_linear(self.linear)
        if self.separable is not False:
            object.__setattr__(self, "separable", checked_separable(self.separable))
        if self.diag is not None:
            object.__setattr__(self, "diag", _frozen_diag(self.diag))
        if self.bounds is not None:
            object.__setattr__(self, "bounds", frozen_bounds(self.bounds))
        if self.fixed is not None:
            object.__setattr__(self, "fixed", frozen_fixed(self.fixed))
        for name in OPTIONS:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen_options[name](getattr(self, name)))

    def _set_loss(self) -> None:
        """Check the loss and its scale; a callable becomes a `Loss`."""
        loss = loss_of(self.loss)
        object.__setattr__(self, "f_scale", scale_of(loss, self.f_scale))
        if not isinstance(self.loss, str):
            object.__setattr__(self, "loss", loss)

    def _in_order_of(self, problem: Any) -> SolverOptions:
        """Return the options with scale factors by name in the order of the parameters."""
        if self.diag is None or not isinstance(self.diag, FrozenMapping):
            return self
        names = getattr(problem, "parameter_names", None)
        return replace(self, diag=tuple(named_start("diag", self.diag, names).tolist()))

    def _box(
        self, problem: Any, x0: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Return x0 with the values of fixed parameters, and the bounds in the form of the loop."""
        bounds = getattr(problem, "bounds", None) if self.bounds is None else self.bounds
        fixed = getattr(problem, "fixed", None) if self.fixed is None else self.fixed
        if bounds is None and fixed is None:
            return x0, None
        return box(bounds, fixed, getattr(problem, "parameter_names", None), x0)

    def _loop(
        self,
        problem: Any,
        x0: NDArray[np.float64],
        evaluation: Evaluation | None = None,
        sparse: bool | None = None,
    ) -> Loop:
        """Return the compiled loop of one solve.

        sparse: whether the problem's Jacobian is a sparse matrix; None: it is not known
        """
        n = x0.size
        form = form_of(problem)
        if form in ("joint", "points"):
            return self._arrow_loop(form, problem, *self._box(problem, x0), evaluation)
        diag: Any = self.diag
        if diag is not None and len(diag) != n:
            raise ValueError(f"diag must have one entry per parameter, {n}; it has {len(diag)}")
        if self.separable is not False:
            # Not at the top: every `import lmoo` would take longer.
            from lmoo.solver.separable import separable_loop

            found = separable_loop(self, problem, x0, evaluation)
            if found is not None:
                # It has what is used of a Loop.
                return found  # type: ignore[return-value]
        x0, bounds = self._box(problem, x0)
        if evaluation is not None and evaluation.problem is not None:
            problem = evaluation.problem
        # The counter has 64 bits; larger numbers mean no limit.
        maxfev = 1000 * (n + 1) if self.maxfev is None else min(self.maxfev, 2**62)
        diag = None if diag is None else np.array(diag)
        return self._loop_of(problem, x0, bounds, diag, maxfev, self.step, sparse=sparse)

    def _loop_of(
        self,
        problem: Any,
        x0: NDArray[np.float64],
        bounds: NDArray[np.float64] | None,
        diag: NDArray[np.float64] | None,
        maxfev: int,
        step: Step | Stepping | None,
        strategy: Jacobian | Derivatives | None = None,
        sparse: bool | None = None,
    ) -> Loop:
        """Return the compiled loop of a problem; strategy: None for that of the options."""
        n, problem = x0.size, paired(problem)
        derivatives = (
            self._derivatives(problem, n)
            if strategy is None
            else strategy._bind(problem, n)
            if isinstance(strategy, Jacobian)
            else strategy
        )
        tall = in_blocks(problem)
        priors = 0 if tall else getattr(problem, "_priors", 0)
        if isinstance(step, Step) and step._wants_second:
            _give_second(problem)
        if tall and derivatives.needs_all_rows:
            raise ValueError(
                "jacobian must not be a GroupedDifference for a RowBlockProblem, whose blocks have "
                f"other patterns; it is {self.jacobian!r}"
            )
        linear = None if self.linear is None else new_linear(self.linear)
        kind: type[Loop] = RowLoop
        if not tall:
            if strategy is None and linear is None and derivatives.takes_either:
                # Its first Jacobian tells which loop is the right one.
                derivatives.may_switch = sparse is None
            kind, linear = self._kind(derivatives, linear, n, sparse)
        return kind(
            row_source(problem, self._strategy(problem), self._row_loss())
            if tall
            else source(problem, n),
            derivatives,
            x0,
            diag,
            self.ftol,
            self.xtol,
            self.gtol,
            self.factor,
            maxfev,
            _ACCURATE,
            step._bind() if isinstance(step, Step) else step,
            bounds,
            None if linear is None else PythonLinear(linear),
            EvaluationError,
            None if self.loss == "linear" else kernel_of(loss_of(self.loss), self.f_scale, priors),
        )

    def _kind(
        self, derivatives: Any, linear: LinearModel | None, n: int, sparse: bool | None
    ) -> tuple[type[Loop], LinearModel | None]:
        """Return the class of the loop for these derivatives, and its linear model.

        linear: that of the options
        """
        if not derivatives.gives_matrix:
            return Loop, linear
        if linear is not None:
            return (SparseLoop if linear.sparse else Loop), linear
        if derivatives.takes_either:
            wanted = n > _MANY and derivatives.may_switch if sparse is None else sparse
        else:
            wanted = self.jacobian is not None and self.jacobian.sparse
        if not wanted:
            return Loop, None
        # Not at the top: every `import lmoo` would take longer.
        from lmoo.solver.sparse import SparseCholesky

        return SparseLoop, SparseCholesky()

    def _arrow_loop(
        self, form: str, problem: Any, x0: NDArray[np.float64], bounds: Any, evaluation: Any
    ) -> Loop:
        """Return the loop of a `JointProblem`, or of a curve with errors in x."""
        # Not at the top: every `import lmoo` would take longer.
        if form == "points":
            from lmoo.solver.errorsinx import point_loop

            return point_loop(self, problem, x0, bounds, evaluation)
        from lmoo._core.arrow import ArrowLinear
        from lmoo.solver.joint import arrow_loop, joint_groups

        n = len(problem.parameter_names)
        if x0.size != n:
            raise ValueError(f"x0 must have the problem's {n} parameters; it has {x0.size}")
        kernel = None
        if self.loss != "linear":
            priors = getattr(problem, "_priors", 0)
            kernel = kernel_of(loss_of(self.loss), self.f_scale, priors)
        groups = joint_groups(self, problem, evaluation)
        arrow = ArrowLinear(len(problem.shared), groups.own, groups.touched)
        return arrow_loop(self, groups, arrow, x0, bounds, kernel)

    def _row_loss(self) -> tuple[Loss, float] | None:
        """Return the loss as blocks take it; None for the sum of squares."""
        if self.loss == "linear":
            return None
        if self.f_scale == "mad":
            raise ValueError(
                "f_scale must be a number for a RowBlockProblem, whose residuals are not all in "
                "memory for the median that 'mad' takes; it is 'mad'"
            )
        return loss_of(self.loss), self.f_scale

    def _evaluation(
        self, problem: Any, x0: NDArray[np.float64], checked: bool = False, inside: bool = False
    ) -> Evaluation | None:
        """Return how the model of a curve is evaluated; None for other problems.

        checked: whether it is known to agree with its function at the start
        inside: whether x0 is known to be within the bounds, and others not, for related parameters
        """
        if is_joint(problem):
            joint: Any = self._joint_evaluation(problem, x0, inside)
            return joint  # type: ignore[no-any-return]
        if getattr(problem, "trace", None) is None:
            return None
        # Not at the top: every `import lmoo` would take longer.
        from lmoo.models.tracing.evaluation import evaluation_of

        because = None
        if self.jacobian is not None:
            because = f"the solver has the Jacobian strategy {self.jacobian!r}"
        start, edges = (x0, np.stack([x0, x0])) if inside else self._box(problem, x0)
        return evaluation_of(problem, start, because, checked, edges=edges)

    def _joint_evaluation(self, problem: Any, x0: NDArray[np.float64], inside: bool) -> Any:
        """Return how the models of a `JointProblem` are evaluated."""
        from lmoo.models.tracing.joint import evaluation_of

        because = None
        if self.jacobian is not None:
            because = f"the solver takes derivatives by {self.jacobian!r}"
        if x0.size != len(problem.parameter_names):
            return None
        start, edges = self._box(problem, x0)
        return evaluation_of(problem, start, because, np.stack([x0, x0]) if inside else edges)

    def _derivatives(self, problem: Any, n: int) -> Derivatives:
        """Return the Jacobian strategy for the compiled loop."""
        if self.jacobian is None and is_compiled(problem):
            return _FORWARD._differences(n, prefer_jacobian=True)
        return self._strategy(problem)._bind(differentiated(problem), n)

    def _strategy(self, problem: Any) -> Jacobian:
        """Return the strategy given, or the default one for the problem."""
        if self.jacobian is not None:
            return self.jacobian
        return Analytic() if has_jacobian(problem) else ForwardDifference()


def _frozen_diag(diag: Any) -> tuple[float, ...] | FrozenMapping:
    """Return the scale factors in a form that can be compared and hashed."""
    named = mapping_of(diag)
    if named is not None:
        return FrozenMapping({k: float(positive(f"diag[{k!r}]", v)) for k, v in named.items()})
    array = positive("diag", diag)
    if array.ndim != 1:
        raise ValueError(f"diag must be 1-D; it is {diag!r}")
    return tuple(array.tolist())


def differentiated(problem: Any) -> Any:
    """Return the problem that a Jacobian strategy receives: a block of one in blocks."""
    return BlockView(problem, None) if in_blocks(problem) else problem


def checked_separable(value: Any) -> bool | str:
    """Return the option `separable`; ValueError if it is invalid."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, str) and value == "auto":
        return value
    raise ValueError(f'separable must be True, False or "auto"; it is {value!r}')


def _give_second(problem: Any) -> None:
    """Let the problem of a model that is data have its second derivatives."""
    graph = getattr(getattr(problem, "f", None), "model", None)
    # Only problems of curves can take them; these are not imported at the top, as every
    # `import lmoo` would take longer.
    if getattr(problem, "has_second", True) or graph is None:
        return
    from lmoo.models.compiled import second_of

    second = second_of(graph)
    if second is not None:
        problem.use_second(second)
