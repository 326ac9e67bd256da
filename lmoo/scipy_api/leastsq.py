"""`leastsq`: the signature and the tuple of scipy.optimize.leastsq."""

import warnings
from collections.abc import Callable
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.abi1 import CompiledProblem
from lmoo._core.solve import (
    Derivatives,
    Differences,
    Loop,
    Residual,
    Rows,
    Source,
    as_vector,
    start,
)
from lmoo.errors import EvaluationError
from lmoo.problems.arguments import entry, in_range, real_array
from lmoo.problems.kinds import is_compiled
from lmoo.problems.names import in_order_of
from lmoo.problems.problem import source
from lmoo.status import Status

_EPS = 2.0**-52
# The counter has 64 bits; larger numbers mean no limit.
_UNLIMITED = 2**62
# MINPACK's forward differences.  The strategy stores no data of a solve, so all solves share it.
_FORWARD = Differences(False, False, 0.0, None, True, False)
_OWN_OR_FORWARD = Differences(True, False, 0.0, None, True, False)


def leastsq(
    func: Callable[..., ArrayLike] | CompiledProblem,
    x0: ArrayLike,
    args: tuple[Any, ...] | Any = (),
    Dfun: Callable[..., ArrayLike] | None = None,
    full_output: bool = False,
    col_deriv: bool = False,
    ftol: float = 1.49012e-8,
    xtol: float = 1.49012e-8,
    gtol: float = 0.0,
    maxfev: int = 0,
    epsfcn: float | None = None,
    factor: float = 100,
    diag: ArrayLike | None = None,
) -> tuple[Any, ...]:
    """Minimise the sum of squares of a vector of functions, as MINPACK's lmder and lmdif do.

    The arguments, the returned tuple and the evaluation counts are those of
    ``scipy.optimize.leastsq``.  `Solver` runs the same iteration with more accurate tests.

    Parameters
    ----------
    func : callable or CompiledProblem
        ``func(x, *args)`` returns m >= n real numbers for n parameters x, a new float64 array.
        A compiled problem has its own Jacobian; `args` and `Dfun` must then not be given.
    x0 : array_like
        Starting point, of any shape; it is flattened and converted to float64.
    args : tuple, default ()
        Further arguments of `func` and `Dfun`; a value that is not a tuple is a single argument.
    Dfun : callable, optional
        ``Dfun(x, *args)`` returns the Jacobian, (m, n).  None: forward differences.
    full_output : bool, default False
        Return ``(x, cov_x, infodict, mesg, ier)``.
    col_deriv : bool, default False
        `Dfun` returns the transpose, (n, m), which needs no transposition.
    ftol : float, default 1.49012e-8
        Stop if the relative reduction of the sum of squares is at most this.
    xtol : float, default 1.49012e-8
        Stop if the relative change of x is at most this.
    gtol : float, default 0.0
        Stop if the cosine between the residual and each column of the Jacobian is at most this.
    maxfev : int, default 0
        Maximum number of evaluations of `func`; 0 or less: 200 (n + 1), with `Dfun` 100 (n + 1).
    epsfcn : float, optional
        Relative error of `func`.  The step of forward differences is
        ``sqrt(max(epsfcn, 2**-52)) * |x_j|``.  None: the precision of its return value.
    factor : float, default 100
        Limit of the first step, in units of ``|diag * x0|``.
    diag : (n,) array_like, optional
        Positive scale factors of the parameters; None: the norms of the Jacobian's columns.

    Returns
    -------
    x : (n,) float64 array
        The solution, or the last good point.
    cov_x : (n, n) float64 array or None
        ``inv(J.T @ J)`` of the last Jacobian, to be multiplied by the variance of the residuals.
        None if it is singular or `ier` is not 1 to 4.  With `full_output` only.
    infodict : dict
        ``fvec`` (the residual at x), ``nfev``, ``njev`` (with `Dfun`), ``fjac``, ``ipvt``,
        ``qtf``: ``fjac.T[:n]`` contains R on and above its diagonal, ``J[:, ipvt] = Q R``, and
        ``qtf = (Q.T @ f)[:n]``.  Below R are MINPACK's Householder vectors, or zeros for
        m n^2 > 1e6.  Entries that were not evaluated are missing.  If `ier` is 0, `fvec` is the
        residual at x0 and the other arrays are zero.  With `full_output` only.
    mesg : str
        Why the solve stopped.  With `full_output` only.
    ier : int
        A value of `Status`: 1 to 4 mean that a minimum was found.

    Raises
    ------
    TypeError
        m < n; a Jacobian of the wrong shape; an argument or a return value of the wrong type.
        Without `full_output` also an improper tolerance, `factor` or `diag`.
    ValueError
        `func` returns a different number of values than before; `diag` has the wrong shape, or is
        not finite.

    Warns
    -----
    RuntimeWarning
        Without `full_output`, if no minimum was found.

    References
    ----------
    More' (1978), "The Levenberg-Marquardt algorithm: implementation and theory", Lecture Notes
    in Mathematics 630; More', Garbow, Hillstrom (1980), "User guide for MINPACK-1", ANL-80-74.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo import leastsq
    >>> t = np.linspace(0, 4, 20)
    >>> y = 2.5 * np.exp(-1.3 * t)
    >>> x, ier = leastsq(lambda x: x[0] * np.exp(-x[1] * t) - y, [1, 1])
    >>> x.round(6), ier
    (array([2.5, 1.3]), 2)
    """
    x, bad = start(x0, True)
    if not isinstance(args, tuple):
        args = (args,)
    n = x.size
    maxfev = index(maxfev)
    scale = None if diag is None else _scale(in_order_of(x0, "diag", diag), n)
    # In this form NaN is improper as well.
    proper = n > 0 and ftol >= 0 and xtol >= 0 and gtol >= 0 and factor > 0
    if not proper or (scale is not None and not (scale > 0).all()):
        mesg = _improper(n, ftol, xtol, gtol, factor, scale)
        if not full_output:
            raise TypeError(mesg)
        return x, None, _nothing_done(func, x, args, Dfun), mesg, 0
    if bad >= 0:
        return _not_finite_start(x, bad, full_output)
    compiled: CompiledProblem | None = func if is_compiled(func) else None
    function: Any = func
    if maxfev <= 0:
        own = compiled is not None and compiled.provides_jacobian
        maxfev = (200 if Dfun is None and not own else 100) * (n + 1)
    elif maxfev > _UNLIMITED:
        maxfev = _UNLIMITED
    try:
        if compiled is not None:
            fun, jac = _compiled(compiled, n, args, Dfun, epsfcn)
        else:
            fun = Residual(function, args, {}, "func", True, EvaluationError)
            jac = _derivatives(Dfun, args, col_deriv, epsfcn)
        loop = Loop(
            fun, jac, x, scale, ftol, xtol, gtol, factor, maxfev, 0, None, None, None,
            EvaluationError,
        )  # fmt: skip
    except OverflowError:
        options = {"ftol": ftol, "xtol": xtol, "gtol": gtol, "factor": factor, "epsfcn": epsfcn}
        for name, value in options.items():
            in_range(name, 0.0 if value is None else value)
        raise
    loop.run()
    status = loop.status
    if not full_output:
        if not 1 <= status <= 4:
            warnings.warn(_message(loop, ftol, xtol, gtol, maxfev), RuntimeWarning, stacklevel=2)
        return loop.x, status
    info = _infodict(loop, Dfun is not None or loop.has_jacobian)
    cov_x = loop.covariance() if 1 <= status <= 4 else None
    return loop.x, cov_x, info, _message(loop, ftol, xtol, gtol, maxfev), status


