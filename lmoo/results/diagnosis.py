"""What a solve that failed has seen, and what to try."""

import numpy as np
from numpy.typing import NDArray

from lmoo._core.loop import Loop
from lmoo.status import Status

__all__ = ["diagnosis"]

# A parameter this many times as large as at the start, which changes f by as little, runs away.
_FAR, _LITTLE = 1e3, 1e-6


def diagnosis(
    loop: Loop, status: Status, names: tuple[str, ...], x0: NDArray[np.float64], analytic: bool
) -> str:
    """Return what was seen and what to try, for a status that is no success; else nothing.

    Parameters
    ----------
    loop : Loop
    status : Status
    names : tuple of str
        Of the parameters.
    x0 : (n,) float64 array
    analytic : bool
        Whether the derivatives are the user's.
    """
    if status not in (Status.NO_PROGRESS, Status.MAXFEV, Status.FLAT) or not loop.linearized:
        return ""
    parts = []
    away = _running_away(loop, names, x0)
    if status is Status.NO_PROGRESS:
        parts.append(
            f"by the model a Gauss-Newton step removes {loop.promise:.2g} of the sum of squares, "
            f"and changes below {loop.noise:.2g} of it cannot be seen"
        )
    if away:
        parts.append(f"{', '.join(away)} runs away: give bounds, or other starting values")
    elif status is Status.FLAT:
        parts.append("try other starting values")
    elif status is Status.NO_PROGRESS and analytic:
        parts.append("try lmoo.check_jacobian")
    elif status is Status.NO_PROGRESS:
        parts.append(f"try epsfcn={_epsfcn(loop):.1g}, if the residual has errors of that size")
    return "; ".join(parts)


def _running_away(loop: Loop, names: tuple[str, ...], x0: NDArray[np.float64]) -> list[str]:
    """Return the parameters that have gone far and have next to no effect there."""
    x = loop.x
    with np.errstate(all="ignore"):
        # A start at 0 tells nothing of the scale of a parameter.
        far = (x0 != 0.0) & (np.abs(x) > _FAR * np.abs(x0))
        little = loop.acnorm * np.abs(x) < _LITTLE * loop.fnorm
    return [name for name, away in zip(names, (far & little).tolist(), strict=True) if away]


def _epsfcn(loop: Loop) -> float:
    """Return a relative error of the residual to try: what was measured, or more than rounding."""
    found = loop.measured[3] / loop.fnorm if loop.fnorm > 0 else 0.0
    return float(min(max(found, 1e-8), 0.1))
