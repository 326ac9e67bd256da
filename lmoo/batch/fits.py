"""The results of many fits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo._core.kernels import enorm
from lmoo.batch.presentedfits import PresentedFits
from lmoo.batch.tasks import BatchData, ChunkResult, Task
from lmoo.errors import EvaluationError
from lmoo.losses.loss import kernel_of, loss_of
from lmoo.problems.arguments import real_array
from lmoo.problems.names import names_of
from lmoo.results.components import model_with_parts
from lmoo.results.pickles import frozen, thawed
from lmoo.results.related import Value
from lmoo.results.result import Result
from lmoo.results.robust import Robust
from lmoo.solver.iterationresult import reason
from lmoo.status import Status


@dataclass(frozen=True, eq=False, repr=False)
class Fits(PresentedFits):
    """Results of `curve_fit_many` and `solve_many`: arrays with one entry per fit.

    Attributes
    ----------
    shape : tuple of int
        Shape of the stack of curves or problems.
    x : shape + (n,) float64 array
        The parameters.
    stderr : shape + (n,) float64 array
        Standard errors of the parameters, scaled by the residual variance unless
        ``absolute_sigma`` is true; inf for parameters that the curve does not determine, nan for
        fits that have not converged.
    cost : float64 array
        ``1/2 sum(residual**2)``, or with a loss ``1/2 sum(C**2 rho((residual / C)**2))``.
    status : int64 array
        Values of `Status`.
    nfev, njev, nit : int64 array
        Evaluations of the model (those for numeric derivatives included), Jacobians, iterations.
    observations : int64 array
        Numbers of points that are not missing.
    covariance : shape + (n, n) float64 array
        Covariances, scaled as the standard errors are; inf and nan for parameters that the curve
        does not determine, nan for fits that have not converged.
    absolute_sigma : bool
        Whether the standard deviations of the data are known, and errors are not scaled.
    evaluation : str
        How the model was evaluated: "compiled", "compiled from <function>", or "called, because
        <reason>"; see `Result`.
    errors : dict
        The exceptions of curves with `Status.RAISED`, by index.

    Notes
    -----
    ``fits[i]``, with as many indices as the stack has dimensions, is the `Result` of one curve.
    The curve is solved again, with the same bits.  The result has its problem, so that profiles,
    predictions and plots are available.

    Fits can be pickled.  A function that cannot be, as a lambda, is left out.  Single results then
    have no problem; if the function was called (see `evaluation`), there are none.

    ``fits[name]`` has the values and the standard errors of a parameter, or of a derived quantity,
    as arrays of the shape of the stack.

    `to_dataframe` and `to_xarray` return the fits as tables, `plot_map` plots a parameter of all
    fits, and `plot` the data and the fit of one.

    Examples
    --------
    >>> import numpy as np, lmoo
    >>> t = np.arange(6.0)
    >>> y = np.array([[1.0], [2.0]]) * t + 0.01 * np.cos(3 * t)
    >>> fits = lmoo.curve_fit_many(lambda t, slope: slope * t, t, y, p0=[0.5])
    >>> fits.x.round(2).ravel(), fits[1].success
    (array([1., 2.]), True)
    >>> fits["slope"].value.round(2)
    array([1., 2.])
    """

    shape: tuple[int, ...]
    x: Array
    stderr: Array
    cost: Array
    status: NDArray[np.int64]
    nfev: NDArray[np.int64]
    njev: NDArray[np.int64]
    nit: NDArray[np.int64]
    observations: NDArray[np.int64]
    covariance: Array | None
    errors: dict[Any, Exception]
    _batch: BatchData

    @classmethod
    def _empty(cls, batch: BatchData, out: Mapping[str, Any] | None) -> Self:
        shape, n = batch.dataset.shape, batch.guesses.n
        given = dict(out or {})
        arrays: dict[str, Any] = {}
        for name, extra in _EXTRA.items():
            wanted = shape + (n,) * extra
            array = given.pop(name, _MISSING)
            if array is _MISSING:
                kind = np.int64 if name in _INTEGERS else np.float64
                array = np.zeros(wanted, dtype=kind)
            elif array is None and name == "covariance":
                pass
            elif getattr(array, "shape", None) != wanted:
                raise ValueError(
                    f"out[{name!r}] must be an array of shape {wanted}; it is {array!r}"
                )
            arrays[name] = array
        if given:
            raise ValueError(
                f"out must have names of {', '.join(_EXTRA)} only; it has {', '.join(given)}"
            )
        return cls(shape=shape, errors={}, _batch=batch, **arrays)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state to pickle, with texts of exceptions that cannot be pickled."""
        errors = {
            index: error if thawed(frozen(error)) is not None else EvaluationError(repr(error))
            for index, error in self.errors.items()
        }
        return {**vars(self), "errors": errors}

    def __copy__(self) -> Self:
        return replace(self)

    def _tasks(self, threads: int) -> Iterator[Task]:
        for fits in self._batch.chunks(threads):
            yield self._batch.task(fits, self.covariance is not None)

    def _store(self, fits: slice, result: ChunkResult) -> None:
        """Write the results of a chunk."""
        dataset = self._batch.dataset
        for row, error in sorted(result.errors.items()):
            index = dataset.index(fits.start + row)
            if not self._batch.record:
                raise EvaluationError(f"f raised {error!r} for curve {index}") from error
            self.errors[index] = error
        for name, values in {**result.rows, "observations": result.observations}.items():
            write(getattr(self, name), len(self.shape), fits, values)

    def _named(self, name: str) -> Value:
        """Return values and standard errors of a parameter; KeyError if there is none."""
        names = self.parameter_names
        if name not in names:
            raise KeyError(f"{name!r} is none of {', '.join(names)}")
        j = names.index(name)
        return Value(self.x[..., j], self.stderr[..., j])

    def _points(self) -> Array:
        """Return the parameters as (count, n)."""
        return np.asarray(self.x).reshape(-1, self._batch.guesses.n)

    @property
    def absolute_sigma(self) -> bool:
        """Whether errors are not scaled by the residual, as given to `curve_fit_many`."""
        return self._batch.absolute_sigma

    @property
    def evaluation(self) -> str:
        """Text about the evaluation of the model, as ``Result.evaluation``."""
        return self._batch.evaluation

    def components(self, t: Any = None) -> dict[str, Array]:
        """Return the curves of the parts of a model that is a sum of models.

        Parameters
        ----------
        t : (k,) array_like, optional
            The independent variable, or a tuple of several, for all curves.  None: that of the
            data.

        Returns
        -------
        dict of str to array of shape shape + (k,)
            As `Result.components`; nan for curves that were not solved.

        Raises
        ------
        TypeError
            The model is a function, which does not know its parts.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> model = lmoo.Expression("a*exp(-t)", prefix="x_") + lmoo.Expression("b*t")
        >>> t = np.arange(4.0)
        >>> y = [[2.0], [3.0]] * np.exp(-t) + t
        >>> fits = lmoo.curve_fit_many(model, t, y, [1.0, 1.0])
        >>> fits.components()["b*t"].round(6)
        array([[0., 1., 2., 3.],
               [0., 1., 2., 3.]])
        """
        batch = self._batch
        f = getattr(batch.source, "f", batch.source)
        model = model_with_parts(f)
        if model is None:
            raise TypeError(
                "components needs a model that knows its parts: one of lmoo.models, an "
                f"lmoo.Expression, or a sum of these; the model of these fits is {f!r}"
            )
        where = batch.dataset.t if t is None else t if isinstance(t, tuple) else (t,)
        points = tuple(real_array("t", part) for part in where)
        found = model.evaluate_components(
            points if len(model.variables) > 1 else points[0], *self._points().T[:, :, None]
        )
        return {name: part.reshape(*self.shape, part.shape[-1]) for name, part in found.items()}

    def __len__(self) -> int:
        return self.shape[0]

    def _number(self, index: Any) -> int:
        """Return the number of the fit with this index; IndexError if there is none."""
        where = index if isinstance(index, tuple) else (index,)
        if len(where) != len(self.shape):
            raise IndexError(
                f"index must have one number for each of the {len(self.shape)} dimensions of the "
                f"stack; it is {index!r}"
            )
        return int(np.ravel_multi_index(_positive(where, self.shape), self.shape))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            return self._named(index)
        which = self._number(index)
        batch = self._batch
        task = batch.task(slice(which, which + 1), factor=True)
        task.record = True
        result = task()
        row = {name: values[0] for name, values in result.rows.items()}
        status = Status(int(row["status"]))
        names = names_of(batch.names, batch.guesses.n)
        robust = _robust(task, result, row["x"])
        problem = batch.dataset.problem(batch.source, which)
        residual = np.empty(0)
        if not np.isnan(row["cost"]):
            source = task if batch.function is None else problem
            try:
                residual = source.residual(row["x"])
            except Exception:
                # The model may raise again where it has raised.
                if not result.errors:
                    raise
        return Result(
            x=row["x"],
            cost=float(row["cost"]),
            residual=residual,
            observations=int(result.observations[0]),
            status=status,
            message=reason(status, names, result.limits.get("active_mask")),
            nfev=int(row["nfev"]),
            njev=int(row["njev"]),
            nit=int(row["nit"]),
            parameter_names=names,
            # The cost may over- or underflow.
            fnorm=enorm(residual)
            if robust is None and residual.size
            else float(np.sqrt(2.0 * row["cost"])),
            factor=result.factor
            if robust is None or result.factor is None
            else robust.reduced(result.factor, int(result.observations[0])),
            robust=robust,
            problem=problem,
            evaluation=batch.evaluation,
            solver=batch.solver,
            x0=task.x0[0].copy(),
            absolute_sigma=batch.absolute_sigma,
            _subject=() if batch.subject is None else (batch.subject,),
            **result.limits,
        )  # fmt: skip


