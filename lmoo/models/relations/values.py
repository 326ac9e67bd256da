"""The parameters of a problem, and the values that have priors, as functions of coordinates."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.graph.nodes import Graph
from lmoo.models.relations.functions import Functions
from lmoo.problems.parameters import Prior


class ParameterValues:
    """Parameters x and priors as functions of coordinates z, with their derivatives.

    Attributes
    ----------
    names : tuple of str
        Of the n parameters.
    labels : tuple of str
        Of the q coordinates.
    priors : mapping of str to Prior
    graph : Graph
    functions : Functions
        The parameters.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    priors: Mapping[str, Prior]

    def _set_functions(self, graph: Graph, nodes: Mapping[str, int], q: int) -> None:
        """Set the functions; nodes: those of the names of parameters and of priors."""
        self.graph, self._nodes = graph, nodes
        self.functions = Functions(graph, [nodes[name] for name in self.names], q)
        self.prior_functions = Functions(graph, [nodes[name] for name in self.priors], q)
        self._means = np.array([prior.mean for prior in self.priors.values()])
        self._sigmas = np.array([prior.sigma for prior in self.priors.values()])

    def x(self, z: Any) -> Array:
        """Return all parameters, (n,), for coordinates (q,), or (n, k) for (q, k)."""
        # With a coordinate, as a function may be constant.
        return np.array(np.broadcast_arrays(*self.functions(z), z[0])[:-1])

    def slopes(self, z: Array) -> Array:
        """Return the derivatives of all parameters by the coordinates, (n, q)."""
        return self.functions.jacobian(z)

    def prior_rows(self, z: Any) -> Array:
        """Return ``(value - mean) / sigma`` of each prior, (k,), or (k, ...) for arrays."""
        values = self.prior_functions(z)
        if not values:
            return np.empty(0)
        rows = [(v - m) / s for v, m, s in zip(values, self._means, self._sigmas, strict=True)]
        return np.array(np.broadcast_arrays(*rows, z[0])[:-1])

    def prior_values(self, z: Any) -> Array:
        """Return the values that have priors, (k,), or (k, ...) for arrays."""
        values = self.prior_functions(z)
        return np.array(np.broadcast_arrays(*values, *z[:1])[:-1]) if values else np.empty(0)

    def prior_value_slopes(self, z: Any) -> Array:
        """Return the derivatives of `prior_values`, (..., k, q)."""
        return self.prior_functions.jacobian(z)

    def prior_slopes(self, z: Any) -> Array:
        """Return the derivatives of `prior_rows`, (..., k, q)."""
        return np.asarray(self.prior_functions.jacobian(z) / self._sigmas[:, None])

    def node(self, name: str) -> int:
        """Return the node of a parameter or a derived quantity in `graph`."""
        return self._nodes[name]
