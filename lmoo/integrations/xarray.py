"""`curvefit` of xarray, with one call of `curve_fit_many` for all curves of a block."""

import inspect
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from lmoo._core.arrays import Array
from lmoo.integrations.curvestack import CurveStack, fit_stack
from lmoo.models.expression.formula import formula

__all__ = ["curvefit"]


def curvefit(
    obj: Any,
    coords: Any,
    func: str | Callable[..., Any],
    reduce_dims: Any = None,
    skipna: bool = True,
    p0: Mapping[str, Any] | None = None,
    bounds: Mapping[str, tuple[Any, Any]] | None = None,
    param_names: Sequence[str] | None = None,
    errors: str = "raise",
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Fit a function to each curve of a Dataset or a DataArray.

    The arguments and the result are those of the method ``curvefit`` of xarray's objects.  All
    curves of a block are fitted by one call of `curve_fit_many`: by compiled code if `func` can be
    traced, and otherwise with one call of `func` for all curves, if it broadcasts.  Dask arrays are
    fitted chunk by chunk when the result is computed.

    Parameters
    ----------
    obj : xarray.Dataset or xarray.DataArray
        The data.
    coords : str, xarray.DataArray, or sequence of them
        The independent variables.
    func : str or callable
        ``func(x, *parameters)``, or ``func((x0, x1), *parameters)`` for several coordinates; or the
        text of a model, as for `lmoo.fit`.
    reduce_dims : str or iterable of str, optional
        Further dimensions whose points belong to the same curve.
    skipna : bool, default True
        Leave missing points out; False makes them an error.
    p0 : mapping, optional
        Starting values by parameter, numbers or arrays over the remaining dimensions.  Default: the
        defaults of `func`, or 1, moved into the bounds.
    bounds : mapping, optional
        (lower, upper) by parameter, numbers or arrays over the remaining dimensions.
    param_names : sequence of str, optional
        Names of the parameters; None takes them from the signature of `func`.
    errors : {"raise", "ignore"}
        What to do if a fit fails: raise RuntimeError, or set its results to NaN.
    kwargs : mapping, optional
        Options of `lmoo.curve_fit`.

    Returns
    -------
    xarray.Dataset
        ``[var_]curvefit_coefficients``, with the dimension ``param``, and
        ``[var_]curvefit_covariance``, with the dimensions ``cov_i`` and ``cov_j``.

    Raises
    ------
    ValueError
        There is no dimension to fit along; starting values or bounds vary along a curve, or have
        a name that is not a parameter's; the names of the parameters cannot be found; `errors` is
        invalid; NaN with ``skipna=False``.
    RuntimeError
        A fit found no minimum, with ``errors="raise"``.
    TypeError
        A curve has fewer points than parameters, with ``errors="raise"``.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from lmoo.integrations.xarray import curvefit
    >>> time = xr.DataArray(np.arange(10.0), dims="time", coords={"time": np.arange(10.0)})
    >>> rate = xr.DataArray([0.5, 0.25], dims="pixel")
    >>> found = curvefit(3 * np.exp(-rate * time), "time", lambda t, a, b: a * np.exp(-b * t))
    >>> found.curvefit_coefficients.sel(param="b").round(6).values
    array([0.5 , 0.25])
    """
    if errors not in ("raise", "ignore"):
        raise ValueError(f'errors must be either "raise" or "ignore"; it is {errors!r}')
    axes = _coordinates(obj, coords)
    reduced = _reduced(obj, axes, reduce_dims)
    kept = [dim for dim in obj.dims if dim not in reduced]
    if isinstance(func, str):
        func = formula(func, len(axes))
    names, signature = _parameters(func, param_names)
    _check_names(names, {"p0": p0 or {}, "bounds": bounds or {}})
    _check_dims(p0 or {}, bounds or {}, kept)
    starts = _starts(names, signature, p0 or {}, bounds or {})
    axes = [axis.broadcast_like(obj, exclude=kept) for axis in xr.broadcast(*axes)]
    block = _Block(func, len(axes), len(reduced), tuple(names), skipna, errors, dict(kwargs or {}))
    edges = [(bounds or {}).get(name, (-np.inf, np.inf)) for name in names]
    arguments = [*axes, *starts, *(low for low, _ in edges), *(high for _, high in edges)]
    found = {}
    for prefix, data in _arrays(obj):
        popt, pcov = _apply(block, data, arguments, reduced)
        found[f"{prefix}curvefit_coefficients"] = popt
        found[f"{prefix}curvefit_covariance"] = pcov
    attrs = {} if isinstance(obj, xr.DataArray) else obj.attrs
    return xr.Dataset(found, {"param": names, "cov_i": names, "cov_j": names}, attrs)


def _arrays(obj: Any) -> list[tuple[str, Any]]:
    """Return prefixes of the results and the arrays to fit."""
    if isinstance(obj, xr.DataArray):
        return [("", obj)]
    return [(f"{name}_", data) for name, data in obj.data_vars.items()]


def _coordinates(obj: Any, coords: Any) -> list[Any]:
    if isinstance(coords, (str, xr.DataArray)) or not isinstance(coords, Iterable):
        coords = [coords]
    return [coord if isinstance(coord, xr.DataArray) else obj[coord] for coord in coords]


def _reduced(obj: Any, axes: Sequence[Any], reduce_dims: Any) -> list[Hashable]:
    """Return the dimensions of a curve: those of `reduce_dims` and those that are coordinates."""
    if not reduce_dims:
        found: list[Hashable] = []
    elif isinstance(reduce_dims, str) or not isinstance(reduce_dims, Iterable):
        found = [reduce_dims]
    else:
        found = list(reduce_dims)
    for axis in axes:
        found += [dim for dim in obj.dims if axis.equals(obj[dim])]
    if not found:
        raise ValueError(
            "No arguments to `coords` were identified as a dimension on the calling object, and no "
            "dims were supplied to `reduce_dims`. This would result in fitting on scalar data."
        )
    return list(dict.fromkeys(found))


def _parameters(
    func: Callable[..., Any], param_names: Sequence[str] | None
) -> tuple[list[str], Mapping[str, inspect.Parameter]]:
    """Return the names of the parameters, and the signature as far as it is known."""
    try:
        signature: Mapping[str, inspect.Parameter] = inspect.signature(func).parameters
    except ValueError as error:
        if not param_names:
            raise ValueError(
                "Unable to inspect `func` signature, and `param_names` was not provided."
            ) from error
        return list(param_names), {}
    if param_names:
        return list(param_names), signature
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    if any(parameter.kind in several for parameter in signature.values()):
        raise ValueError(
            "`param_names` must be provided because `func` takes variable length arguments."
        )
    return list(signature)[1:], signature


def _check_names(names: Sequence[str], given: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise ValueError for a name that is none of the parameters."""
    for argument, values in given.items():
        for name in values:
            if name not in names:
                raise ValueError(
                    f"`{argument}` has {name!r}, which is not a parameter of `func`; its "
                    f"parameters are {', '.join(names)}"
                )


def _check_dims(
    p0: Mapping[str, Any], bounds: Mapping[str, tuple[Any, Any]], kept: Sequence[Hashable]
) -> None:
    """Raise ValueError if starting values or bounds vary along a curve."""
    given = [(f"Initial guess for '{name}'", value) for name, value in p0.items()]
    for name, (low, high) in bounds.items():
        given += [(f"Lower bound for '{name}'", low), (f"Upper bound for '{name}'", high)]
    for what, value in given:
        extra = set(value.dims) - set(kept) if isinstance(value, xr.DataArray) else set()
        if extra:
            raise ValueError(
                f"{what} has unexpected dimensions {tuple(extra)}. It should only have dimensions "
                f"that are in data dimensions {list(kept)}."
            )


def _starts(
    names: Sequence[str],
    signature: Mapping[str, inspect.Parameter],
    p0: Mapping[str, Any],
    bounds: Mapping[str, tuple[Any, Any]],
) -> list[Any]:
    """Return the starting values: given, the default of the function, or 1, within the bounds."""
    out = []
    for name in names:
        default: Any = 1.0
        if name in signature and signature[name].default is not inspect.Parameter.empty:
            default = signature[name].default
        if name in p0:
            default = p0[name]
        elif name in bounds:
            default = xr.apply_ufunc(_inside, default, *bounds[name], dask="allowed")
        out.append(default)
    return out


def _inside(start: Any, low: Any, high: Any) -> Any:
    """Return starting values within their bounds.

    A value outside becomes the middle of its bounds; if only one bound is finite, the value at a
    distance of 1 from it.
    """
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    with np.errstate(invalid="ignore"):
        middle = 0.5 * (low + high)
    single = np.where(np.isfinite(low), low + 1.0, high - 1.0)
    other = np.where(np.isfinite(low) & np.isfinite(high), middle, single)
    return np.where((start < low) | (start > high), other, start)


def _apply(
    block: "_Block", data: Any, arguments: Sequence[Any], reduced: Sequence[Hashable]
) -> tuple[Any, Any]:
    n = len(block.names)
    core: list[Sequence[Hashable]] = [reduced] * (1 + block.variables) + [[]] * (3 * n)
    popt, pcov = xr.apply_ufunc(
        block,
        data,
        *arguments,
        dask="parallelized",
        input_core_dims=core,
        output_core_dims=[["param"], ["cov_i", "cov_j"]],
        dask_gufunc_kwargs={"output_sizes": {"param": n, "cov_i": n, "cov_j": n}},
        output_dtypes=(np.float64, np.float64),
        exclude_dims=set(reduced),
    )
    return popt, pcov


@dataclass(frozen=True)
class _Block:
    """The fits of a block of curves; it can be sent to other processes."""

    func: Callable[..., Any]
    variables: int
    reduced: int
    names: tuple[str, ...]
    skipna: bool
    errors: str
    options: dict[str, Any]

    def __call__(self, data: Any, *arguments: Any) -> tuple[Array, Array]:
        """Return parameters, shape + (n,), and covariances, shape + (n, n)."""
        n = len(self.names)
        shape = data.shape[: data.ndim - self.reduced]
        y = np.asarray(data, dtype=np.float64).reshape((*shape, -1))
        axes = [self._axis(axis, shape) for axis in arguments[: self.variables]]
        numbers = [np.broadcast_to(value, shape) for value in arguments[self.variables :]]
        columns = np.stack(np.broadcast_arrays(*numbers), axis=-1).astype(np.float64)
        p0, lower, upper = (columns[..., k * n : (k + 1) * n] for k in range(3))
        stack = CurveStack(self.func, axes, y, p0, lower, upper, self.names)
        return fit_stack(stack, self.skipna, self.errors == "raise", self.options)

    def _axis(self, axis: Any, shape: tuple[int, ...]) -> Array:
        """Return a coordinate, (m,) if it is common to all curves and else shape + (m,)."""
        lead = axis.shape[: axis.ndim - self.reduced]
        flat = np.array(axis, dtype=np.float64).reshape((*lead, -1))
        if all(size == 1 for size in lead):
            return flat.reshape(-1)
        return np.broadcast_to(flat, (*shape, flat.shape[-1]))