def _robust(task: Task, result: ChunkResult, x: Array) -> Robust | None:
    """Return the field `robust` of the result of the only fit of a task."""
    if result.scale is None or result.errors or not result.rows["njev"][0]:
        return None
    residual = task.residual(x)
    loss = loss_of(task.solver.loss)
    kernel = kernel_of(loss, result.scale)
    assert kernel is not None
    return Robust(loss.name, result.scale, kernel.weights(residual), kernel.sums(residual))


# The results, with the number of dimensions of size n that follow the shape of the stack.
_EXTRA = {
    "x": 1, "stderr": 1, "cost": 0, "status": 0, "nfev": 0, "njev": 0, "nit": 0, "observations": 0,
    "covariance": 2,
}  # fmt: skip
_INTEGERS = ("status", "nfev", "njev", "nit", "observations")
_MISSING = object()


def _positive(where: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return indices counted from the start; IndexError if one is out of range."""
    for i, size in zip(where, shape, strict=True):
        if isinstance(i, bool) or not isinstance(i, (int, np.integer)) or not -size <= i < size:
            raise IndexError(f"index must be integers within {shape}; it is {where}")
    return tuple(int(i) % size for i, size in zip(where, shape, strict=True))


def write(array: Any, dimensions: int, fits: slice, values: NDArray[Any]) -> None:
    """Write rows into an array whose leading dimensions are those of the stack."""
    if dimensions == 1:
        array[fits] = values
        return
    if isinstance(array, np.ndarray) and array.flags.c_contiguous:
        array.reshape(-1, *array.shape[dimensions:])[fits] = values
        return
    where = np.unravel_index(np.arange(fits.start, fits.stop), array.shape[:dimensions])
    for row, index in enumerate(zip(*where, strict=True)):
        array[index] = values[row]
