"""Central differences by parameters, with steps that do not depend on units."""

from collections.abc import Callable

import numpy as np

from lmoo._core.arrays import Array

# The relative step of central differences for values that are accurate to eps.
STEP = float(np.cbrt(np.finfo(np.float64).eps))

# The least change of the values, relative to the largest of them, that a step must make.  It leaves
# seven digits of the derivative.
_CHANGE = 1e-4 * STEP
# Relative changes below this are rounding errors to a large part.
_ROUNDING = 2.0**-46
# By this an unresolved change stays below STEP.
_GROWTH = 2.0**24
# Where the search begins for a parameter that is 0, and where if that is too much.
_FIRST, _SMALLEST = 2.0**-64, 2.0**-1000
_LARGEST = 2.0**1000


class ParameterDifferences:
    """The derivatives of a model by its parameters, as central differences.

    The step of a parameter is cbrt(eps) times its size.  If it is 0, or so small that the step
    changes the values of the model by less than 6e-10 of the largest, the step grows until it does.
    If all values are 0, the largest of the data is taken.

    Parameters
    ----------
    values : callable
        ``values(x, points)`` returns the values of the model, (m,).
    y : (m,) array
        The data.

    Notes
    -----
    Steps depend on the values of the model and on the parameters alone.  If the units change by
    powers of two, the steps change with them, and the derivatives have the same digits.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.solver.parametersteps import ParameterDifferences
    >>> t = np.array([1e-9, 2e-9])
    >>> rows = ParameterDifferences(lambda x, t: 5.0 + x[0] * t, np.ones(2))(np.array([0.0]), t)
    >>> np.allclose(rows, t, rtol=1e-6)
    True
    """

    def __init__(self, values: Callable[[Array, Array], Array], y: Array) -> None:
        self._values, self._y = values, y
        # Steps that were found, by parameter; they are where the next search begins.
        self._found: dict[int, float] = {}
        # The largest steps that were tried of parameters without effect.
        self._without_effect: dict[int, float] = {}

    def __call__(self, x: Array, points: Array) -> list[Array]:
        """Return the derivatives, n arrays of shape (m,)."""
        size = _largest(self._values(x, points)) or _largest(self._y) or 1.0
        return [self._derivative(x, points, j, size) for j in range(x.size)]

    def _derivative(self, x: Array, points: Array, j: int, size: float) -> Array:
        h = STEP * abs(float(x[j]))
        if h > 0.0:
            change, width = self._difference(x, points, j, h)
            most = _largest(change)
            if not most < 2.0 * _CHANGE * size:
                return change / width
        h = self._step(x, points, j, h, size)
        if h == 0.0:
            return np.zeros(self._y.size)
        change, width = self._difference(x, points, j, h)
        return change / width

    def _difference(self, x: Array, points: Array, j: int, h: float) -> tuple[Array, float]:
        """Return ``f(x_j + h) - f(x_j - h)``, and the difference of the parameters."""
        up, down = x.copy(), x.copy()
        up[j], down[j] = x[j] + h, x[j] - h
        change = self._values(up, points) - self._values(down, points)
        return change, float(up[j] - down[j])

    def _step(self, x: Array, points: Array, j: int, least: float, size: float) -> float:
        """Return the smallest step, by a power of two, that changes the values enough.

        It is 0 if the values do not depend on the parameter.
        """

        def change(h: float) -> float:
            """Relative change of the values; nan where the model cannot be evaluated."""
            with np.errstate(all="ignore"):
                try:
                    return _largest(self._difference(x, points, j, h)[0]) / (2.0 * size)
                except (ArithmeticError, ValueError):
                    return float("nan")

        if j in self._without_effect and change(self._without_effect[j]) == 0.0:
            return 0.0
        h = least or self._found.get(j, _FIRST)
        found = change(h)
        if least == 0.0 and not found < STEP:
            h = _SMALLEST
            found = change(h)
        good = h
        while found < _CHANGE:
            # The values follow nearly linearly once their change is seen.
            h *= _GROWTH if found < _ROUNDING else 2.0 ** max(1, np.floor(np.log2(_CHANGE / found)))
            before, found = found, change(h)
            if h > _LARGEST or not np.isfinite(found):
                # The model ends here: what was evaluated last is all there is.
                if before == 0.0:
                    self._without_effect[j] = good
                    return 0.0
                return good
            good = h
        while h * 0.5 > least and change(h * 0.5) >= _CHANGE:
            h *= 0.5
        self._found[j] = h
        return h


def _largest(values: Array) -> float:
    """Return the largest magnitude; nan if a value is not finite."""
    most = float(np.abs(values).max(initial=0.0))
    return most if np.isfinite(most) else float("nan")