def _is_differentiated(func: Any) -> bool:
    """Return whether func is a compiled problem that defines its Jacobian."""
    return is_compiled(func) and func.provides_jacobian


def _compiled(
    problem: CompiledProblem, n: int, args: tuple[Any, ...], dfun: Any, epsfcn: Any
) -> tuple[Source, Derivatives]:
    """Return the residual and the Jacobian strategy of a compiled problem."""
    if args != ():
        raise TypeError(f"args must be () where func is a compiled problem; it is {args!r}")
    if dfun is not None:
        raise TypeError(
            "Dfun must be None where func is a compiled problem, which has its own Jacobian or "
            f"none; it is {dfun!r}"
        )
    if epsfcn is None:
        return source(problem, n), _OWN_OR_FORWARD
    return source(problem, n), Differences(True, False, max(epsfcn, _EPS), None, True, False)


def _scale(diag: ArrayLike, n: int) -> NDArray[np.float64]:
    """Return diag as a new float64 array, (n,)."""
    scale = real_array("diag", diag)
    if scale.ndim != 1:
        raise ValueError(f"diag must be 1-D; its shape is {scale.shape}")
    if scale.shape != (n,):
        raise ValueError(f"diag must have one entry per parameter, {n}; it has {scale.size}")
    infinite = np.isinf(scale)
    if infinite.any():
        raise ValueError(f"diag must be finite; {entry(scale, infinite)}")
    return scale


