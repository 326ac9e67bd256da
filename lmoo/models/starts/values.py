"""Values of the nodes of an expression for several draws of its parameters."""

from typing import Any

from lmoo.models.expression.tree import ExpressionTree, Node
from lmoo.models.starts.features import Features


class NodeValues:
    """Values of the nodes of an expression for several draws of its parameters.

    Parameters
    ----------
    tree : ExpressionTree
    data : Features
        The rows at which nodes are evaluated.
    all_rows : Features
        All rows of the data.
    points : list of (k, 1) float64 array
        For each parameter its value in each draw.
    """

    def __init__(
        self, tree: ExpressionTree, data: Features, all_rows: Features, points: list[Any]
    ) -> None:
        self._tree, self.data, self.all_rows, self.points = tree, data, all_rows, points

    def __call__(self, node: Node) -> Any:
        """Return the value of a node: (k, m), or an array that broadcasts to it."""
        return self._tree.value(node, list(self.data.t), self.points)

    def first(self, count: int) -> "NodeValues":
        """Return the values for the first draws."""
        points = [point[:count] for point in self.points]
        return NodeValues(self._tree, self.data, self.all_rows, points)

    def first_draw(self, node: Node) -> Any:
        """Return the value of a node in the first draw at all rows, (m,) or a number."""
        first = [point[0, 0] for point in self.points]
        return self._tree.value(node, list(self.all_rows.t), first)
