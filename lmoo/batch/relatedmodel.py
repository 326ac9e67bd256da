"""Models of the coordinates of parameters that are tied, constrained, or have priors."""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.batch.chunk import Model
from lmoo.models.compiled import kept_model
from lmoo.models.library import CompiledModel
from lmoo.models.problem import is_compiled_model
from lmoo.models.relations.coordinates import Coordinates
from lmoo.models.relations.substitution import substituted


def model_of_coordinates(model: Any, graph: Any, coordinates: Coordinates) -> Any:
    """Return the model of the coordinates, with the values of the priors after its own.

    Parameters
    ----------
    model : Model or CompiledModel
        Of all parameters.
    graph : lmoo.models.Model or None
        Its graph, with which the result is compiled.
    coordinates : Coordinates
    """
    if graph is not None:
        return kept_model(substituted(graph, coordinates, bool(coordinates.priors)))
    return _RelatedModel(_as_model(model), coordinates)


def graph_model(model: Any) -> Any:
    """Return the graph of a compiled model; None if it has none."""
    if type(model).__call__ is not CompiledModel.__call__:
        return None
    return getattr(model, "model", None)


def _as_model(model: Any) -> Model:
    """Return a compiled model without a graph as one in Python."""
    if not is_compiled_model(model):
        return model  # type: ignore[no-any-return]
    return Model(model, model.jacobian if model.provides_jacobian else None, True)


class _RelatedModel(Model):
    """A Python model of the coordinates; it returns the values of the priors after its own.

    Parameters
    ----------
    model : Model
        Of all parameters.
    coordinates : Coordinates
    """

    def __init__(self, model: Model, coordinates: Coordinates) -> None:
        super().__init__(model.f, model.jac, model.vectorized)
        self.model, self.coordinates = model, coordinates

    def _cut(self, t: Any, m: int) -> tuple[Any, int]:
        """Return the variables without the points of the priors, and how many are left."""
        m -= len(self.coordinates.priors)
        return tuple(p[..., :m] for p in t) if isinstance(t, tuple) else t[..., :m], m

    def values(self, t: Any, x: Array, m: int) -> Array:
        """Return the values for k fits, (k, m)."""
        t, own = self._cut(t, m)
        z = x.T
        values = self.model.values(t, _columns(self.coordinates.x(z)), own)
        priors = self.coordinates.prior_values(z)
        return np.concatenate([values, priors.reshape(-1, len(x)).T], axis=1)

    def derivatives(self, t: Any, x: Array, m: int) -> Array:
        """Return the derivatives by the coordinates, (k, q, m)."""
        t, own = self._cut(t, m)
        z = x.T
        found = self.model.derivatives(t, _columns(self.coordinates.x(z)), own)
        chained = np.einsum("knm,knq->kqm", found, self.coordinates.slopes(z))
        priors = np.swapaxes(self.coordinates.prior_value_slopes(z), 1, 2)
        return np.concatenate([chained, priors], axis=2)


def _columns(x: Array) -> Array:
    """Return points as rows of a new array."""
    return np.ascontiguousarray(x.T)