def _derivatives(
    dfun: Callable[..., ArrayLike] | None, args: tuple[Any, ...], columns: bool, epsfcn: Any
) -> Derivatives:
    """Return the strategy: the user's Jacobian, or MINPACK's forward differences."""
    if dfun is not None:
        name = getattr(dfun, "__name__", type(dfun).__name__)
        return Rows(dfun, args, {}, f"Dfun ({name})", bool(columns), EvaluationError)
    if epsfcn is None:
        return _FORWARD
    return Differences(False, False, max(epsfcn, _EPS), None, True, False)


def _infodict(loop: Loop, analytic: bool, residual: Any = None) -> dict[str, Any]:
    """Return the dictionary of scipy's functions; residual: None for that of the loop."""
    found = loop.residual if residual is None else residual
    info: dict[str, Any] = {"fvec": found, "nfev": loop.nfev}
    if analytic:
        info["njev"] = loop.njev
    if loop.linearized:
        info.update(fjac=loop.factors(), ipvt=loop.ipvt, qtf=loop.qtf)
    return info


def _message(loop: Loop, ftol: float, xtol: float, gtol: float, maxfev: int) -> str:
    """Return the reason for stopping, with the tolerances."""
    status = Status(loop.status)
    if status is Status.NOT_FINITE:
        loop.take_refusal()
        return _what_is_not_finite(loop)
    reason = status.reason
    if status is Status.GTOL and loop.fnorm > 0.0 and not loop.acnorm.any():
        reason = (
            "no residual depends on a parameter at this point: all columns of the Jacobian are "
            "zero, so that x need not be a minimum. Start elsewhere"
        )
    numbers = f"ftol = {ftol:g}, xtol = {xtol:g}, gtol = {gtol:g}, maxfev = {maxfev}"
    return f"{reason[0].upper()}{reason[1:]} ({numbers})."


def _what_is_not_finite(loop: Loop) -> str:
    f = loop.residual
    if f.size == 0:
        return (
            "func cannot be evaluated at x0: it raised EvaluationError or returned a positive code."
        )
    bad = np.flatnonzero(~np.isfinite(f))
    if bad.size:
        return f"func(x0) is not finite: its entry {bad[0]} is {f[bad[0]]}."
    entries = np.argwhere(~np.isfinite(loop.out_of_jacobian()))
    if entries.size:
        i, j = entries[0]
        return f"The Jacobian at x0 is not finite: its entry ({i}, {j}) is the first such."
    return "The Jacobian cannot be evaluated at x0."


def _improper(
    n: int,
    ftol: float,
    xtol: float,
    gtol: float,
    factor: float,
    scale: NDArray[np.float64] | None,
) -> str:
    """Return the message for improper options, MINPACK's info 0."""
    return (
        f"Improper input: there must be a parameter, and ftol, xtol and gtol must not be negative, "
        f"factor and diag positive; there are {n} parameters, ftol = {ftol}, xtol = {xtol}, "
        f"gtol = {gtol}, factor = {factor}, diag = {scale}."
    )


def _nothing_done(
    func: Any, x: NDArray[np.float64], args: tuple[Any, ...], dfun: Any
) -> dict[str, Any]:
    """Return the infodict of a solve that was not started, with the residual at x0."""
    info: dict[str, Any] = {"nfev": 0}
    if dfun is not None or _is_differentiated(func):
        info["njev"] = 0
    try:
        value = func.residual(x.copy()) if is_compiled(func) else func(x.copy(), *args)
    except EvaluationError:
        return info
    fvec = np.array(as_vector(value, "func", True)[0])
    n, m = x.size, fvec.size
    if m < n:
        raise TypeError(
            f"Improper input: func input vector length N={n} exceeds its output vector length M={m}"
        )
    empty = {"fjac": np.zeros((n, m)), "ipvt": np.arange(n, dtype=np.int32), "qtf": np.zeros(n)}
    return {"fvec": fvec, **info, **empty}


def _not_finite_start(x: NDArray[np.float64], j: int, full_output: bool) -> tuple[Any, ...]:
    mesg = f"x0 is not finite: its entry {j} is {x[j]}."
    status = int(Status.NOT_FINITE)
    if not full_output:
        warnings.warn(mesg, RuntimeWarning, stacklevel=3)
        return x, status
    return x, None, {"nfev": 0}, mesg, status
