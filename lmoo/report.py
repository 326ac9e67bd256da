"""The report of a solve, as text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lmoo.result import Result

__all__ = ["text"]


def text(result: "Result") -> str:
    """Return the report: why it stopped, parameters and standard errors, fit, counts."""
    lines = [_headline(result), f"  {result.message}", ""]
    lines += _table(result)
    lines += ["", *_fit(result)]
    lines += _warnings(result)
    return "\n".join(lines)


def _headline(result: "Result") -> str:
    verdict = "a minimum was found" if result.success else "NO minimum was found"
    return f"Nonlinear least squares: {verdict} (status {result.status}, {result.status.name})"


def _table(result: "Result") -> list[str]:
    """Return the aligned table of the parameters."""
    rows: list[Sequence[str]] = [("parameter", "value", "standard error", "relative")]
    for name, value, error in zip(
        result.parameter_names, result.x, result.standard_errors, strict=True
    ):
        relative = f"{100 * error / abs(value):.2g} %" if value and np.isfinite(error) else "-"
        rows.append((name, f"{value:.10g}", f"+- {error:.4g}", relative))
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    return [
        f"  {row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  "
        f"{row[3]:>{widths[3]}}"
        for row in rows
    ]


def _fit(result: "Result") -> list[str]:
    m, n, dof = result.observations, result.x.size, result.degrees_of_freedom
    lines = [
        f"  cost = 1/2 sum of squares   {result.cost:.10g}",
        f"  observations, parameters    {m}, {n} ({dof} degrees of freedom)",
    ]
    if dof > 0:
        lines.append(f"  residual standard deviation {result.residual_deviation:.6g}")
    lines.append(
        f"  evaluations                 {result.nfev} residuals, {result.njev} Jacobians, "
        f"{result.nit} iterations"
    )
    return lines


def _warnings(result: "Result") -> list[str]:
    """Return what the reader must know of the standard errors."""
    lines = []
    if result.degrees_of_freedom == 0:
        lines.append(
            "  There are as many parameters as observations: nothing is left to estimate "
            "standard errors from."
        )
    if result.factor is not None and result.rank < result.x.size:
        lines.append(
            f"  The Jacobian has rank {result.rank} of {result.x.size}: the data do not determine "
            f"{', '.join(result.undetermined)}."
        )
    return lines
