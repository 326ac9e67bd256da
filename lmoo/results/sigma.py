"""The origin of the standard errors, as a sentence."""

from lmoo.results.curve import known_curve
from lmoo.results.fit import Fit

# Label of the sentence in a stored result.
ORIGIN = "errors"


def origin_of_errors(result: Fit) -> str:
    """Return a sentence about what the standard errors follow from.

    Examples
    --------
    >>> import lmoo
    >>> from lmoo.results.sigma import origin_of_errors
    >>> print(origin_of_errors(lmoo.fit("a*t", [1.0, 2.0, 3.0], [1.1, 1.9, 3.2])))
    Standard errors are scaled by the scatter of the residuals; no sigma was given.
    """
    kept = dict(result._subject).get(ORIGIN)
    if result.problem is None and kept:
        return kept
    if not result.success:
        return "No standard errors and no intervals, as no minimum was found."
    if result.robust is not None:
        return (
            "Standard errors follow from the scatter of the good points, by the sandwich formula "
            "of the loss; sigma is relative."
        )
    if not result.is_scaled():
        return "Standard errors follow from sigma, which is absolute; they are not scaled."
    scaled = "Standard errors are scaled by the scatter of the residuals"
    curve = known_curve(result)
    if curve is None:
        return f"{scaled}."
    if curve.sigma is None:
        return f"{scaled}; no sigma was given."
    return f"{scaled}; sigma is relative."
