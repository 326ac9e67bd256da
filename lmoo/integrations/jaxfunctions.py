"""Functions written in JAX and their derivatives in double precision, compiled."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array

_HINT = (
    "make it with numpy, or call jax.config.update('jax_enable_x64', True) before it is made; "
    "by default JAX makes arrays of single precision, about 7 digits"
)


class DoubleFunction:
    """A function of a vector, its values and its derivatives by the vector.

    Calls set ``jax_enable_x64`` for their thread and their duration only.

    Parameters
    ----------
    name : str
        Name of the function, for messages.
    function : callable
        ``function(x, *args)`` returns an array, (m,).
    real : bool, default False
        Whether complex values are refused.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from lmoo.integrations.jaxfunctions import DoubleFunction
    >>> cube = DoubleFunction("f", lambda x: x**3)
    >>> cube.at([2.0], (), False), cube.at([2.0], (), True)
    (array([8.]), array([[12.]]))
    """

    def __init__(self, name: str, function: Callable[..., Any], real: bool = False) -> None:
        self._name, self._function, self._real = name, function, real
        self._compiled: dict[Any, Any] = {}
        self._checked = False

    def at(self, x: Any, args: tuple[Any, ...], slopes: bool) -> NDArray[Any]:
        """Return the value, (m,), or with `slopes` the derivatives, (m, n)."""
        x = np.asarray(x, dtype=np.float64)
        self._check(x, args)
        with _double():
            return np.asarray(self._call(slopes, None)(x, *args))

    def at_rows(
        self, x: Array, args: tuple[Any, ...], slopes: bool, mapped: tuple[Any, ...]
    ) -> NDArray[Any]:
        """Return the values for the rows of x, (r, n), or the derivatives, (r, m, n).

        Parameters
        ----------
        x : (r, n) float64 array
        args : tuple
            Arguments of the function.
        slopes : bool
        mapped : tuple of bool or tuples of bool
            Which of the arguments, or of the entries of an argument that is a tuple, have a row
            for each row of x; others are common to all.

        Notes
        -----
        Rows are added up to a power of two, as each number of rows is compiled anew.
        """
        r = len(x)
        pairs = list(zip(args, mapped, strict=True))
        self._check(x[0], tuple(_first(arg, rows) for arg, rows in pairs))
        wanted = 1 << (r - 1).bit_length()
        padded = [_padded(arg, rows, wanted) for arg, rows in pairs]
        with _double():
            return np.asarray(self._call(slopes, mapped)(_padded(x, True, wanted), *padded))[:r]

    def _call(self, slopes: bool, mapped: Any) -> Any:
        """Return the compiled function; `mapped` is None for a single vector."""
        key = slopes, mapped
        if key not in self._compiled:
            function = jax.jacfwd(self._function) if slopes else self._function
            if mapped is not None:
                axes = jax.tree_util.tree_map(lambda rows: 0 if rows else None, mapped)
                function = jax.vmap(function, in_axes=(0, *axes))
            self._compiled[key] = jax.jit(function)
        return self._compiled[key]

    def _check(self, x: Array, args: tuple[Any, ...]) -> None:
        """Check at the first call that the function computes real numbers in double precision."""
        if self._checked:
            return
        with _double():
            traced = jax.make_jaxpr(self._function)(x, *args)
        refuse_single(f"{self._name} uses", traced.consts)
        (out, *_) = traced.out_avals
        if self._real and np.issubdtype(out.dtype, np.complexfloating):
            raise TypeError(
                f"{self._name} must return real numbers; it returned {out.dtype}: return the real "
                "and the imaginary parts"
            )
        if _is_single(out.dtype):
            raise TypeError(
                f"{self._name} must return double precision; it returned {out.dtype}: it converts "
                "a value to single precision"
            )
        self._checked = True


def _double() -> Any:
    """Return the context in which JAX computes in double precision."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    # Older versions of JAX.
    from jax.experimental import enable_x64

    return enable_x64(True)


def _is_single(dtype: Any) -> bool:
    return bool(jax.numpy.issubdtype(dtype, jax.numpy.inexact)) and jax.numpy.finfo(dtype).bits < 64


def _padded(arg: Any, rows: Any, count: int) -> Any:
    """Return an argument with repetitions of its last row, if it has rows."""
    if isinstance(rows, tuple):
        return tuple(_padded(part, one, count) for part, one in zip(arg, rows, strict=True))
    if not rows:
        return arg
    array = np.asarray(arg)
    return np.concatenate([array, np.repeat(array[-1:], count - len(array), axis=0)])


def _first(arg: Any, rows: Any) -> Any:
    """Return the first row of an argument, or the argument if it has no rows."""
    if isinstance(rows, tuple):
        return tuple(_first(part, one) for part, one in zip(arg, rows, strict=True))
    return np.asarray(arg)[0] if rows else arg


def refuse_single(what: str, values: Any) -> None:
    """Raise ValueError for arrays that JAX has rounded, because ``jax_enable_x64`` is off.

    Parameters
    ----------
    what : str
        What they are, for the message.
    values : pytree

    Notes
    -----
    Where it is set, such arrays were requested explicitly, and are accepted.
    """
    if jax.config.jax_enable_x64:
        return
    for leaf in jax.tree_util.tree_leaves(values):
        if isinstance(leaf, jax.Array) and _is_single(leaf.dtype):
            raise ValueError(
                f"{what} an array of JAX in single precision, {leaf.dtype} of shape {leaf.shape}: "
                f"{_HINT}"
            )


def without_compiled(problem: Any) -> dict[str, Any]:
    """Return the attributes for a pickle: compiled code is not stored."""
    return {name: value for name, value in vars(problem).items() if name != "_function"}
