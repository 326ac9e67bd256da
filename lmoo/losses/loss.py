"""The class of losses, the built-in losses, and the checks of user-defined losses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lmoo._core.arrays import Array
from lmoo._core.evaluate import CompiledRho, LossKernel, called, evaluate
from lmoo.problems.arguments import checked_capsule, real_number

# C over the standard deviation of normal errors, for 95 % of the efficiency of least squares.
_TUNING = {
    "linear": None,
    "huber": 1.3449975085112649,
    "soft_l1": 1.2870992242820838,
    "cauchy": 2.384947119362187,
    "arctan": 2.571400568519997,
    "tukey": 4.685064948543373,
}
# Values of z at which a user-defined loss is tested: 0, and values far below and far above 1.
_TRIED = np.concatenate([[0.0], np.logspace(-8, 8, 129)])
# Share of the points at which a difference may disagree with the derivative: rho' may have kinks.
_KINKS = 0.1


@dataclass(frozen=True)
class Loss:
    """User-defined loss, checked.

    Parameters
    ----------
    func : callable
        ``func(z)`` for an (m,) float64 array z, not negative, returns an array_like of shape
        (3, m): rho, its first and its second derivative, as for ``scipy.optimize.least_squares``.
    name : str, optional
        For reports; None: the name of the function.
    tuning : float, optional
        ``f_scale`` over the standard deviation of good residuals, for ``f_scale="mad"``.

    Raises
    ------
    TypeError
        `func` is not callable, or does not return real numbers.
    ValueError
        `func` is not a loss: rho(0) is not 0, rho'(0) is not 1, rho or rho' is negative, a value is
        not finite, the shape is not (3, m), or a row is not the derivative of the one before;
        tuning is not positive.

    Notes
    -----
    The conditions are those of Ceres Solver's ``LossFunction``: with them a small residual counts
    as in least squares, and a larger one never less than a smaller one.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> def geman_mcclure(z):
    ...     w = 1.0 / (1.0 + z)
    ...     return z * w, w**2, -2.0 * w**3
    >>> loss = lmoo.losses.Loss(geman_mcclure)
    >>> loss
    Loss('geman_mcclure')
    >>> loss([0.0, 1.0])
    array([[ 0.  ,  0.5 ],
           [ 1.  ,  0.25],
           [-2.  , -0.25]])
    """

    func: Callable[[Array], Any] | None
    name: str = ""
    tuning: float | None = None
    checked: bool = field(default=True, repr=False)

    def __post_init__(self) -> None:
        if self.func is None:
            return
        if not callable(self.func):
            raise TypeError(f"func must be callable; it is {self.func!r}")
        if not self.name:
            given = getattr(self.func, "__name__", type(self.func).__name__)
            object.__setattr__(self, "name", str(given))
        if self.tuning is not None and not 0 < real_number("tuning", self.tuning) < np.inf:
            raise ValueError(f"tuning must be positive and finite, or None; it is {self.tuning!r}")
        if self.checked:
            _check(self.func, self.name)

    def __call__(self, z: ArrayLike) -> Array:
        """Return rho, rho' and rho'' at z, (3, m); z: (m,) array_like, not negative."""
        points = np.atleast_1d(np.asarray(z, dtype=np.float64))
        if self.func is None:
            return evaluate(self.name, points)
        return called(self.func(points), points.size)

    def __repr__(self) -> str:
        return f"Loss({self.name!r})"


def compiled_loss(table: Any, name: str = "compiled", tuning: float | None = None) -> Loss:
    """Return a loss whose function is compiled code, checked as `Loss` is.

    Parameters
    ----------
    table : PyCapsule
        Of the name ``lmoo_loss``, pointing to an ``lmoo_loss`` of lmoo.h: a function that writes
        rho and its two derivatives.  It is called without the interpreter lock, and must exist as
        long as the capsule, which the loss keeps.
    name : str, default "compiled"
    tuning : float, optional
        As for `Loss`.

    Raises
    ------
    TypeError
        `table` is not such a capsule.
    ValueError
        The function is missing, or is not a loss; as for `Loss`.

    Examples
    --------
    A function that ctypes creates; one of a shared library is used in the same way:

    >>> import ctypes, numpy as np, lmoo
    >>> doubles = ctypes.POINTER(ctypes.c_double)
    >>> kind = ctypes.CFUNCTYPE(
    ...     ctypes.c_int, ctypes.c_ssize_t, doubles, doubles, ctypes.c_void_p)
    >>> @kind
    ... def geman_mcclure(m, z, rho, user_data):
    ...     for i in range(m):
    ...         w = 1.0 / (1.0 + z[i])
    ...         rho[i], rho[m + i], rho[2 * m + i] = z[i] * w, w**2, -2.0 * w**3
    ...     return 0
    >>> class Table(ctypes.Structure):
    ...     _fields_ = [("size", ctypes.c_size_t), ("user_data", ctypes.c_void_p), ("rho", kind)]
    >>> table = Table(ctypes.sizeof(Table), None, geman_mcclure)
    >>> make = ctypes.pythonapi.PyCapsule_New
    >>> make.restype = ctypes.py_object
    >>> make.argtypes = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p
    >>> label = b"lmoo_loss"  # a capsule keeps the pointer alone
    >>> capsule = make(ctypes.addressof(table), label, None)
    >>> loss = lmoo.losses.compiled_loss(capsule, "geman_mcclure")
    >>> loss([0.0, 1.0]).tolist()
    [[0.0, 0.5], [1.0, 0.25], [-2.0, -0.25]]
    """
    return Loss(CompiledRho(checked_capsule(table, "lmoo_loss")), name, tuning)


