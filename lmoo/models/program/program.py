"""The compiled evaluation of a model given as a graph."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lmoo._core.arrays import Array
from lmoo._core.graphs import ARITY, lower
from lmoo._core.models import SCIPY, CompiledTapes, use_scipy

Step = tuple[str, tuple[int, ...], float | int | None]

_OF_SCIPY = frozenset(SCIPY)


@lru_cache(maxsize=1)
def _load_scipy() -> None:
    """Let programs call functions of scipy.special, by their addresses for Cython."""
    from scipy.special import cython_special

    capsules: Any = cython_special.__pyx_capi__
    found = []
    for name in SCIPY:
        arguments = "double, " * ARITY[name] + "int __pyx_skip_dispatch"
        # Functions of several types have prefixes.
        each = [capsules.get(prefix + name) for prefix in ("", "__pyx_fuse_1", "__pyx_fuse_0")]
        known = [capsule for capsule in each if f'"double ({arguments})"' in repr(capsule)]
        if not known:
            raise NotImplementedError(f"scipy.special.cython_special has no function {name}")
        found.append((known[0], f"double ({arguments})".encode()))
    use_scipy(found)


class Program:
    """The compiled evaluation of a model of curves, y = f(t, x).

    Steps that depend only on parameters are evaluated once per call, the others for blocks of
    points with vector instructions.  The result at a point does not depend on the number of points
    or on other points; it does not depend on the processor's instruction set, except for functions
    that the C library evaluates.  `values`, `derivatives` and `both` agree to the last bit.
    Divisors that depend only on parameters, or that divide several values, are replaced by
    multiplications with their reciprocals, unless the graph has steps that jump (comparisons, floor
    and the like); results differ from numpy's by a few units in the last place.

    Parameters
    ----------
    steps : sequence of Step
        The graph of the values and of the derivatives.
    value : int
        The step that is the model's value.
    slopes : sequence of int, optional
        The steps that are the derivatives by each parameter.
    n : int
        Number of parameters.
    variables : int, default 1
        Number of independent variables.
    target : str, optional
        Instruction set: ``avx512``, ``avx2`` or ``plain``; by default the fastest available one.

    Attributes
    ----------
    n, variables : int
    capsule : PyCapsule
        A table ``lmoo_model`` of lmoo.h; its memory is valid as long as the capsule exists.

    Raises
    ------
    ValueError
        An unknown operation, or a graph that is too large for the work space (256 KiB).
    NotImplementedError
        A function of scipy.special that the installed version does not offer to C.

    Examples
    --------
    a exp(-b t):

    >>> import numpy as np
    >>> from lmoo.models.program import Program
    >>> steps = [("parameter", (), 0), ("parameter", (), 1), ("variable", (), 0),
    ...          ("multiply", (1, 2), None), ("negative", (3,), None), ("exp", (4,), None),
    ...          ("multiply", (0, 5), None)]
    >>> program = Program(steps, 6, n=2)
    >>> program.values(np.array([0.0, 1.0]), [2.0, 0.5]).round(6)
    array([2.      , 1.213061])
    """

    def __init__(
        self,
        steps: Sequence[Step],
        value: int,
        slopes: Sequence[int] | None = None,
        *,
        n: int,
        variables: int = 1,
        target: str | None = None,
    ) -> None:
        self.n, self.variables, self.target = int(n), int(variables), target
        self._graph = (steps, value, slopes)
        if self.n < 0 or self.variables < 1:
            raise ValueError(
                f"n must be at least 0 and variables at least 1; they are {n} and {variables}"
            )
        outputs = [[value]]
        if slopes is not None:
            if len(slopes) != self.n:
                raise ValueError(
                    f"slopes must have one step per parameter, {self.n}; it has {len(slopes)}"
                )
            outputs += [[*slopes], [value, *slopes]]
        if not _OF_SCIPY.isdisjoint(step[0] for step in steps):
            _load_scipy()
        values, *others = lower(steps, outputs, self.n, self.variables)
        derivatives, both = others or (None, None)
        self._tapes = CompiledTapes(self.n, self.variables, values, derivatives, both, target)

    @property
    def capsule(self) -> Any:
        """A PyCapsule named ``lmoo_model``."""
        return self._tapes.capsule

    def values(self, t: ArrayLike, x: ArrayLike) -> Array:
        """Return the model's values, (m,).

        Parameters
        ----------
        t : (m,) or (variables, m) array_like
        x : (n,) array_like
        """
        return np.asarray(self._tapes.evaluate("values", *self._arguments(t, x), 1)[0])

    def derivatives(self, t: ArrayLike, x: ArrayLike) -> Array:
        """Return the derivatives by the parameters, (m, n), in column-major order.

        Raises
        ------
        NotImplementedError
            The program was created without them.
        """
        if self._graph[2] is None:
            raise NotImplementedError("this program has no derivatives")
        return np.asarray(self._tapes.evaluate("derivatives", *self._arguments(t, x), self.n).T)

    def both(self, t: ArrayLike, x: ArrayLike) -> tuple[Array, Array]:
        """Return values, (m,), and derivatives, (m, n), which are computed together.

        Raises
        ------
        NotImplementedError
            The program was created without derivatives.
        """
        if self._graph[2] is None:
            raise NotImplementedError("this program has no derivatives")
        out = self._tapes.evaluate("both", *self._arguments(t, x), self.n + 1)
        return np.asarray(out[0]), np.asarray(out[1:].T)

    def _arguments(self, t: ArrayLike, x: ArrayLike) -> tuple[Array, Array]:
        points = np.ascontiguousarray(t, dtype=np.float64)
        points = points[None] if points.ndim == 1 else points
        if points.ndim != 2 or len(points) != self.variables:
            raise ValueError(f"t must have shape ({self.variables}, m); it has {np.shape(t)}")
        parameters = np.array(x, dtype=np.float64)
        if parameters.shape != (self.n,):
            raise ValueError(f"x must have shape ({self.n},); it has {parameters.shape}")
        return points, parameters

    def __reduce__(self) -> Any:
        # Tapes contain pointers, and they depend on the processor.
        return _restored, (*self._graph, self.n, self.variables, self.target)

    def __repr__(self) -> str:
        return f"<Program of {self.n} parameters and {self.variables} variables>"


def _restored(
    steps: Any, value: int, slopes: Any, n: int, variables: int, target: str | None
) -> Program:
    """Return a program from its pickle."""
    return Program(steps, value, slopes, n=n, variables=variables, target=target)
