"""`check_jacobian`: compare a problem's Jacobian with differences of its residual."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.solve import as_vector
from lmoo.problems.arguments import real_array, real_number
from lmoo.problems.kinds import has_jacobian, in_blocks
from lmoo.problems.paired import paired
from lmoo.problems.problem import residual_call, residual_name

_EPS = 2.0**-52


@dataclass(frozen=True, eq=False)
class JacobianCheck:
    """Result of `check_jacobian`; true if the Jacobian is right.

    Attributes
    ----------
    wrong : (k, 2) int array
        Indices (i, j) of residual and parameter of each wrong entry.
    analytic, numeric : (m, n) float64 array
        The problem's Jacobian and the differences.
    error : (m, n) float64 array
        Difference allowed at each entry.
    transposed : bool
        Whether the Jacobian is wrong and its transpose is right.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> problem = lmoo.FunctionProblem(lambda x: x**2, lambda x: np.diag(3 * x))
    >>> print(lmoo.check_jacobian(problem, [1.0, 2.0]))
    The Jacobian is wrong in 2 of 4 entries:
      d residual[0] / d x[0] is 3, should be 2
      d residual[1] / d x[1] is 6, should be 4
    """

    wrong: NDArray[np.intp]
    analytic: NDArray[np.float64]
    numeric: NDArray[np.float64]
    error: NDArray[np.float64]
    transposed: bool

    def __bool__(self) -> bool:
        return len(self.wrong) == 0

    def __str__(self) -> str:
        if self:
            return "The Jacobian agrees with differences of the residual."
        lines = [f"The Jacobian is wrong in {len(self.wrong)} of {self.analytic.size} entries:"]
        if self.transposed:
            lines = ["The Jacobian is transposed."]
        lines += [
            f"  d residual[{i}] / d x[{j}] is {self.analytic[i, j]:.6g}, "
            f"should be {self.numeric[i, j]:.6g}"
            for i, j in self.wrong[:20]
        ]
        if len(self.wrong) > 20:
            lines.append(f"  and {len(self.wrong) - 20} more")
        return "\n".join(lines)


def check_jacobian(
    problem: Any, x: ArrayLike, col_deriv: bool = False, rtol: float = 1e-5
) -> JacobianCheck:
    """Compare the problem's Jacobian at x with differences of its residual.

    Parameters
    ----------
    problem : Problem
        A problem with a method `jacobian`.
    x : (n,) array_like
        The point to compare at.  A point without zeros and without equal entries shows most errors.
    col_deriv : bool, default False
        The Jacobian has one row per parameter, as for the strategy `ColumnMajor`.
    rtol : float, default 1e-5
        Relative difference allowed, in addition to the error of the differences.

    Returns
    -------
    JacobianCheck
        True if all entries agree.  It prints as a list of the wrong entries.

    Raises
    ------
    TypeError
        The problem has no `jacobian`, or comes in blocks.
    ValueError
        x is not 1-D; the shape of the Jacobian is not (m, n), as that of a transposed one with
        m != n; the residual is not finite at x or near it; `rtol` is not positive.

    Notes
    -----
    The differences are central, with two steps and Richardson's extrapolation, whose correction
    bounds the error (Dennis, Schnabel 1983, section 5.4).  They take 4 n + 1 evaluations of the
    residual.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> A = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> problem = lmoo.FunctionProblem(lambda x: A @ x, lambda x: A.T)
    >>> check = lmoo.check_jacobian(problem, [0.3, 0.7])
    >>> bool(check), check.transposed
    (False, True)
    """
    kind = type(problem).__name__
    if not has_jacobian(problem):
        raise TypeError(f"problem must define jacobian(x); {kind} does not")
    if in_blocks(problem):
        raise TypeError(
            f"problem must return its residual as a whole; a {kind} comes in blocks: check one of "
            "them, FunctionProblem(problem.residual, problem.jacobian, args=(block,))"
        )
    if not 0 < real_number("rtol", rtol) < np.inf:
        raise ValueError(f"rtol must be positive; it is {rtol!r}")
    point = real_array("x", x)
    if point.ndim != 1 or point.size == 0:
        raise ValueError(f"x must be 1-D and not empty; its shape is {point.shape}")
    if not np.isfinite(point).all():
        raise ValueError(f"x must be finite; it is {x!r}")
    numeric, error = _differences(problem, point)
    analytic = real_array("the Jacobian", paired(problem).jacobian(point.copy()))
    if analytic.ndim == 1 and point.size == 1:
        analytic = analytic[:, None]
    elif col_deriv:
        analytic = analytic.T
    if analytic.shape != numeric.shape:
        hint = "; it is transposed" if analytic.shape == numeric.shape[::-1] else ""
        raise ValueError(
            f"the Jacobian must be of shape {numeric.shape}; it is of shape {analytic.shape}{hint}"
        )
    allowed = error + rtol * np.maximum(np.abs(numeric), np.abs(analytic))
    wrong = _disagree(analytic, numeric, allowed)
    square = analytic.shape[0] == analytic.shape[1]
    transposed = bool(wrong.any() and square and not _disagree(analytic.T, numeric, allowed).any())
    return JacobianCheck(np.argwhere(wrong), analytic, numeric, allowed, transposed)


def _disagree(
    analytic: NDArray[np.float64], numeric: NDArray[np.float64], allowed: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return the entries that differ by more than is allowed or are not finite, (m, n)."""
    with np.errstate(invalid="ignore"):
        return ~(np.isfinite(analytic) & (np.abs(analytic - numeric) <= allowed))


def _differences(
    problem: Any, x: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return extrapolated central differences and bounds of their errors, both (m, n)."""
    func, args, kwargs = residual_call(problem)

    def residual(point: NDArray[np.float64]) -> NDArray[np.float64]:
        f, _ = as_vector(func(point, *args, **kwargs), residual_name(problem), False)
        if not np.isfinite(f).all():
            raise ValueError("the residual must be finite at x and near it")
        return np.array(f)

    f = residual(x.copy())
    columns, errors = [], []
    for j in range(x.size):
        h = _EPS ** (1 / 5) * max(abs(x[j]), 1e-3)
        wide, narrow = (_central(residual, x, j, step) for step in (h, 0.5 * h))
        columns.append((4 * narrow - wide) / 3)
        rounding = 10 * _EPS * (np.abs(f) + np.abs(x[j] * narrow)) / h
        errors.append(np.abs(wide - narrow) + rounding)
    return np.stack(columns, axis=1), np.stack(errors, axis=1)


def _central(residual: Any, x: NDArray[np.float64], j: int, h: float) -> NDArray[np.float64]:
    """Return the central difference in direction j."""
    ahead, behind = x.copy(), x.copy()
    ahead[j] += h
    behind[j] -= h
    width = ahead[j] - behind[j]
    out: NDArray[np.float64] = (residual(ahead) - residual(behind)) / width
    return out
