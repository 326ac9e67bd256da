"""The checks of the arguments of `least_squares`."""

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmoo._core.arrays import Array
from lmoo.jacobians.grouped import GroupedDifference
from lmoo.jacobians.numeric import CentralDifference, ForwardDifference
from lmoo.jacobians.strategies import Jacobian
from lmoo.losses.loss import LOSSES, Loss
from lmoo.problems.arguments import described, real_array, real_number
from lmoo.problems.names import in_order_of
from lmoo.scipy_api.differences import Evaluation, PlainDifference
from lmoo.scipy_api.optimize_result import OptimizeResult
from lmoo.sparse.matrices import is_sparse
from lmoo.sparse.pattern import Pattern

_EPS = 2.0**-52
# Smallest tolerances for which forward differences are accurate enough.
_COARSE = 1e-8
_SCHEMES = ("2-point", "3-point", "cs")


def check_choices(
    jac: Any, method: Any, tr_solver: Any, loss: Any, verbose: Any, max_nfev: Any
) -> None:
    """Raise ValueError unless the arguments with a few values have one of them."""
    if method not in ("trf", "dogbox", "lm"):
        raise ValueError(f"`method` must be 'trf', 'dogbox' or 'lm'; it is {method!r}")
    if not callable(jac) and jac not in _SCHEMES:
        raise ValueError(f"`jac` must be '2-point', '3-point', 'cs' or callable; it is {jac!r}")
    if tr_solver not in (None, "exact", "lsmr"):
        raise ValueError(f"`tr_solver` must be None, 'exact' or 'lsmr'; it is {tr_solver!r}")
    if not callable(loss) and (not isinstance(loss, str) or loss not in LOSSES):
        raise ValueError(f"`loss` must be one of {', '.join(LOSSES)} or callable; it is {loss!r}")
    if method == "lm" and loss != "linear":
        raise ValueError(f"method='lm' supports only the loss 'linear'; it is {loss!r}")
    if verbose not in (0, 1, 2):
        raise ValueError(f"`verbose` must be 0, 1 or 2; it is {verbose!r}")
    if max_nfev is not None and not real_number("`max_nfev`", max_nfev) > 0:
        raise ValueError(f"`max_nfev` must be None or a positive integer; it is {max_nfev!r}")


def _floats(name: str, value: Any) -> Array:
    """Return value as a new float64 array, as numpy converts it: scipy's class of error."""
    try:
        return np.array(value).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} must be real numbers; it is {described(value)}") from error


def starting_vector(x0: Any) -> Array:
    """Return x0 as a new float64 vector, finite."""
    if isinstance(x0, Mapping):
        raise TypeError(
            f"`x0` must be numbers; it is a {type(x0).__name__}: give list(x0.values()), or "
            "pandas.Series(x0), whose names `bounds` and `x_scale` may have too"
        )
    if np.iscomplexobj(x0):
        raise ValueError(f"`x0` must be real; it is {x0!r}")
    x = np.atleast_1d(_floats("`x0`", x0))
    if x.ndim > 1:
        raise ValueError(f"`x0` must have at most 1 dimension; its shape is {x.shape}")
    if x.size == 0:
        raise ValueError("`x0` must have at least one entry; it is empty")
    if not np.isfinite(x).all():
        raise ValueError(f"`x0` must be finite; it is {x}")
    return x


def checked_bounds(bounds: Any, x: Array, x0: Any, method: str) -> tuple[Array, Array]:
    """Return the lower and the upper bounds, (n,) each; x: x0 as an array."""
    pair = (bounds.lb, bounds.ub) if hasattr(bounds, "lb") and hasattr(bounds, "ub") else bounds
    if isinstance(pair, Mapping):
        raise TypeError(
            f"`bounds` must be a pair (lower, upper); it is a {type(pair).__name__}: parameters "
            "have names in lmoo.curve_fit and lmoo.fit"
        )
    if not hasattr(pair, "__len__"):
        raise TypeError(
            f"`bounds` must be a pair (lower, upper), or have lb and ub; it is {bounds!r}"
        )
    if len(pair) != 2:
        raise ValueError(f"`bounds` must contain 2 elements; it has {len(pair)}")
    ordered = (in_order_of(x0, "`bounds`", part) for part in pair)
    lower, upper = (_floats("`bounds`", part) for part in ordered)
    lower, upper = (
        np.full(x.shape, b) if b.size == 1 and b.ndim < 2 else b for b in (lower, upper)
    )
    if lower.shape != x.shape or upper.shape != x.shape:
        raise ValueError(
            f"`bounds` must have the shape of `x0`, {x.shape}; they have {lower.shape} and "
            f"{upper.shape}"
        )
    if method == "lm" and not ((lower == -np.inf) & (upper == np.inf)).all():
        raise ValueError("method='lm' does not support bounds; use 'trf' or 'dogbox'")
    if not (lower < upper).all():
        raise ValueError("each lower bound must be less than its upper bound")
    if not ((lower <= x) & (x <= upper)).all():
        raise ValueError(f"`x0` is outside of `bounds`: {x}")
    return lower, upper


def scale_factors(x_scale: Any, x: Array, x0: Any) -> Array | None:
    """Return the scale factors D; None if they are derived from the columns of the Jacobian."""
    x_scale = in_order_of(x0, "`x_scale`", x_scale)
    if x_scale is None or (isinstance(x_scale, str) and x_scale == "jac"):
        return None
    try:
        sizes = np.asarray(x_scale, dtype=np.float64)
        good = bool(np.isfinite(sizes).all() and (sizes > 0).all())
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(f"`x_scale` must be 'jac' or positive numbers; it is {x_scale!r}")
    if sizes.ndim and sizes.shape != x.shape:
        raise ValueError(f"`x_scale` must have the shape of `x0`, {x.shape}; it has {sizes.shape}")
    return np.broadcast_to(1.0 / sizes, x.shape)


