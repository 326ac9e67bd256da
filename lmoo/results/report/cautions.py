"""Warnings: limits of the standard errors, and signs of a wrong model."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from lmoo.results.components import model_with_parts
from lmoo.results.curvature import Nonlinearity, nonlinearity
from lmoo.results.curve import known_curve
from lmoo.results.fit import Fit
from lmoo.results.outliers import far_limit, outliers
from lmoo.results.report.correlations import Correlations

# Names and numbers in a sentence.
_NAMES = 20
# Degrees of freedom below which the standard deviation has an error of more than 30 %.
_FEW = 6
# Standard deviations by which chi-square differs from its mean in few of the fits.
_UNLIKELY = 4.0
# A correlation that leaves little more than a combination of the parameters.
_STRONG = 0.99
# Entries of a Jacobian up to which the report evaluates curvatures.
_SMALL = 100_000


def cautions(result: Fit, found: Correlations | None) -> list[str]:
    """Return warnings, the most important first.

    Without a minimum they say which parameters have no effect, and nothing of standard errors.
    """
    if not result.success:
        return _undetermined(result)
    return [
        *_undetermined(result),
        *_at_bounds(result),
        *_few_points(result),
        *_scatter(result),
        *_far_points(result),
        *_strong(found),
        *_curved(result),
    ]


def _undetermined(result: Fit) -> list[str]:
    lines = []
    if result.success and result.degrees_of_freedom <= 0 and result.is_scaled():
        lines.append(
            "There are as many parameters as observations, or more: the data do not determine "
            "standard errors."
        )
    if result.factor is not None and result.rank < result.free_count:
        lines.append(
            f"The Jacobian has rank {result.rank} of {result.free_count}: the data do not "
            f"determine {_some(result.undetermined)}."
        )
    return lines


def _at_bounds(result: Fit) -> list[str]:
    lines = []
    if result.related is not None and result.related.active:
        lines.append(
            f"Active constraints: {', '.join(result.related.active)}; standard errors are those "
            "with these as equations."
        )
    at_bound = [result.parameter_names[j] for j in np.flatnonzero(result.active_mask)]
    if at_bound:
        lines.append(
            f"Active bounds: {_some(at_bound)}; the standard errors of the other parameters "
            "are those with these fixed."
        )
    return lines


def _few_points(result: Fit) -> list[str]:
    dof = result.degrees_of_freedom
    if not 0 < dof < _FEW or not result.is_scaled():
        return []
    degrees = "degree" if dof == 1 else "degrees"
    return [
        f"Only {dof} {degrees} of freedom: the standard errors have errors of about "
        f"{100 / sqrt(2 * dof):.0f} % themselves."
    ]


def _scatter(result: Fit) -> list[str]:
    """Compare the scatter with standard deviations that are known."""
    dof = result.degrees_of_freedom
    if result.is_scaled() or result.robust is not None or dof <= 0:
        return []
    ratio, spread = result.reduced_chi_square, 2.0 / (9.0 * dof)
    # The cube root is nearly normal (Wilson, Hilferty 1931, Proc. Nat. Acad. Sci. 17, 684).
    if abs(ratio ** (1.0 / 3.0) - (1.0 - spread)) <= _UNLIKELY * sqrt(spread):
        return []
    how = "more" if ratio > 1.0 else "less"
    return [
        f"The residuals scatter {how} than sigma, which is absolute, allows (reduced chi-square "
        f"{ratio:.3g}): sigma or the model is wrong."
    ]


def _far_points(result: Fit) -> list[str]:
    if result.robust is not None:
        return []
    far = np.flatnonzero(outliers(result))
    if not far.size:
        return []
    listed = _some([f"residual[{k}]" for k in far[: _NAMES + 1]], far.size, 5)
    verb = "is" if far.size == 1 else "are"
    # Distances have no loss.
    advice = "" if result.estimated_t is not None else " A robust loss gives outliers less weight."
    return [
        f"{far.size} of {result.residual.size} residuals {verb} larger than "
        f"{far_limit(result):.1f} standard deviations: {listed}.{advice}"
    ]


def _strong(found: Correlations | None) -> list[str]:
    pairs = [] if found is None else [pair for pair in found.pairs if abs(pair[2]) > _STRONG]
    if not pairs:
        return []
    listed = _some([f"{a} and {b} ({r:.4f})" for a, b, r in pairs], len(pairs), 3)
    return [f"Strong correlations: {listed}; the data determine combinations of these better."]


def _curved(result: Fit) -> list[str]:
    """Check the curvature of the model."""
    found = known_nonlinearity(result)
    if found is None or found.acceptable or np.isnan(found.intrinsic):
        return []
    return [f"{found} Profile intervals are accurate: confidence_interval(method='profile')."]


def known_nonlinearity(result: Fit) -> Nonlinearity | None:
    """Return the curvatures of small problems if they take no calls of a user's function."""
    kept: Nonlinearity | None = vars(result).get("_nonlinearity")
    if kept is not None:
        return kept
    curve = known_curve(result)
    if curve is None or model_with_parts(curve.f) is None or not is_small(result):
        return None
    vars(result)["_nonlinearity"] = kept = nonlinearity(result)
    return kept


def is_small(result: Fit) -> bool:
    """Return whether a report may fit again, or evaluate second derivatives."""
    small = result.observations * result.x.size**2 <= _SMALL
    whole = not result.is_part and result.estimated_t is None
    return small and whole and result.degrees_of_freedom > 0


def _some(names: Sequence[str], count: int | None = None, most: int = _NAMES) -> str:
    """Return the first names, and how many more there are."""
    count = len(names) if count is None else count
    more = f" and {count - most} more" if count > most else ""
    return ", ".join(names[:most]) + more
