"""The options of scipy's curve_fit, leastsq and least_squares, as a `Solver`."""

from functools import lru_cache
from typing import Any

import numpy as np

from lmoo.jacobians.numeric import CentralDifference, ComplexStep, ForwardDifference
from lmoo.jacobians.strategies import Jacobian
from lmoo.problems.arguments import integer, positive, real_number
from lmoo.problems.names import mapping_of
from lmoo.problems.parameters import named_start
from lmoo.solver.solver import Solver

_EPS = 2.0**-52
_METHODS = (None, "lm", "trf", "dogbox")
# For tolerances at or above this, forward differences are accurate enough.
_COARSE = 1e-8

# Options with the only value that is supported, and what to do instead of setting another one.
_ONLY = {
    "verbose": (0, "Solver.solve(..., callback=print) shows each iteration"),
    "col_deriv": (False, "jac must return one row per point"),
    "tr_solver": (None, "the linear problems are solved by QR factorisation"),
    "jac_sparsity": (None, "the Jacobian is dense"),
    "callback": (None, "use Solver.solve(..., callback=...)"),
    "workers": (None, "curve_fit_many fits in parallel"),
}
_WITHOUT_EFFECT = {"tr_options"}
_SAME = ("maxfev", "max_nfev"), ("diag", "x_scale"), ("epsfcn", "diff_step")
_USED = {
    "ftol",
    "xtol",
    "gtol",
    "factor",
    "loss",
    "f_scale",
    *(name for pair in _SAME for name in pair),
}


def curve_solver(
    n: int, method: Any, jac: Any, differentiated: bool, options: dict[str, Any], names: Any = None
) -> Solver:
    """Return the solver for arguments of `curve_fit`.

    Parameters
    ----------
    n : int
        Number of parameters.
    method : {None, "lm", "trf", "dogbox"}
        It is checked and otherwise ignored, as there is one method.
    jac : callable, None or str
        A string selects a difference scheme.
    differentiated : bool
        Whether the problem defines its Jacobian, which is used unless `jac` is a string.
    options : dict
        Keyword arguments.
    names : sequence of str, optional
        The parameters, for values of `x_scale` by name.

    Raises
    ------
    TypeError
        An option that is unknown, has the wrong type, or is given under two names.
    ValueError
        A value that is out of range or not supported.

    Examples
    --------
    >>> from lmoo.scipy_api.options import curve_solver
    >>> curve_solver(2, "lm", "3-point", False, {"maxfev": 50}).maxfev
    50
    """
    if method not in _METHODS:
        raise ValueError(f"`method` must be 'trf', 'dogbox' or 'lm'; it is {method!r}")
    if method == "lm" and options.get("loss", "linear") != "linear":
        raise ValueError(
            f"method='lm' supports only the loss 'linear', as in scipy; it is {options['loss']!r}: "
            "leave method out"
        )
    scheme = None if callable(jac) else jac
    if scheme not in (None, "2-point", "3-point", "cs"):
        raise ValueError(f"`jac` must be '2-point', '3-point', 'cs' or callable; it is {jac!r}")
    sizes = mapping_of(options["x_scale"]) if "x_scale" in options else None
    if sizes is not None:
        for name, size in sizes.items():
            positive(f"x_scale[{name!r}]", size)
        options = {**options, "x_scale": tuple(named_start("x_scale", sizes, names).tolist())}
    try:
        solver = _cached_solver(n, scheme, differentiated, **options)
    except TypeError:
        # An option cannot be hashed, or has the wrong type, which is reported below.
        solver = None
    return _new_solver(n, scheme, differentiated, options) if solver is None else solver


@lru_cache(maxsize=64, typed=True)
def _cached_solver(n: int, scheme: str | None, differentiated: bool, /, **options: Any) -> Solver:
    """Return a cached solver: many fits are made with the same options."""
    return _new_solver(n, scheme, differentiated, options)


def _new_solver(
    n: int, scheme: str | None, differentiated: bool, options: dict[str, Any]
) -> Solver:
    _check_names(options)
    found: dict[str, Any] = {
        name: 0.0 if options[name] is None else options[name]
        for name in ("ftol", "xtol", "gtol")
        if name in options
    }
    found |= {name: options[name] for name in ("factor", "loss", "f_scale") if name in options}
    return Solver(
        **found,
        maxfev=_limit(options),
        diag=_scale(options, n),
        jacobian=_strategy(scheme, differentiated, options),
    )


def _check_names(options: dict[str, Any]) -> None:
    for name, value in options.items():
        if name in ("args", "kwargs"):
            raise ValueError(
                f"'{name}' is not a supported keyword argument: functools.partial binds arguments"
            )
        if name not in _USED and name not in _ONLY and name not in _WITHOUT_EFFECT:
            raise TypeError(f"curve_fit() got an unexpected keyword argument {name!r}")
        only, instead = _ONLY.get(name, (value, ""))
        # The comparison of an array returns an array.
        if value is not only and (hasattr(value, "shape") or value != only):
            raise ValueError(f"{name} must be {only!r}; it is {value!r}: {instead}")
    for one, other in _SAME:
        if one in options and other in options:
            raise TypeError(f"curve_fit() takes one of {one} and {other}, which mean the same")


def _limit(options: dict[str, Any]) -> int | None:
    """Return maxfev; None for the default, which maxfev <= 0 also selects, as in leastsq."""
    if options.get("max_nfev") is not None:
        return integer("max_nfev", options["max_nfev"])
    maxfev = options.get("maxfev")
    return None if maxfev is None or integer("maxfev", maxfev) <= 0 else int(maxfev)


def _scale(options: dict[str, Any], n: int) -> Any:
    """Return the scale factors D: ``diag``, or 1 / ``x_scale``."""
    sizes = options.get("x_scale")
    if sizes is None or (isinstance(sizes, str) and sizes == "jac"):
        return options.get("diag")
    scale = 1.0 / positive("x_scale", sizes)
    if scale.ndim and scale.shape != (n,):
        raise ValueError(
            f"x_scale must be a number or have one entry per parameter, {n}; its shape is "
            f"{scale.shape}"
        )
    return np.full(n, scale) if scale.ndim == 0 else scale


def _strategy(scheme: str | None, differentiated: bool, options: dict[str, Any]) -> Jacobian | None:
    if scheme == "cs":
        return ComplexStep()
    if scheme is None and differentiated:
        return None
    epsfcn = _precision(3 if scheme == "3-point" else 2, options)
    if scheme == "3-point":
        return CentralDifference(epsfcn)
    # Tolerances of 1e-8 do not need the accuracy of central differences for the last steps.
    coarse = all((options.get(name) or 0.0) >= _COARSE for name in ("ftol", "xtol"))
    return ForwardDifference(epsfcn, refine=not coarse)


def _precision(order: int, options: dict[str, Any]) -> float | None:
    """Return the relative error of the model, which determines the difference steps."""
    if options.get("diff_step") is not None:
        # The relative step for an error eps is eps^(1 / order).
        step = abs(real_number("diff_step", options["diff_step"]))
        if not _EPS < step < 1.0:
            raise ValueError(f"diff_step must be between {_EPS:g} and 1; it is {step!r}")
        return float(step**order)
    epsfcn = options.get("epsfcn")
    return None if epsfcn is None else max(real_number("epsfcn", epsfcn), _EPS)
