"""Parameters as a pytree of JAX, and as a vector."""

import math
from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike

from lmoo._core.arrays import Array
from lmoo.problems.names import printable


class ParameterTree:
    """The form of a pytree of real numbers and arrays.

    Parameters
    ----------
    params : pytree

    Attributes
    ----------
    names : tuple of str
        The path of each number, joined by underscores, so that expressions can use it.
    start : (n,) float64 array
        The numbers.

    Raises
    ------
    TypeError
        An entry is not a real number or an array of them.
    ValueError
        There are no entries, or two have the same name.

    Examples
    --------
    >>> from lmoo.integrations.jaxtrees import ParameterTree
    >>> tree = ParameterTree({"peak": {"height": 1.0, "at": 2.0}, "offsets": [3.0, 4.0]})
    >>> tree.names
    ('offsets_0', 'offsets_1', 'peak_at', 'peak_height')
    >>> tree.start
    array([3., 4., 2., 1.])
    """

    def __init__(self, params: Any) -> None:
        found, self._form = jax.tree_util.tree_flatten_with_path(params)
        leaves = [_real(path, leaf) for path, leaf in found]
        if not leaves:
            raise ValueError(f"params must have an entry for each parameter; it is {params!r}")
        self._shapes = [leaf.shape for leaf in leaves]
        self.start: Array = np.concatenate([leaf.ravel() for leaf in leaves])
        names = [
            "_".join([*map(_key, path), *map(str, index)])
            for (path, _), leaf in zip(found, leaves, strict=True)
            for index in np.ndindex(leaf.shape)
        ]
        # A single number has no path.
        self.names = printable(name or "x" for name in names)
        twice = next((name for k, name in enumerate(self.names) if name in self.names[:k]), None)
        if twice is not None:
            raise ValueError(
                f"params must have entries with different names; {twice!r} is there twice"
            )

    def unflattened(self, x: Any) -> Any:
        """Return the pytree of the numbers in x, (n,), an array of numpy or JAX."""
        leaves, begin = [], 0
        for shape in self._shapes:
            end = begin + math.prod(shape)
            leaves.append(x[begin:end].reshape(shape))
            begin = end
        return jax.tree_util.tree_unflatten(self._form, leaves)


class TreeParameters:
    """Base class of problems whose parameters may be a pytree."""

    _tree: ParameterTree | None

    @property
    def start(self) -> Array:
        """The parameters of the pytree that was given as a vector, (n,): the starting point."""
        return self._with_tree().start.copy()

    def params(self, x: ArrayLike) -> Any:
        """Return the parameters of a vector, ``result.x`` for example, as a pytree of arrays."""
        return self._with_tree().unflattened(np.asarray(x, dtype=np.float64))

    def _with_tree(self) -> ParameterTree:
        if self._tree is None:
            raise ValueError("params must be given to have parameters as a pytree; it is None")
        return self._tree


def _real(path: Any, leaf: Any) -> Array:
    array = np.asarray(leaf)
    if array.dtype.kind not in "biuf":
        where = jax.tree_util.keystr(path)
        raise TypeError(f"params{where} must be real numbers; it is {leaf!r}")
    return array.astype(np.float64)


def _key(entry: Any) -> str:
    """Return a step of a path: the key of a dict, the name of an attribute, or an index."""
    for attribute in ("key", "name", "idx"):
        if hasattr(entry, attribute):
            return str(getattr(entry, attribute))
    return str(entry)
