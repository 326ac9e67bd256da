"""The parts of a report, before it is written in one of its forms."""

from dataclasses import dataclass

from lmoo.results.fit import Fit
from lmoo.results.report.cautions import cautions
from lmoo.results.report.correlations import Correlations, correlations
from lmoo.results.report.goodness import Fact, details, goodness, reason_and_limits
from lmoo.results.report.parameters import Row, parameter_rows
from lmoo.results.report.subject import subject
from lmoo.results.sigma import origin_of_errors


@dataclass(frozen=True)
class Content:
    """The parts of a report, as plain text that the form has yet to escape.

    Attributes
    ----------
    success : bool
    verdict, reason : str
        Whether a minimum was found, and why the solve stopped.
    subject : list of (str, str)
        Model and data, with labels.
    header : Row
    rows : list of Row
        The parameters and the derived quantities.
    note : str
        Which parameters have no row; "" if all have one.
    errors : str
        What the standard errors follow from.
    goodness, details : list of (str, str)
    correlations : Correlations or None
    warnings : list of str
    """

    success: bool
    verdict: str
    reason: str
    subject: list[Fact]
    header: Row
    rows: list[Row]
    note: str
    errors: str
    goodness: list[Fact]
    details: list[Fact]
    correlations: Correlations | None
    warnings: list[str]

    @property
    def columns(self) -> list[int]:
        """The columns of the table that are not empty."""
        return [k for k in range(len(self.header)) if any(row[k] for row in self.rows)]


def content_of(result: Fit, nonlinearity: str = "") -> Content:
    """Return the parts of the report of a result.

    Parameters
    ----------
    result : Fit
    nonlinearity : str
        A sentence about the nonlinearity; "": the report has one only if it is too strong.
    """
    (header, *rows), note = parameter_rows(result)
    found = correlations(result)
    reason, _ = reason_and_limits(result.message)
    warnings = cautions(result, found)
    if nonlinearity:
        warnings = [line for line in warnings if not line.startswith(nonlinearity)]
        warnings.append(nonlinearity)
    return Content(
        success=result.success,
        verdict=verdict(result),
        reason=reason,
        subject=subject(result),
        header=header,
        rows=rows,
        note=note,
        errors=origin_of_errors(result),
        goodness=goodness(result),
        details=details(result),
        correlations=found,
        warnings=warnings,
    )


def verdict(result: Fit) -> str:
    """Return whether a minimum was found."""
    status = f"(status {int(result.status)}, {result.status.name})"
    if result.success:
        return f"Converged: a minimum was found {status}"
    return f"Not converged: NO minimum was found {status}"
