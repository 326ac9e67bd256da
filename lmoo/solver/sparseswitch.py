"""The loops for dense and for sparse Jacobians: the first Jacobian chooses between them."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.solve import Loop
from lmoo.solver.options import SolverOptions

if TYPE_CHECKING:
    from lmoo.models.tracing.evaluation import Evaluation


class LoopSwitch:
    """A solve with its loop, which is replaced where the first Jacobian is of the other kind."""

    solver: SolverOptions
    problem: Any
    _x0: NDArray[np.float64]
    _evaluation: "Evaluation | None"
    _loop: Loop

    # Whether the problem's Jacobian is a sparse matrix; None until that is known.
    _sparse: bool | None = None

    @property
    def _is_sparse(self) -> bool:
        """Whether the loop is one for sparse Jacobians."""
        return self._loop.sparse

    def _new_loop(self) -> Loop:
        """Return the compiled loop that starts at x0."""
        return self.solver._loop(self.problem, self._x0, self._evaluation, self._sparse)

    def _switched(self) -> bool:
        """Return whether the first Jacobian ended the loop, and continue with the other one."""
        found = getattr(self._loop, "found", None)
        if found is None:
            return False
        self._sparse = found.sparse
        self._loop = self._new_loop()
        self._loop.offer(found)
        return True

    def _snapshot(self) -> dict[str, Any]:
        """Return the state of the loop, {} for a sparse solve that has not begun."""
        begun = self._loop.nfev > 0 or not self._is_sparse
        return self._loop.snapshot() if begun else {}

    def _restore(self, snapshot: Any) -> None:
        """Continue from a snapshot, which is empty for a sparse solve that has not begun."""
        sparse = self._is_sparse
        if sparse and type(snapshot) is dict and not snapshot:
            return
        if sparse:
            # Solves with a sparse Jacobian are not stored once they have begun.
            self._sparse = False
            self._loop = self._new_loop()
        self._loop.restore(snapshot)
