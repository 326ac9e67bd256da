"""Jacobian strategies that evaluate the residual: differences and complex steps."""

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.solve import Derivatives, Differences
from lmoo.errors import EvaluationError
from lmoo.jacobians.strategies import Jacobian
from lmoo.problems.arguments import positive, real_number
from lmoo.problems.kinds import is_compiled
from lmoo.problems.names import mapping_of


class Numeric(Jacobian):
    """Base class of numeric strategies, with the typical sizes of the parameters."""

    def __init__(self, typical: ArrayLike | None) -> None:
        self.typical: float | tuple[float, ...] | None = None
        if typical is not None:
            if mapping_of(typical) is not None:
                raise TypeError(
                    "typical must be numbers in the order of the parameters, whose names are not "
                    f"known here; it has labels, {', '.join(map(str, mapping_of(typical) or ()))}"
                )
            sizes = positive("typical", typical)
            if sizes.ndim > 1:
                raise ValueError(
                    f"typical must be a number or one per parameter; it is {typical!r}"
                )
            # A tuple can be compared and hashed.
            self.typical = float(sizes) if sizes.ndim == 0 else tuple(sizes.tolist())

    def _typical(self, n: int) -> NDArray[np.float64] | None:
        """Return the typical sizes, (n,); None if they are not given."""
        if self.typical is None:
            return None
        sizes = np.array(self.typical)
        if sizes.ndim == 1 and sizes.size != n:
            raise ValueError(f"typical must have one entry per parameter, {n}; it has {sizes.size}")
        return np.ascontiguousarray(np.broadcast_to(sizes, (n,)))

    def _varying(self, problem: Any, coordinates: Any) -> Jacobian:
        found = copy(self)
        if isinstance(self.typical, tuple):
            sizes = coordinates.sizes(self._typical(len(coordinates.names)))
            found.typical = tuple(sizes.tolist())
        return found

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(typical={self.typical!r})"


def checked_epsfcn(epsfcn: float | None) -> float:
    """Return epsfcn in the form of the kernels: 0 for the precision of the residual."""
    if epsfcn is None:
        return 0.0
    if not 0.0 < real_number("epsfcn", epsfcn) < 1.0:
        raise ValueError(f"epsfcn must be between 0 and 1, or None; it is {epsfcn!r}")
    return float(epsfcn)


class ForwardDifference(Numeric):
    """Forward differences, n evaluations per Jacobian; the default without a ``jacobian``.

    The first Jacobian has MINPACK's interval, ``h = sqrt(eps) |x_j|``.  Later intervals balance the
    error of the formula against that of the residual, ``h = 2 sqrt(e L / |J_j|)``: e is the norm of
    the error of f, and L the change of parameter j over which column J_j changes by its own size
    (Gill, Murray, Saunders, Wright 1983; More', Wild 2012).  If x + h is a bad point, x - h is
    tried.  If the difference is no larger than the error of f, a longer interval is tried.  All
    evaluations are counted in ``nfev``.

    Parameters
    ----------
    epsfcn : float, optional
        Relative error of the residual.  None (the default): its precision, 2^-52 for float64 and
        2^-23 for float32.
    typical : float or (n,) array_like, optional
        Typical size of each parameter, in its units.  ``max(|x_j|, typical_j)`` replaces ``|x_j|``
        in the first interval, and L until L is measured.  None (the default): L is the change of
        parameter j that changes f by the size of one parameter's contribution.
    refine : bool, default True
        Use central differences for the last steps, unless forward differences change no parameter
        by more than 30 times what the solver's ``xtol`` accepts.  Their relative error is about
        eps^(2/3), that of forward differences about eps^(1/2).  One Jacobian by central differences
        is also taken after three rejected steps in a row, or if a column consists of errors, to
        measure L.  False: central differences are used only if forward ones leave a direction
        undetermined, as their errors may hide it; in stacks, never.

    Raises
    ------
    ValueError
        `epsfcn` is not between 0 and 1; `typical` is not positive, or not one size per parameter.

    Examples
    --------
    >>> import lmoo
    >>> solver = lmoo.Solver(jacobian=lmoo.ForwardDifference(typical=1.0))
    >>> solver.solve(lmoo.FunctionProblem(lambda x: x - 3.0), [1e-9]).x
    array([3.])
    """

    _by_differences = _by_coordinates = True
    _central = False

    def __init__(
        self,
        epsfcn: float | None = None,
        typical: ArrayLike | None = None,
        refine: bool = True,
    ) -> None:
        super().__init__(typical)
        self.epsfcn, self.refine = checked_epsfcn(epsfcn), bool(refine)

    def __repr__(self) -> str:
        return (
            f"ForwardDifference(epsfcn={self.epsfcn or None}, typical={self.typical!r}, "
            f"refine={self.refine})"
        )

    def _bind(self, problem: Any, n: int) -> Derivatives:
        return self._differences(n, prefer_jacobian=False)

    def _differences(self, n: int, prefer_jacobian: bool) -> Derivatives:
        """Return the compiled strategy; prefer_jacobian: use a compiled problem's Jacobian."""
        return Differences(
            prefer_jacobian, False, self.epsfcn, self._typical(n), False, 1 if self.refine else 2
        )


