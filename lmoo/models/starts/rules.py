"""Rules by which parameters are drawn: their magnitudes follow from their places in the model.

No magnitude is absolute.  Terms of a sum have a common order of magnitude, and the argument of a
function has one that the function determines; these give the magnitude of the parameter in the
units of the data.  In ``exp(-(x-m)/w)``, m is among the values of x, and w is such that the
argument changes by about 1 between the first row and the last, or between two neighbours, or over
a distance between these.

On the path from a parameter p to the root of the expression each value is ``A + B p^e``, where A
and B depend on the data and on other parameters, up to the first function of another form.  That
function decides which values of ``A + B p^e`` are of interest.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.expression.tree import Node
from lmoo.models.starts.features import Features
from lmoo.models.starts.form import Coefficients, PowerForm, coefficients
from lmoo.models.starts.inverse import inverse, required_value
from lmoo.models.starts.phase import Phase
from lmoo.models.starts.values import NodeValues


@dataclass(frozen=True)
class Context:
    """The data of a draw and the coefficients of the value ``A + B p^e``.

    Attributes
    ----------
    data : Features
    values : NodeValues
    offset, factor, exponent : number or (k, m) float64 array
        A, B and e; nan for an unknown A.
    """

    data: Features
    values: NodeValues
    offset: Any
    factor: Any
    exponent: Any


@dataclass(eq=False)
class Rule(ABC):
    """The rule by which one parameter is drawn; each kind of rule is a subclass.

    Attributes
    ----------
    parameter : int
        Its index.
    leaf : Node
        The node that is the parameter.
    form : PowerForm
        The value that decides on the magnitude.  It starts at `leaf`, or at a value that depends on
        the parameter and on no variable.
    needs : int
        Parameters whose values must be known, as bits.
    compared : bool
        Whether the value is compared with another one, so that the difference of both counts.
    known : int
        Parameters whose values are known when this one is drawn, as bits; set by `plan`.
    phase : Phase or None
        Set by `plan` if the parameter is the phase of a periodic function.
    rank : int
        The number of earlier rules of the same kind; set by `plan`.
    """

    parameter: int
    leaf: Node
    form: PowerForm
    needs: int
    compared: bool = False
    known: int = 0
    phase: Phase | None = None
    rank: int = 0

    # The kind of rule that determines the parameter best has the smallest number.
    priority: ClassVar[int]
    # Whether the parameter is drawn from a list of candidates, as locations of peaks.
    has_candidates: ClassVar[bool] = False

    def draw(
        self, u: Array, ranked: Any, data: Features, values: NodeValues
    ) -> tuple[Array, Array]:
        """Return values of the parameter.

        Parameters
        ----------
        u : (k, 1) float64 array, in (0, 1)
        ranked : (k, 1) bool array
            The draws in which the first parameter of a kind has the first candidate, the second
            parameter the second candidate, and so on.
        data : Features
        values : NodeValues

        Returns
        -------
        values : (k, 1) float64 array
            Not finite where no value of the parameter satisfies the rule.
        choices : (k, 1) int array
            The index of the candidate; -1 for a value that is not from a list.
        """
        with np.errstate(all="ignore"):
            context = Context(data, values, *self._coefficients(values))
            if self.has_candidates:
                # A negative u stands for a ranked draw: `split_unit` then returns the first part,
                # that of the candidates, and `_candidate_index` the rank.
                u = np.where(ranked, -u, u)
            found, choices = self._draw(u, context)
            found = self._parameter_value(found, values)
        drawn = np.broadcast_to(np.asarray(found, dtype=np.float64), u.shape).copy()
        return drawn, np.broadcast_to(choices, u.shape)

    @abstractmethod
    def _draw(self, u: Array, context: Context) -> tuple[Any, Any]:
        """Return values of `form.leaf`, and the indices of candidates or -1."""

    def _parameter_value(self, found: Any, values: NodeValues) -> Any:
        """Return the parameter for which `form.leaf`, a function of it, has some values."""
        path = list(self.leaf.path())
        inner = path[: path.index(self.form.leaf) + 1][::-1]
        for parent, node in pairwise(inner):
            found = inverse(parent.function, node.side, found, node.others(), values)
            if found is None:
                return np.nan
        return found

    def _coefficients(self, values: NodeValues) -> Coefficients:
        """Return A, B and e, with A as far as it is known."""

        def is_known(node: Node) -> bool:
            return not node.parameters & ~self.known

        def term(node: Node) -> Any:
            return values(node) if is_known(node) else self._unknown_term(node)

        def factor_of(node: Node) -> Any:
            value = values(node)
            if is_known(node):
                return value
            # Unknown parameters are 0 here: (x - m) becomes x.
            return value if np.any(value) and np.isfinite(value).any() else 1.0

        found = coefficients(self.form, term, factor_of)
        if not self.compared:
            return found
        (other,) = self.form.top.others()
        return found._replace(offset=found.offset - (values(other) if is_known(other) else np.nan))

    def _unknown_term(self, node: Node) -> float:
        """Return the value that stands for a term that is not known."""
        return np.nan

    def _candidate_index(self, u: Array, share: Array, count: int) -> Any:
        """Return the index of the candidate: the rule's rank where u is negative."""
        return np.where(
            u < 0.0, self.rank % count, np.minimum((share * count).astype(int), count - 1)
        )

    def _required(self, context: Context) -> Any:
        """Return the value of `form.top` for which the model has the values of the data."""
        return required_value(self.form.top, context.data, context.values, self.known)