LOSSES = {name: Loss(None, name, tuning) for name, tuning in _TUNING.items()}


def _check(func: Callable[[Array], Any], name: str) -> None:
    """Raise TypeError or ValueError if a user's function is not a loss."""
    z = _TRIED.copy()
    rho, slope, second = called(func(z.copy()), z.size)
    about = f"loss {name!r}"
    if abs(rho[0]) > 1e-12:
        raise ValueError(f"{about} must have rho(0) = 0; it is {rho[0]:.6g}")
    if abs(slope[0] - 1.0) > 1e-9:
        raise ValueError(f"{about} must have rho'(0) = 1; it is {slope[0]:.6g}")
    h = 1e-4 * z[1:]
    above, below = called(func(z[1:] + h), h.size), called(func(z[1:] - h), h.size)
    for row, exact, what in ((0, slope[1:], "row 1"), (1, second[1:], "row 2")):
        found = (above[row] - below[row]) / (2.0 * h)
        # Tolerance: the rounding error of the values, plus a share of the derivative.
        error = 1e-12 * np.maximum(np.abs(above[row]), 1e-300) / h + 1e-4 * np.abs(exact)
        wrong = np.abs(found - exact) > error
        if np.count_nonzero(wrong) > _KINKS * wrong.size:
            k = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"{about} must return in {what} the derivative of row {row}; at z = {z[1 + k]:.3g} "
                f"it returned {exact[k]:.6g}, and differences give {found[k]:.6g}"
            )


def loss_of(value: Any) -> Loss:
    """Return a loss given by its name, as an object or as a callable; raise if it is invalid.

    Examples
    --------
    >>> from lmoo.losses.loss import loss_of
    >>> loss_of("huber")
    Loss('huber')
    """
    if isinstance(value, Loss):
        return value
    if isinstance(value, str):
        if value not in LOSSES:
            raise ValueError(
                f"loss must be one of {', '.join(map(repr, LOSSES))}, or a callable; it is "
                f"{value!r}"
            )
        return LOSSES[value]
    if not callable(value):
        raise TypeError(
            "loss must be a name, a Loss or a callable that returns rho and two derivatives; it is "
            f"{value!r}"
        )
    return Loss(value, tuning=getattr(value, "tuning", None))


def scale_of(loss: Loss, value: Any) -> float | str:
    """Return ``f_scale``: a positive number, or "mad" if the loss has a tuning constant."""
    if isinstance(value, str):
        if value != "mad":
            raise ValueError(f"f_scale must be a positive number or 'mad'; it is {value!r}")
        if loss.tuning is None and loss.name != "linear":
            raise ValueError(
                f"f_scale must be a number for the loss {loss.name!r}, or give the loss a tuning "
                "constant: lmoo.losses.Loss(func, tuning=...)"
            )
        return "mad"
    scale = real_number("f_scale", value)
    if not 0 < scale < np.inf:
        raise ValueError(f"f_scale must be positive and finite, or 'mad'; it is {value!r}")
    return float(scale)


def kernel_of(loss: Loss, scale: float | str, priors: int = 0) -> LossKernel | None:
    """Return the loss for one solve in its compiled form; None for least squares.

    priors: number of last rows that are priors, which the loss leaves as they are
    """
    if loss.func is None and loss.name == "linear":
        return None
    if scale == "mad":
        assert loss.tuning is not None
        return LossKernel(loss.name, 1.0, loss.tuning, loss.func, priors)
    return LossKernel(loss.name, float(scale), 0.0, loss.func, priors)
