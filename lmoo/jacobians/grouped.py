"""`GroupedDifference`: differences of columns that share no row, taken together."""

from functools import partial
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.solve import Derivatives, Grouped
from lmoo.jacobians.missing import check_pattern
from lmoo.jacobians.numeric import Numeric, checked_epsfcn
from lmoo.sparse.pattern import Pattern


class GroupedDifference(Numeric):
    """Differences for a sparse Jacobian: columns that share no row share an evaluation.

    Curtis, Powell, Reid (1974), "On the estimation of sparse Jacobian matrices", J. Inst. Maths
    Applics 13, 117.  The groups are those of a greedy colouring.  The intervals are measured as by
    `ForwardDifference` and `CentralDifference`, for each column in its own rows.  ``nfev`` counts
    an evaluation for each group, and for each further interval that a column of it needs.

    Where the Jacobian is sparse, the solver takes the linear model `SparseCholesky`, unless it was
    given one; otherwise it takes the dense one, and scipy is not needed.

    Parameters
    ----------
    pattern : (m, n) array_like or sparse matrix
        Not zero for an entry of the Jacobian that may be nonzero.
    central : bool, default False
        Take central differences from the start.
    epsfcn, typical, refine
        As for `ForwardDifference`.
    check : bool, default True
        Compare the first Jacobian with one difference along all parameters together, which takes
        one evaluation, and more only if the two disagree: an entry that is missing in the pattern
        is an error.
    sparse : bool, optional
        Whether the solver is given a sparse matrix.  None: if `pattern` is one.

    Attributes
    ----------
    groups : list of intp arrays
        The columns that are evaluated together.

    Raises
    ------
    TypeError, ValueError
        The pattern is not a matrix of booleans or real numbers; options as for
        `ForwardDifference`.  When solving: the pattern has not the shape of the Jacobian, or an
        entry is missing in it.

    Examples
    --------
    Each residual depends on two parameters that are neighbours; 100 columns are two groups:

    >>> import numpy as np, lmoo
    >>> pattern = np.eye(99, 100) + np.eye(99, 100, k=1)
    >>> strategy = lmoo.GroupedDifference(pattern)
    >>> len(strategy.groups)
    2
    >>> def residual(x):
    ...     return 10 * (x[1:] - x[:-1] ** 2)
    >>> problem = lmoo.FunctionProblem(residual)
    >>> start = np.linspace(0.5, 1.5, 100)
    >>> result = lmoo.Solver(jacobian=strategy).solve(problem, start)
    >>> result.success, result.nfev < 100
    (True, True)
    """

    def __init__(
        self,
        pattern: Any,
        central: bool = False,
        epsfcn: float | None = None,
        typical: ArrayLike | None = None,
        refine: bool = True,
        check: bool = True,
        sparse: bool | None = None,
    ) -> None:
        super().__init__(typical)
        self.pattern = pattern if isinstance(pattern, Pattern) else Pattern(pattern)
        self.central, self.refine, self.check = bool(central), bool(refine), bool(check)
        self.epsfcn = checked_epsfcn(epsfcn)
        self.sparse = self.pattern.is_sparse if sparse is None else bool(sparse)

    @property
    def groups(self) -> list[NDArray[np.intp]]:
        """The columns that are evaluated together."""
        return self.pattern.groups

    def __repr__(self) -> str:
        return f"GroupedDifference({self.pattern!r}, central={self.central})"

    def _varying(self, problem: Any, coordinates: Any) -> NoReturn:
        raise ValueError(
            "jacobian must not be a GroupedDifference with ties, priors, derived or constraints: "
            "differences are taken by what is varied then, which has another pattern"
        )

    def _bind(self, problem: Any, n: int) -> Derivatives:
        m, columns = self.pattern.shape
        if columns != n:
            raise ValueError(
                f"pattern must have a column for each of the {n} parameters; its shape is "
                f"{(m, columns)}"
            )
        names = getattr(problem, "parameter_names", None)
        return Grouped(
            self.pattern,
            self.central,
            self.epsfcn,
            self._typical(n),
            self.refine and not self.central,
            partial(check_pattern, self.pattern, names) if self.check else None,
        )
