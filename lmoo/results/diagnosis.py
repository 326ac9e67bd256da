"""Explain why a solve failed, and suggest what to try."""

import numpy as np
from numpy.typing import NDArray

from lmoo._core.solve import Loop
from lmoo.status import Status

# A parameter diverges if it is this many times as large as at the start and changes f by as little.
_FAR, _LITTLE = 1e3, 1e-6


def diagnosis(
    loop: Loop, status: Status, names: tuple[str, ...], x0: NDArray[np.float64], analytic: bool
) -> str:
    """Return an explanation and a suggestion for a failed solve; "" for other statuses.

    Parameters
    ----------
    loop : Loop
    status : Status
    names : tuple of str
        Names of the parameters.
    x0 : (n,) float64 array
        The starting point.
    analytic : bool
        Whether the derivatives are the problem's.
    """
    if status not in (Status.NO_PROGRESS, Status.MAXFEV, Status.FLAT) or not loop.linearized:
        return ""
    parts = []
    diverging = _diverging(loop, names, x0)
    if status is Status.NO_PROGRESS:
        parts.append(
            f"the model predicts that a Gauss-Newton step reduces the sum of squares by "
            f"{loop.relative_offset:.2g} of its value, and changes below {loop.noise:.2g} are noise"
        )
    if diverging:
        parts.append(f"{', '.join(diverging)} diverges: give bounds, or other starting values")
    elif status is Status.FLAT:
        parts.append("try other starting values")
    elif status is Status.NO_PROGRESS and analytic:
        parts.append("try lmoo.check_jacobian")
    elif status is Status.NO_PROGRESS:
        parts.append(f"try epsfcn={_epsfcn(loop):.1g}, if the residual has errors of that size")
    return "; ".join(parts)


def _diverging(loop: Loop, names: tuple[str, ...], x0: NDArray[np.float64]) -> list[str]:
    """Return the parameters that are far from the start and have almost no effect at x."""
    x = loop.x
    with np.errstate(all="ignore"):
        # A starting value of 0 gives no scale.
        far = (x0 != 0.0) & (np.abs(x) > _FAR * np.abs(x0))
        little = loop.acnorm * np.abs(x) < _LITTLE * loop.fnorm
    return [name for name, found in zip(names, (far & little).tolist(), strict=True) if found]


def _epsfcn(loop: Loop) -> float:
    """Return a relative error of the residual to try: the measured one, but at least 1e-8."""
    found = loop.measured[3] / loop.fnorm if loop.fnorm > 0 else 0.0
    return float(min(max(found, 1e-8), 0.1))
