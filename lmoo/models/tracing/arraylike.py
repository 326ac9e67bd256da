"""Conversions, attributes and methods that placeholders have as numbers and arrays of numpy."""

from typing import Any

import numpy as np

from lmoo.models.graph.operations import OPERATIONS
from lmoo.models.tracing.arithmetic import Arithmetic
from lmoo.models.tracing.purity import OF_POINTS, OF_ROWS, REDUCTIONS

_FLOAT, _BOOL, _COMPLEX = np.dtype(np.float64), np.dtype(np.bool_), np.dtype(np.complex128)

_BRANCH = (
    "a branch depends on a value that is unknown before the fit; write np.where(condition, a, b)"
)


class ArrayLike(Arithmetic):
    """Base of `Placeholder`, with the attributes that are described there."""

    __slots__ = ()
    node: Any
    imaginary: int | None
    mask: int | None
    points: bool
    truth: bool

    def _like(self, **changes: Any) -> Any:
        """Return a copy with other attributes."""
        raise NotImplementedError

    def _numbers(self) -> Any:
        """Return the numbers of an array that depends on the points alone; None for others."""
        raise NotImplementedError

    def _rows(self) -> Any:
        """Return the array of the values at each point; None if they cannot be known."""
        raise NotImplementedError

    def __array__(self, dtype: Any = None, **options: Any) -> Any:
        raise NotImplementedError

    # ---- operations that need a value ------------------------------------------------------------

    def __bool__(self) -> bool:
        if self.points or self.imaginary is not None:
            self.recorder.refuse(_BRANCH)
        number = self.recorder.graph.number(self.node)
        return self.recorder.decide(self.node, _BRANCH) if number is None else number != 0.0

    def __float__(self) -> float:
        self.recorder.converts = True
        self.recorder.refuse(
            "a number is made (float(x), math.exp(x), dtype=float) from a value that is unknown "
            "before the fit; numpy's functions of x can be traced"
        )

    def __int__(self) -> int:
        self.recorder.refuse("an integer is made from a value that is unknown before the fit")

    __index__ = __int__

    def __complex__(self) -> complex:
        self.recorder.refuse(
            "complex(x) makes a number from a value that is unknown before the fit"
        )

    def __len__(self) -> int:
        if not self.points:
            raise TypeError("object of unknown size has no len()")
        return self._count()

    def __iter__(self) -> Any:
        recorder = self.recorder
        if self.points and recorder.copies and self.mask is None:
            recorder.each = True
            return iter([self._like(points=False)] * recorder.copies)
        recorder.iterated |= self.points
        numbers = self._numbers() if self.points else None
        if numbers is None and self.points:
            numbers = self._rows()
        if numbers is not None:
            return iter(numbers)
        self.recorder.refuse("a loop over the points of an array cannot be traced")

    def _count(self) -> int:
        recorder = self.recorder
        if recorder.points is None:
            recorder.refuse("the number of points is unknown before the fit")
        recorder.asked = True
        if self.mask is None:
            return recorder.points
        chosen = recorder.chosen(self.mask)
        if chosen is None:
            recorder.refuse("the number of points that a condition selects is unknown")
        return int(chosen.sum())

    # ---- attributes and methods of arrays --------------------------------------------------------

    @property
    def dtype(self) -> Any:
        """The type of the array; object for a number."""
        if not self.points:
            return np.dtype(object)
        return _BOOL if self.truth else _FLOAT if self.imaginary is None else _COMPLEX

    @property
    def ndim(self) -> int:
        """1 for an array, 0 for a number."""
        return int(self.points)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array, if it is known."""
        return (self._count(),) if self.points else ()

    @property
    def size(self) -> int:
        """The number of points, if it is known."""
        return self._count() if self.points else 1

    @property
    def T(self) -> Any:  # noqa: N802
        """The placeholder itself: arrays have one dimension."""
        return self

    @property
    def real(self) -> Any:
        """The real part."""
        return self._like(imag=None)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        zero = self.recorder.graph.constant(0.0)
        node = zero if self.imaginary is None else self.imaginary
        return self._like(node=node, imag=None)

    def conj(self) -> Any:
        """Return the complex conjugate."""
        return self._operate("conjugate", self)

    conjugate = conj

    def copy(self) -> Any:
        """Return a copy."""
        return self._like()

    def astype(self, kind: Any, **options: Any) -> Any:
        """Return the numbers as float64 or complex ones."""
        if np.dtype(kind) not in (_FLOAT, _COMPLEX):
            self.recorder.refuse(f"astype({kind!r}) changes the numbers; float64 does not")
        return self._like(truth=False)

    def ravel(self, *args: Any) -> Any:
        """Return the placeholder itself: arrays have one dimension."""
        return self

    flatten = squeeze = ravel

    def reshape(self, *shape: Any, **options: Any) -> Any:
        """Return the values with further axes; -1 stands for the points."""
        lengths = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        if not self.points or options or -1 not in lengths or set(lengths) > {-1, 1}:
            self.recorder.refuse("an array of points is given another shape")
        return self if lengths == (-1,) else self.__array__().reshape(lengths)

    def clip(self, least: Any = None, greatest: Any = None, **bounds: Any) -> Any:
        """Return the values, limited to an interval."""
        clip = self.recorder.functions[np.clip]
        return clip(self.recorder, self, bounds.get("min", least), bounds.get("max", greatest))

    def item(self) -> Any:
        """Return the number."""
        if self.points:
            self.recorder.refuse("item() makes a number of an array")
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        # numpy calls functions of arrays of objects as methods: np.exp(x) is x.exp().
        if name in OPERATIONS and OPERATIONS[name].arity == 1:
            return lambda: self._operate(name, self)
        if name in REDUCTIONS or name in OF_ROWS:
            numbers = self._numbers() if name in OF_POINTS else None
            if numbers is not None:
                return getattr(numbers, name)
            rows = self._rows() if name in OF_ROWS else None
            if rows is not None:
                return lambda *args, **options: number_of(getattr(rows, name)(*args, **options))
            self.recorder.refuse(
                f".{name}() combines points, or changes their order; a model must be evaluated "
                "point by point"
            )
        self.recorder.refuse(f"the attribute {name!r} of an array cannot be traced")


def number_of(value: Any) -> Any:
    """Return a number that is computed from the values at all points.

    Its derivatives are those of a number, not of each point: forward accumulation is used below a
    choice of two values.
    """
    if not isinstance(value, ArrayLike) or value.imaginary is not None:
        return value
    graph = value.recorder.graph
    if graph.number(value.node) is not None:
        return value
    least = graph.constant(-np.inf)
    return value._like(node=graph.apply("maximum", value.node, least), truth=value.truth)