def checked_tolerances(ftol: Any, xtol: Any, gtol: Any, method: str) -> dict[str, float]:
    """Return ftol, xtol and gtol by name, 0 for None; warn of those below machine epsilon."""
    found = {}
    for name, value in (("ftol", ftol), ("xtol", xtol), ("gtol", gtol)):
        if value is not None and real_number(f"`{name}`", value) < _EPS:
            warnings.warn(
                f"`{name}` = {value} is below machine epsilon, {_EPS:.2e}; it cannot stop a solve",
                UserWarning,
                stacklevel=3,
            )
        found[name] = 0.0 if value is None else max(float(value), 0.0)
    small = [name for name, value in found.items() if value < _EPS]
    if method == "lm" and small:
        raise ValueError(f"{', '.join(small)} must be at least {_EPS:.2e} for method='lm'")
    if len(small) == 3:
        raise ValueError(f"one of ftol, xtol and gtol must be at least machine epsilon, {_EPS:.2e}")
    return found


def further_arguments(args: Any, kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of fun and jac behind x."""
    if not isinstance(args, Iterable):
        raise TypeError(f"`args` must be a tuple; it is {args!r}")
    if kwargs is not None and not isinstance(kwargs, Mapping):
        raise TypeError(f"`kwargs` must be a dict or None; it is {kwargs!r}")
    return tuple(args), dict(kwargs or {})


def checked_loss(loss: Any) -> Any:
    """Return the loss; a function is checked at each call only, as by scipy."""
    if isinstance(loss, (str, Loss)):
        return loss
    return Loss(loss, tuning=getattr(loss, "tuning", None), checked=False)


def check_residual(f0: NDArray[Any], n: int, method: str) -> None:
    """Raise ValueError unless the residual at x0 is a finite vector."""
    if f0.ndim != 1:
        raise ValueError(f"`fun` must return at most 1-d array_like; its shape is {f0.shape}")
    if f0.size == 0:
        raise ValueError("`fun` must return a number at least; it returned an empty array")
    if f0.dtype.kind in "biuf" and not np.isfinite(f0).all():
        k = int(np.flatnonzero(~np.isfinite(f0))[0])
        raise ValueError(
            f"Residuals are not finite in the initial point: entry {k} of fun(x0) is {f0[k]}"
        )
    if method == "lm" and f0.size < n:
        raise ValueError(
            f"method='lm' needs as many residuals as variables; there are {f0.size} and {n}"
        )


def sparsity_pattern(
    sparsity: Any, m: int, n: int, jac: Any, method: str, tr_solver: Any
) -> Pattern | None:
    """Return which entries of the Jacobian may be nonzero, (m, n); None if that is unknown."""
    if sparsity is None or callable(jac):
        return None
    if method == "lm":
        raise ValueError("method='lm' does not support `jac_sparsity`")
    given = sparsity if is_sparse(sparsity) else np.atleast_2d(np.asarray(sparsity))
    if given.dtype.kind not in "biuf":
        raise ValueError(f"`jac_sparsity` must be real numbers; it is {described(sparsity)}")
    pattern = Pattern(given)
    if pattern.shape != (m, n):
        raise ValueError(f"`jac_sparsity` must have shape {(m, n)}; it has {pattern.shape}")
    if tr_solver == "exact":
        raise ValueError("tr_solver='exact' is incompatible with `jac_sparsity`")
    return pattern


def difference_strategy(
    jac: Any,
    call: Evaluation,
    diff_step: Any,
    edges: tuple[Array, Array],
    workers: Any,
    pattern: Pattern | None,
    tolerances: dict[str, float],
) -> Jacobian | None:
    """Return the strategy for differences; None if the caller defines the derivatives."""
    if callable(jac):
        return None
    if jac != "cs" and diff_step is None and workers is None:
        # These tolerances do not need the accuracy of central differences in the last steps.
        coarse = min(tolerances["ftol"], tolerances["xtol"]) >= _COARSE
        central = jac == "3-point"
        if pattern is not None:
            # As scipy, which lets callers leave out small entries.
            return GroupedDifference(pattern, central, refine=not coarse, check=False, sparse=True)
        return CentralDifference() if central else ForwardDifference(refine=not coarse)
    step = None
    if diff_step is not None:
        step = real_array("`diff_step`", diff_step)
        if step.ndim and step.shape != edges[0].shape:
            raise ValueError(
                f"`diff_step` must be a number or have shape {edges[0].shape}; it has {step.shape}"
            )
    if workers is not None and not callable(workers):
        raise TypeError(f"`workers` must be a callable such as map; it is {workers!r}")
    return PlainDifference(jac, call, step, edges, workers or map, pattern)


def wrapped_callback(callback: Any, method: str) -> Callable[[OptimizeResult], Any] | None:
    """Return the function that is called with the result so far."""
    if callback is None:
        return None
    if method == "lm":
        warnings.warn(
            "a callback is not supported with method='lm', and not called",
            UserWarning,
            stacklevel=3,
        )
        return None
    if not callable(callback):
        raise TypeError(f"`callback` must be callable or None; it is {callback!r}")
    try:
        named = set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):
        named = False
    if named:
        return lambda found: callback(intermediate_result=found)
    return lambda found: callback(found.x.copy())
