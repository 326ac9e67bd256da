"""The numbers of a fit: its quality, and how it was computed."""

from typing import Any

import numpy as np

from lmoo.problems.kinds import has_jacobian, is_compiled, is_joint
from lmoo.results.curve import known_curve
from lmoo.results.fit import Fit
from lmoo.results.labels import axis_labels
from lmoo.results.robust import OUTLIER
from lmoo.results.statistics import aic, bic, known_r_squared

Fact = tuple[str, str]

# Characters of the text about the evaluation of the model.
_LONGEST = 120


def goodness(result: Fit) -> list[Fact]:
    """Return the numbers that tell how good the fit is, with their labels."""
    m, dof = result.observations, result.degrees_of_freedom
    squares = "squares" if result.robust is None else "rho"
    degrees = f"{max(dof, 0)} degree{'' if dof == 1 else 's'} of freedom"
    out = [
        (f"cost = 1/2 sum of {squares}", f"{result.cost:.10g}"),
        *_priors(result),
        ("observations, parameters", f"{m}, {result.x.size} ({degrees})"),
    ]
    if not result.success:
        return out
    out += _estimated(result)
    if dof > 0:
        out += [
            ("residual standard deviation", f"{result.residual_deviation:.6g}"),
            ("reduced chi-square", f"{result.reduced_chi_square:.6g}"),
        ]
    out += _loss(result) if result.robust else [*_r_squared(result), *_information(result)]
    return out


def _priors(result: Fit) -> list[Fact]:
    """Return the priors, with the share of the cost that is theirs."""
    related = result.related
    if related is None or not related.priors:
        return []
    lines = zip(related.priors, related.means.tolist(), related.sigmas.tolist(), strict=True)
    shown = ", ".join(f"{name}: {mean:.6g} +- {sigma:.4g}" for name, mean, sigma in lines)
    share = 0.5 * float(related.rows @ related.rows)
    return [("priors", shown), ("cost of the priors", f"{share:.6g}")]


def _estimated(result: Fit) -> list[Fact]:
    """Return the number of true values of t that were estimated, and the largest correction."""
    curve = known_curve(result)
    if result.estimated_t is None or curve is None:
        return []
    found, given = result.estimated_t, curve.t
    if not isinstance(found, tuple):
        found, given = (found,), (given,)
    largest = max(
        float(np.abs(part - np.asarray(t)).max()) for part, t in zip(found, given, strict=True)
    )
    count = sum(part.size for part in found)
    x, _ = axis_labels(result)
    return [(f"true values of {x}", f"{count} estimated, the largest correction is {largest:.3g}")]


def _information(result: Fit) -> list[Fact]:
    found = aic(result), bic(result)
    return [("AIC, BIC", f"{found[0]:.6g}, {found[1]:.6g}")] if np.isfinite(found).all() else []


def _loss(result: Fit) -> list[Fact]:
    """Return the loss, and how many points it takes for outliers."""
    assert result.robust is not None
    weights = result.loss_weights
    out = [("loss", f"{result.robust.name}, f_scale = {result.robust.scale:.6g}")]
    if weights.size:
        low = int(np.count_nonzero(weights < OUTLIER))
        out.append(("points of weight below 1/2", f"{low} of {weights.size}"))
    return out


def _r_squared(result: Fit) -> list[Fact]:
    """Return R squared if the problem defines its curve; else an empty list."""
    found = known_r_squared(result)
    return [("R squared", f"{found:.6g}")] if np.isfinite(found) else []


def details(result: Fit) -> list[Fact]:
    """Return how the solution was computed, with labels."""
    _, limits = reason_and_limits(result.message)
    counts = f"{result.nfev} residuals, {result.njev} Jacobians, {result.nit} iterations"
    out = [("evaluations", counts)]
    if np.isfinite(result.seconds):
        out.append(("time", _duration(result.seconds)))
    if limits:
        out.append(("limits", limits))
    evaluation = result.evaluation
    if len(evaluation) > _LONGEST:
        # The formula of the model is at the top of the report.
        evaluation = f"{evaluation[:_LONGEST]}..."
    out += [("model is", evaluation), ("derivatives", _derivatives(result))]
    out += [
        ("norm of the residual", f"{result.data_norm:.10g}"),
        ("largest cosine of J and f", f"{_largest_cosine(result):.2g}"),
        ("rank of the Jacobian", f"{result.rank} of {result.free_count}"),
    ]
    return [(label, value) for label, value in out if value not in ("", "nan")]


def reason_and_limits(message: str) -> tuple[str, str]:
    """Return why a solve stopped, and its tolerances, from the message of a result."""
    reason, _, limits = message.rpartition(" (ftol = ")
    return (reason, f"ftol = {limits.removesuffix(')')}") if reason else (message, "")


def _derivatives(result: Fit) -> str:
    """Return how derivatives were evaluated; "" if that is not known."""
    strategy = None if result.solver is None else result.solver.jacobian
    if strategy is not None:
        return repr(strategy)
    # A traced model has derivatives, a table of functions need not have them.
    parts = result.problem.problems if is_joint(result.problem) else [result.problem]
    without = any(is_compiled(part) and not has_jacobian(part) for part in parts)
    if result.evaluation.startswith("compiled") and not without:
        return "exact, of the compiled model"
    if result.problem is None:
        return ""
    if is_joint(result.problem):
        parts = result.problem.problems
        given = sum(has_jacobian(part) for part in parts)
        return f"given by {given} of {len(parts)} problems, else differences"
    return "given by the problem" if has_jacobian(result.problem) else "differences"


def _largest_cosine(result: Fit) -> float:
    """Return the largest cosine of the residual and the columns of free parameters in J."""
    factor: Any = result.factor
    free = ~result.fixed_or_active
    # Without a minimum the gradient may be that of another point than the residual.
    if factor is None or not result.success or result.related is not None or not free.any():
        return float("nan")
    with np.errstate(all="ignore"):
        cosines = np.abs(result.gradient / factor.acnorm / result.fnorm)[free]
    return float(np.max(cosines[np.isfinite(cosines)], initial=0.0))


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"
