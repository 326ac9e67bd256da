"""`Status`: why a solve stopped."""

from enum import IntEnum


class Status(IntEnum):
    """Why a solve stopped; the values from 0 to 8 are MINPACK's ``info`` (scipy's ``ier``).

    `success` is true for 1 to 4 only, which mean that a minimum was found within the tolerances.

    Examples
    --------
    >>> import lmoo
    >>> lmoo.Status(2)
    <Status.XTOL: 2>
    >>> lmoo.Status.XTOL.success, lmoo.Status.MAXFEV.success
    (True, False)
    """

    IMPROPER_INPUT = 0
    FTOL = 1
    XTOL = 2
    FTOL_XTOL = 3
    GTOL = 4
    MAXFEV = 5
    FTOL_TOO_SMALL = 6
    XTOL_TOO_SMALL = 7
    GTOL_TOO_SMALL = 8
    NOT_FINITE = -1
    DOMAIN = -2
    STOPPED = -3
    NO_PROGRESS = -4
    UNFINISHED = -5
    FLAT = -6
    RAISED = -7

    @property
    def success(self) -> bool:
        """Whether a minimum was found."""
        return 1 <= self <= 4

    @property
    def reason(self) -> str:
        """The stopping test that was passed, or what went wrong."""
        return _REASONS[self]


_FTOL = "the actual and the predicted relative reduction of the sum of squares are at most ftol"
_XTOL = "the relative change of x is at most xtol, |D step| <= xtol |D x|"

_REASONS = {
    Status.IMPROPER_INPUT: "improper input",
    Status.FTOL: _FTOL,
    Status.XTOL: _XTOL,
    Status.FTOL_XTOL: f"{_FTOL}, and {_XTOL}",
    Status.GTOL: "the residual is orthogonal to the columns of the Jacobian, "
    "max |cos(J_j, f)| <= gtol",
    Status.MAXFEV: "the number of residual evaluations has reached maxfev, nfev >= maxfev",
    Status.FTOL_TOO_SMALL: "ftol is too small: no further reduction of the sum of squares is "
    "possible in double precision",
    Status.XTOL_TOO_SMALL: "xtol is too small: no further improvement of x is possible in double "
    "precision",
    Status.GTOL_TOO_SMALL: "gtol is too small: the residual is orthogonal to the columns of the "
    "Jacobian to double precision, max |cos(J_j, f)| <= 2^-52",
    Status.NOT_FINITE: "the residual or the Jacobian is not finite at the starting point",
    Status.DOMAIN: "the steps that would reduce the sum of squares, however short, lead to points "
    "where the residual or the Jacobian is not finite; the minimum may be beyond them",
    Status.STOPPED: "stopped on request, by the callback or by stop()",
    Status.NO_PROGRESS: "no step from this point brings a reduction above rounding errors, "
    "although the model predicts one: the Jacobian may be wrong, or f not smooth",
    Status.FLAT: "no parameter has an effect at this point that can be distinguished from the "
    "error of the residual",
    Status.RAISED: "the model raised an exception",
    Status.UNFINISHED: "not finished: the iteration was left before it stopped",
}