class CentralDifference(Numeric):
    """Central differences, 2 n evaluations per Jacobian.

    The first Jacobian has the interval ``h = cbrt(eps) |x_j|``.  Later intervals balance the error
    of the formula against that of the residual, ``h = cbrt(3 e L^2 / |J_j|)``, with e and L as for
    `ForwardDifference`.  The second difference of each column measures L for the next Jacobian.  A
    column whose interval was far from the best one is evaluated again.  If one of the two points is
    bad, a one-sided difference is taken.

    Parameters
    ----------
    epsfcn, typical
        As for `ForwardDifference`.

    Raises
    ------
    ValueError
        As for `ForwardDifference`.

    Examples
    --------
    >>> import lmoo
    >>> solver = lmoo.Solver(jacobian=lmoo.CentralDifference())
    >>> solver.solve(lmoo.FunctionProblem(lambda x: x**2 - 2.0), [1.0]).x.round(9)
    array([1.41421356])
    """

    _by_differences = _by_coordinates = _central = True

    def __init__(self, epsfcn: float | None = None, typical: ArrayLike | None = None) -> None:
        super().__init__(typical)
        self.epsfcn = checked_epsfcn(epsfcn)

    def __repr__(self) -> str:
        return f"CentralDifference(epsfcn={self.epsfcn or None}, typical={self.typical!r})"

    def _bind(self, problem: Any, n: int) -> Derivatives:
        return Differences(False, True, self.epsfcn, self._typical(n), False, False)


class ComplexStep(Numeric):
    """Complex-step derivatives, n evaluations per Jacobian, exact to rounding.

    ``J_j = Im f(x + i h e_j) / h`` with a tiny h (Squire, Trapp 1998, SIAM Review 40).  The
    residual is called with a complex x and must be an analytic function of it: without abs,
    comparisons and conjugation.

    Parameters
    ----------
    typical : float or (n,) array_like, optional
        Typical sizes as for `ForwardDifference`; h is 1e-20 times the size.  None: 1.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> solver = lmoo.Solver(jacobian=lmoo.ComplexStep())
    >>> solver.solve(lmoo.FunctionProblem(lambda x: np.exp(x) - 2.0), [1.0]).x.round(9)
    array([0.69314718])
    """

    def __init__(self, typical: ArrayLike | None = None) -> None:
        super().__init__(typical)

    def _varying(self, problem: Any, coordinates: Any) -> Jacobian:
        self._bind(problem, len(coordinates.names))
        return self

    def _bind(self, problem: Any, n: int) -> Derivatives:
        if is_compiled(problem):
            raise TypeError(
                "the strategy ComplexStep needs a residual that takes a complex x; that of the "
                f"compiled problem {type(problem).__name__} does not"
            )
        return super()._bind(problem, n)

    def evaluate(
        self, problem: Any, x: NDArray[np.float64], f: NDArray[np.float64], out: NDArray[np.float64]
    ) -> int:
        """Write the Jacobian at x into `out`; see `Jacobian.evaluate`."""
        sizes = self._typical(x.size)
        for j in range(x.size):
            h = 1e-20 if sizes is None else 1e-20 * sizes[j]
            z = x.astype(np.complex128)
            z[j] += 1j * h
            try:
                value = np.asarray(problem.residual(z))
            except EvaluationError as error:
                error.evaluations = j + 1
                raise
            if value.dtype.kind != "c" or value.shape != f.shape:
                raise TypeError(
                    f"residual must return {f.size} complex numbers for a complex x with the "
                    f"strategy ComplexStep; it returned dtype {value.dtype}, shape {value.shape}"
                )
            out[:, j] = value.imag / h
        return int(x.size)
