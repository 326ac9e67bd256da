"""Joint fits of a stack whose curves are evaluated and eliminated on an executor or a Dask cluster.

The curves are cut into pieces of successive ones.  A task returns the residual of a piece, or its
part of the arrow factor: what is left of each curve when its own parameters are eliminated, and one
triangle for the shared parameters.  So the messages for a Jacobian are as long as the parameters,
not as the data.  On a Dask cluster the pieces stay on their workers; if a worker dies, Dask makes
them again on another one.
"""

import sys
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.arrow import ArrowLinear, CurveGroups, RemoteGroups
from lmoo.batch.chunk import Chunk

# Curves of a piece.  It does not depend on the number of workers, and nor does the result.
PIECE = 2048


class Piece(NamedTuple):
    """Successive curves, with all that a worker needs to evaluate them.

    model : CompiledModel
    t : (1 or k, variables, m) array
    y : (k, m) array
    weights : (1 or k, m) array or None
    where : (n,) intp array, as `lmoo.batch.shared.shared_parameters` returns it
    shared : int
    """

    model: Any
    t: Array
    y: Array
    weights: Array | None
    where: NDArray[np.intp]
    shared: int

    @property
    def own(self) -> int:
        """The number of own parameters of all its curves."""
        return len(self.y) * (self.where.size - self.shared)

    def groups(self) -> tuple[CurveGroups, ArrowLinear]:
        """Return the curves as groups of an arrow model."""
        each = self.where.size - self.shared
        arrow = ArrowLinear(self.shared, np.full(len(self.y), each))
        groups = CurveGroups(
            self.model._model, self.t, self.y, self.weights, self.shared, self.where, arrow.parts
        )
        groups.attach(arrow)
        return groups, arrow


def residual_of_piece(piece: Piece, x: Array) -> Array | None:
    """Return the residual of the curves, one after the other; None at a bad point."""
    return piece.groups()[0].rows_at(x)


def factor_of_piece(piece: Piece, x: Array, f: Array | None, root: Array | None) -> Any:
    """Return the arrays of `CurveGroups.factor_at`; f: None for the residual at x."""
    groups, _ = piece.groups()
    f = groups.rows_at(x) if f is None else f
    return None if f is None else groups.factor_at(x, f, root)


class Passes:
    """Passes over all pieces, as `RemoteGroups` calls them."""

    def __init__(self, pieces: list[Piece], executor: Any) -> None:
        self.pieces, self.client = pieces, _client_of(executor)
        self.executor = executor
        ends = np.cumsum([piece.own for piece in pieces]) + pieces[0].shared
        self._places = list(zip([pieces[0].shared, *ends[:-1]], ends, strict=True))
        rows = np.cumsum([piece.y.size for piece in pieces])
        self._rows = [slice(a, b) for a, b in zip([0, *rows[:-1]], rows, strict=True)]
        self._kept: list[Any] | None = None

    def residual(self, x: Array) -> Array | None:
        """Return the residual of all curves; None at a bad point."""
        found = self._run(residual_of_piece, [(part,) for part in self._parts(x)])
        return None if found is None else np.concatenate(found)

    def linearize(self, x: Array, f: Array | None, root: Array | None) -> list[Any] | None:
        """Return the factors of all pieces; None at a bad point."""
        arguments = [
            (part, None, None) if f is None or root is None else (part, f[rows], root[rows])
            for part, rows in zip(self._parts(x), self._rows, strict=True)
        ]
        return self._run(factor_of_piece, arguments)

    def _parts(self, x: Array) -> list[Array]:
        """Return the parameters of each piece: the shared ones, and those of its curves."""
        common = x[: self.pieces[0].shared]
        return [np.concatenate([common, x[begin:end]]) for begin, end in self._places]

    def _run(self, function: Callable[..., Any], arguments: list[Any]) -> list[Any] | None:
        """Return the values of a function of each piece; None if one of them is None."""
        futures: list[Any] = []
        try:
            for k, given in enumerate(arguments):
                futures.append(self._submitted(function, k, given))
            found = [
                self._result(future, function, k, given)
                for k, (future, given) in enumerate(zip(futures, arguments, strict=True))
            ]
        except BaseException:
            for future in futures:
                if future is not None:
                    future.cancel()
            raise
        return None if any(value is None for value in found) else found

    def _submitted(self, function: Callable[..., Any], k: int, given: Any) -> Any:
        """Return the future of a task; None if the workers of the executor have died."""
        if self.client is not None:
            if self._kept is None:
                # Scattered data are lost with their worker; a submitted call is repeated.
                self._kept = [self.client.submit(_same, piece, pure=False) for piece in self.pieces]
            return self.client.submit(function, self._kept[k], *given, pure=False)
        try:
            return self.executor.submit(function, self.pieces[k], *given)
        except BrokenExecutor:
            return None

    def _result(self, future: "Future[Any] | None", function: Any, k: int, given: Any) -> Any:
        """Return the result of a task, which is run here if its worker has died."""
        if future is not None:
            try:
                return future.result()
            except BrokenExecutor:
                pass
        return function(self.pieces[k], *given)


def _same(piece: Piece) -> Piece:
    return piece


def _client_of(executor: Any) -> Any:
    """Return the client of a Dask executor, or the client itself; None for other executors."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    if isinstance(executor, distributed.Client):
        return executor
    module = sys.modules.get("distributed.cfexecutor")
    is_dask = module is not None and isinstance(executor, module.ClientExecutor)
    return executor._client if is_dask else None


def checked_executor(executor: Any) -> None:
    """Raise TypeError if it is no executor, and no Dask client."""
    if not isinstance(executor, Executor) and _client_of(executor) is None:
        raise TypeError(
            "executor must be a concurrent.futures.Executor, a Dask client or None; it is "
            f"{executor!r}"
        )


def remote_groups(
    chunk: Chunk, t: Array, weights: Array | None, where: NDArray[np.intp], shared: int,
    executor: Any,
) -> RemoteGroups:  # fmt: skip
    """Return the groups of a compiled model that are evaluated on an executor.

    Parameters
    ----------
    chunk : Chunk
        All curves, with a compiled model.
    t : (1 or count, variables, m) array
    weights : (1 or count, m) array or None
    where, shared
        As for `Piece`.
    executor : concurrent.futures.Executor or distributed.Client
    """
    count = len(chunk.y)
    pieces = [
        Piece(
            chunk.model,
            t if len(t) == 1 else t[some],
            chunk.y[some],
            weights if weights is None or len(weights) == 1 else weights[some],
            where,
            shared,
        )
        for some in (slice(k, min(k + PIECE, count)) for k in range(0, count, PIECE))
    ]
    own = np.full(count, where.size - shared, dtype=np.intp)
    known = None
    if weights is not None and len(weights) == count:
        known = np.ascontiguousarray(weights.reshape(-1))
    return RemoteGroups(Passes(pieces, executor), shared, own, chunk.y.size, known)
