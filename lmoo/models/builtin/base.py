"""Built-in models: a formula, quantities derived from its parameters, and starting values."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from lmoo._core.arrays import Array
from lmoo._core.models import TABLE_OF
from lmoo.models.builtin.features import Features, without_gaps
from lmoo.models.builtin.measures import project
from lmoo.models.compiled import program_of
from lmoo.models.expression.base import Model, operated
from lmoo.models.expression.graphs import graph_of
from lmoo.models.graph.operators import Operators
from lmoo.models.library import CompiledModel
from lmoo.problems.arguments import real_array
from lmoo.problems.data import without_masked

__all__ = ["BuiltIn", "Candidate"]

Candidate = dict[str, Any]


class BuiltIn(Operators[Model], CompiledModel):
    """A built-in compiled model with its expression graph.

    ``+ - * / **`` with models and numbers return a `lmoo.models.Model`.

    Subclasses set ``formula`` and ``parameter_names``, and override ``candidates`` if a parameter
    is not linear.

    Parameters
    ----------
    prefix : str, default ""
        Prefix of the names of the parameters; without a final "_", it is the model's label in a sum
        of models.

    Attributes
    ----------
    model : Model
        The graph.
    formula : str
        The model as text, with the names of the parameters without a prefix.
    derived : dict of str to str
        Formulas of quantities derived from the parameters; see `derive`.
    """

    formula: ClassVar[str] = ""
    variables_of_formula: ClassVar[tuple[str, ...]] = ("t",)
    names: ClassVar[tuple[str, ...]] = ()
    derived: ClassVar[dict[str, str]] = {}
    # Name of a handwritten implementation in lmoo._core.models, if there is one.
    by_hand: ClassVar[str | None] = None

    def __init_subclass__(cls) -> None:
        if "names" in vars(cls) and "parameter_names" not in vars(cls):
            cls.parameter_names = cls.names

    def __init__(self, *, prefix: str = "") -> None:
        self._setup(self.formula, self.names, prefix, {}, self.by_hand)

    def _setup(
        self,
        formula: str,
        names: Sequence[str],
        prefix: str,
        options: dict[str, Any],
        by_hand: str | None = None,
    ) -> None:
        """Create the graph and the compiled table."""
        self._plain_names, self._options, self.prefix = tuple(names), options, prefix
        steps, _ = graph_of(formula, self.variables_of_formula, names)
        # A subclass may rename the parameters.
        own = type(self).parameter_names
        shown = names if own is None or own == self.names else tuple(own)
        if len(shown) != len(names):
            raise ValueError(
                f"parameter_names must have one entry per parameter, {len(names)}; it is {shown!r}"
            )
        plain = Model(steps, self.variables_of_formula, shown, type(self).__name__)
        self.model = plain.prefixed(prefix) if prefix else plain
        table = program_of(plain).capsule if by_hand is None else TABLE_OF[by_hand]
        super().__init__(table, self.model.parameter_names)

    @property
    def text(self) -> str:
        """The formula, with the names of the parameters."""
        return self.model.text

    def latex(self) -> str:
        """Return the formula as LaTeX."""
        return self.model.latex()

    @property
    def linear(self) -> tuple[str, ...]:
        """Parameters that the model is linear in, jointly."""
        return self.model.linear

    # ---- starting values ----

    def candidates(self, data: Features) -> Iterable[Candidate]:
        """Return candidates for the starting values of the parameters that are not linear.

        Parameters
        ----------
        data : Features
            The data of k curves.

        Returns
        -------
        iterable of dict
            For each parameter, by its name without prefix, one number or k numbers.
        """
        return ({},)

    # Number of calls of `closer`.
    stages: int = 0

    def closer(self, data: Features, best: Candidate, stage: int) -> Iterable[Candidate]:
        """Return more candidates, close to the best one so far.

        Parameters
        ----------
        data : Features
        best : dict
            All parameters, with k values each.
        stage : int
            Number of the call, from 0.
        """
        return ()

    def guess(self, t: Any, y: ArrayLike) -> Array:
        """Return starting values for one curve, (n,), or for several, (k, n).

        The linear parameters are solved for with each of the candidates for the others; the
        candidate that fits best is returned.

        Parameters
        ----------
        t : (m,) or (k, m) array_like, or a tuple of them
        y : (m,) or (k, m) array_like
            Masked points of a single curve are left out.

        Raises
        ------
        ValueError
            An array has another shape.
        """
        if np.ndim(y) == 1:
            t, y, _ = without_masked(t, y, None)
        values = real_array("y", y)
        parts = [real_array("t", part) for part in (t if isinstance(t, tuple) else (t,))]
        if len(parts) != self.variables:
            raise ValueError(
                f"t must be {self.variables} arrays for {type(self).__name__}; it has {len(parts)}"
            )
        if values.ndim not in (1, 2) or values.size == 0:
            raise ValueError(f"y must have shape (m,) or (k, m), m > 0; it has {values.shape}")
        for part in parts:
            if part.shape not in (values.shape[-1:], values.shape):
                raise ValueError(
                    f"t must have shape {values.shape[-1:]} or {values.shape}, that of y; it has "
                    f"{part.shape}"
                )
        rows = without_gaps(values if values.ndim == 2 else values[None])
        points = tuple(parts) if len(parts) > 1 else parts[0]
        found = self._scaled_guess(points, rows) if self._scales else self._guess(points, rows)
        return found if values.ndim == 2 else np.array(found[0])

    @cached_property
    def _scales(self) -> bool:
        """Whether the values are a multiple of the linear parameters, together."""
        x = np.ones((1, self.n))
        x[:, self._linear_places] = 0.0
        points = np.ones((1, self.variables, 1))
        return bool(self._linear_places) and not self._finite(points, x).any()

    def _scaled_guess(self, t: Any, y: Array) -> Array:
        """Return starting values by `_guess`, for curves whose squares may overflow."""
        # A power of two, so that nothing is rounded.
        _, exponents = np.frexp(np.abs(y).max(axis=1, keepdims=True))
        found = self._guess(t, np.ldexp(y, -exponents))
        found[:, self._linear_places] = np.ldexp(found[:, self._linear_places], exponents)
        return found

    def _guess(self, t: Any, y: Array) -> Array:
        """Return starting values for some curves, (k, n)."""
        data = Features(t if isinstance(t, tuple) else (t,), y)
        best, found = np.full(len(y), np.inf), np.ones((len(y), self.n))

        def take(candidates: Iterable[Candidate]) -> None:
            for candidate in candidates:
                x, misfit = self._fitted(data, candidate)
                better = misfit < best
                best[better], found[better] = misfit[better], x[better]

        take(self.candidates(data))
        for stage in range(self.stages):
            columns = np.array(found.T)
            take(self.closer(data, dict(zip(self._plain_names, columns, strict=True)), stage))
        return found

    @cached_property
    def _linear_places(self) -> list[int]:
        return [self.model.parameter_names.index(name) for name in self.linear]

    def _fitted(self, data: Features, candidate: Candidate) -> tuple[Array, Array]:
        """Return a candidate with the linear parameters that fit best, (k, n), and its misfit."""
        count = len(data.y)
        x = np.zeros((count, self.n))
        for name, value in candidate.items():
            x[:, self._plain_names.index(name)] = value
        without = self._finite(data.points, x)
        rest = data.y - without
        columns = []
        for place in self._linear_places:
            one = x.copy()
            one[:, place] = 1.0
            columns.append(self._finite(data.points, one) - without)
        if columns:
            factors = project(columns, rest)
            x[:, self._linear_places] = factors
            for factor, column in zip(factors.T, columns, strict=True):
                rest -= factor[:, None] * column
        misfit = np.einsum("km,km->k", rest, rest)
        return x, np.where(np.isfinite(misfit), misfit, np.inf)

    def _finite(self, points: Array, x: Array) -> Array:
        """Return the values, 0 where they are not finite."""
        found, _ = self._model.evaluate(points, x, False)
        return np.nan_to_num(found, posinf=0.0, neginf=0.0)

    # ---- derived quantities ----

    def derive(
        self, parameters: ArrayLike, covariance: ArrayLike | None = None
    ) -> dict[str, float] | dict[str, tuple[float, float]]:
        """Return the quantities of ``derived`` for some values of the parameters.

        Parameters
        ----------
        parameters : (n,) array_like
        covariance : (n, n) array_like, optional
            Covariance of the parameters.

        Returns
        -------
        dict of str to float
            With a covariance, pairs of value and standard error, by linear propagation.

        Raises
        ------
        ValueError
            An array has another shape.
        """
        x = real_array("parameters", parameters)
        if x.shape != (self.n,):
            raise ValueError(f"parameters must have shape ({self.n},); it has {x.shape}")
        values: dict[str, float] = {}
        pairs: dict[str, tuple[float, float]] = {}
        for name, text in self.derived.items():
            steps, _ = graph_of(text, ("t",), self._plain_names)
            quantity = Model(steps, ("t",), self._plain_names)
            values[name] = float(quantity([0.0], *x)[0])
            if covariance is not None:
                matrix = real_array("covariance", covariance)
                if matrix.shape != (self.n, self.n):
                    raise ValueError(
                        f"covariance must have shape ({self.n}, {self.n}); it has {matrix.shape}"
                    )
                slope = quantity.jacobian([0.0], *x)[0]
                pairs[name] = values[name], float(np.sqrt(slope @ matrix @ slope))
        return values if covariance is None else pairs

    # ---- arithmetic ----

    __array_ufunc__ = None

    def _operate(self, operation: str, *operands: Any) -> Model:
        return operated(operation, *operands)

    def __pos__(self) -> Model:
        return self.model

    def substitute(
        self, replacements: "Mapping[str, float | str | Model] | None" = None, /, **others: Any
    ) -> Model:
        """Return the graph with some of its parameters replaced; see `Model.substitute`.

        Examples
        --------
        >>> import lmoo
        >>> lmoo.models.Gaussian(prefix="g_").substitute(g_offset=0.0).parameter_names
        ('g_amplitude', 'g_center', 'g_sigma')
        """
        return self.model.substitute(replacements, **others)

    def prefixed(self, prefix: str) -> Model:
        """Return the graph with a prefix to the name of each parameter; see `Model.prefixed`."""
        return self.model.prefixed(prefix)

    @property
    def components(self) -> dict[str, Model]:
        """The graph by its label; see `Model.components`."""
        return self.model.components

    def evaluate_components(self, t: Any, *parameters: ArrayLike) -> dict[str, Array]:
        """Return the values by the label of the model; see `Model.evaluate_components`."""
        return {self.model.label: self(t, *parameters)}

    # ---- identity ----

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self.model)

    @property
    def _identity(self) -> tuple[Any, ...]:
        return self.model, self.prefix, self._options

    def __repr__(self) -> str:
        options = dict(self._options)
        if self.prefix:
            options["prefix"] = self.prefix
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in options.items())})"

    def __reduce__(self) -> Any:
        # The table is a pointer, which is invalid in another process.
        prefix = {"prefix": self.prefix} if self.prefix else {}
        return _restored, (type(self), {**self._options, **prefix})


def _restored(kind: type[BuiltIn], options: dict[str, Any]) -> BuiltIn:
    """Return a model from its pickle."""
    return kind(**options)
