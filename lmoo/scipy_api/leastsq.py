"""`leastsq`: scipy's signature and tuple.  Argument handling, and nothing else."""

import warnings
from collections.abc import Callable
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.abi1 import CompiledProblem
from lmoo._core.derivatives import Derivatives, Differences, Rows
from lmoo._core.loop import Loop
from lmoo._core.residual import Residual, Source, as_vector, start
from lmoo.errors import EvaluationError
from lmoo.problems.arguments import entry, in_range, real_array
from lmoo.problems.problem import source
from lmoo.status import Status

__all__ = ["leastsq"]

_EPS = 2.0**-52
# MINPACK's, with the precision of what func returns; they hold nothing of a solve.
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
    ``scipy.optimize.leastsq``; `Solver` is the same iteration with tests that go further.

    Parameters
    ----------
    func : callable or CompiledProblem
        ``func(x, *args)`` returns m >= n real numbers for n parameters x (float64, its own).
        A compiled problem brings its Jacobian with it, and takes neither `args` nor `Dfun`.
    x0 : array_like
        Starting point, of any shape; flattened, and cast to float64.
    args : tuple, default ()
        Further arguments of `func` and `Dfun`; anything but a tuple is one argument.
    Dfun : callable, optional
        ``Dfun(x, *args)`` returns the Jacobian, (m, n).  Forward differences without it.
    full_output : bool, default False
        Return ``(x, cov_x, infodict, mesg, ier)``.
    col_deriv : bool, default False
        `Dfun` returns the transpose, (n, m), which needs no copying into place.
    ftol : float, default 1.49012e-8
        Stop where the sum of squares is reduced by at most this, relatively.
    xtol : float, default 1.49012e-8
        Stop where x changes by at most this, relatively.
    gtol : float, default 0.0
        Stop where the cosine between the residual and each column of the Jacobian is at most this.
    maxfev : int, default 0
        Evaluations of `func` after which to stop; 0 or less: 200 (n + 1), with `Dfun` 100 (n + 1).
    epsfcn : float, optional
        Relative error of `func`, from which the step of forward differences follows,
        ``sqrt(max(epsfcn, 2**-52)) * |x_j|``.  None: the precision in which it returns.
    factor : float, default 100
        First bound of the step, in units of ``|diag * x0|``.
    diag : (n,) array_like, optional
        Positive scale factors of the parameters; None: the norms of the Jacobian's columns.

    Returns
    -------
    x : (n,) float64 array
        The solution, or the last good point.
    cov_x : (n, n) float64 array or None
        ``inv(J.T @ J)`` of the last Jacobian, to be multiplied by the variance of the residuals;
        None where it is singular or `ier` is not 1 to 4.  With `full_output` only.
    infodict : dict
        ``fvec`` (the residual at x), ``nfev``, ``njev`` (with `Dfun`), ``fjac``, ``ipvt``,
        ``qtf``: ``fjac.T[:n]`` holds R on and above its diagonal, ``J[:, ipvt] = Q R``, and
        ``qtf = (Q.T @ f)[:n]``.  Below R stand MINPACK's Householder vectors, zeros where
        m n^2 > 1e6.  What was not evaluated is missing; where `ier` is 0, `fvec` is the residual at
        x0 and the others are zeros.  With `full_output` only.
    mesg : str
        Why it stopped.  With `full_output` only.
    ier : int
        A value of `Status`: 1 to 4 mean that a minimum was found.

    Raises
    ------
    TypeError
        m < n, a Jacobian of the wrong shape, an argument or a result of the wrong type; in the
        short form also an improper tolerance, `factor` or `diag`.
    ValueError
        `func` returns a different number of values than before; `diag` of the wrong shape, or not
        finite.

    Warns
    -----
    RuntimeWarning
        In the short form, where `ier` says that no minimum was found.

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
    # More than any count can reach is no limit.
    maxfev = min(index(maxfev), 2**62)
    scale = None if diag is None else _scale(diag, n)
    # Written so that NaN is improper too.
    proper = n > 0 and ftol >= 0 and xtol >= 0 and gtol >= 0 and factor > 0
    if not proper or (scale is not None and not (scale > 0).all()):
        mesg = _improper(n, ftol, xtol, gtol, factor, scale)
        if not full_output:
            raise TypeError(mesg)
        return x, None, _nothing_done(func, x, args, Dfun), mesg, 0
    for name, value in (("ftol", ftol), ("xtol", xtol), ("gtol", gtol), ("factor", factor)):
        in_range(name, value)
    if epsfcn is not None:
        in_range("epsfcn", epsfcn)
    if bad >= 0:
        return _not_finite_start(x, bad, full_output)
    if maxfev <= 0:
        maxfev = (200 if Dfun is None and not _is_differentiated(func) else 100) * (n + 1)
    if isinstance(func, CompiledProblem):
        fun, jac = _compiled(func, n, args, Dfun, epsfcn)
    else:
        fun = Residual(func, args, {}, "func", True, EvaluationError)
        jac = _derivatives(Dfun, args, col_deriv, epsfcn)
    loop = Loop(
        fun, jac, x, scale, ftol, xtol, gtol, factor, maxfev, 0, None, None, None, EvaluationError
    )
    loop.run()
    status = loop.status
    if not full_output:
        if not 1 <= status <= 4:
            warnings.warn(_message(loop, ftol, xtol, gtol, maxfev), RuntimeWarning, stacklevel=2)
        return loop.x, status
    info = _infodict(loop, Dfun is not None or loop.own)
    cov_x = loop.covariance() if 1 <= status <= 4 else None
    return loop.x, cov_x, info, _message(loop, ftol, xtol, gtol, maxfev), status


def _is_differentiated(func: Any) -> bool:
    """Whether func is a compiled problem with derivatives of its own."""
    return isinstance(func, CompiledProblem) and func.provides_jacobian


def _compiled(
    problem: CompiledProblem, n: int, args: tuple[Any, ...], dfun: Any, epsfcn: Any
) -> tuple[Source, Derivatives]:
    """Return what the loop takes for a compiled problem."""
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
    """Return diag as n float64 numbers of our own."""
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


def _infodict(loop: Loop, analytic: bool) -> dict[str, Any]:
    info: dict[str, Any] = {"fvec": loop.residual, "nfev": loop.nfev}
    if analytic:
        info["njev"] = loop.njev
    if loop.linearized:
        info.update(fjac=loop.factors(), ipvt=loop.ipvt, qtf=loop.qtf)
    return info


def _message(loop: Loop, ftol: float, xtol: float, gtol: float, maxfev: int) -> str:
    """Return the reason for the stop, with the numbers it was measured by."""
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
        return "func cannot be evaluated at x0: it refused the point."
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
    """Return what is wrong with options that make no sense, MINPACK's info 0."""
    return (
        f"Improper input: there must be a parameter, and ftol, xtol and gtol must not be negative, "
        f"factor and diag positive; there are {n} parameters, ftol = {ftol}, xtol = {xtol}, "
        f"gtol = {gtol}, factor = {factor}, diag = {scale}."
    )


def _nothing_done(
    func: Any, x: NDArray[np.float64], args: tuple[Any, ...], dfun: Any
) -> dict[str, Any]:
    """Return the infodict of a solve that was not begun: with the residual at x0 alone."""
    info: dict[str, Any] = {"nfev": 0}
    if dfun is not None or _is_differentiated(func):
        info["njev"] = 0
    compiled = isinstance(func, CompiledProblem)
    try:
        value = func.residual(x.copy()) if compiled else func(x.copy(), *args)
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
