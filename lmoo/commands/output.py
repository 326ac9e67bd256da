"""What a fit leaves behind: the report, the JSON, the picture."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from lmoo.commands.picture import draw
from lmoo.result import Result
from lmoo.storage import plain

__all__ = ["deliver"]

# The level of the intervals that the report has already.
_USUAL_LEVEL = 0.95


def deliver(result: Result, arguments: argparse.Namespace, labels: tuple[str, str]) -> None:
    """Print the report and write the files that were asked for.

    Parameters
    ----------
    result : Result
    arguments : argparse.Namespace
        The options of the command.
    labels : (str, str)
        Of the axes of the picture.
    """
    if arguments.json == "-":
        print(_json(result, arguments))
    else:
        print(result)
        if arguments.absolute_sigma or arguments.level != _USUAL_LEVEL:
            print(_intervals(result, arguments))
        if arguments.json is not None:
            Path(arguments.json).write_text(_json(result, arguments) + "\n", encoding="utf-8")
    if arguments.plot is not None:
        scaled = not arguments.absolute_sigma
        draw(result, arguments.plot, arguments.level, scaled, labels)


def _errors(result: Result, arguments: argparse.Namespace) -> tuple[Any, Any]:
    """Return standard errors, (n,), and confidence intervals, (n, 2), as the options want them."""
    scaled = not arguments.absolute_sigma
    errors = np.sqrt(np.diag(result.covariance(scaled)))
    return errors, result.confidence_interval(arguments.level, scaled=scaled)


def _intervals(result: Result, arguments: argparse.Namespace) -> str:
    """Return the table of intervals at another level, or for deviations that are known."""
    known = " with sigma as given, not scaled" if arguments.absolute_sigma else ""
    width = max(map(len, result.parameter_names))
    lines = ["", f"  {100 * arguments.level:g} % confidence intervals{known}"]
    for name, error, (low, high) in zip(
        result.parameter_names, *_errors(result, arguments), strict=True
    ):
        lines.append(f"  {name:<{width}}  +- {error:<10.4g}  {low:.6g} .. {high:.6g}")
    return "\n".join(lines)


def _json(result: Result, arguments: argparse.Namespace) -> str:
    """Return the result as JSON, and under "fit" what the command line asked for."""
    errors, intervals = _errors(result, arguments)
    document = result.to_dict()
    document["fit"] = {
        "data": arguments.data,
        "expression": arguments.expression,
        "absolute_sigma": arguments.absolute_sigma,
        "level": arguments.level,
        "standard_errors": errors.tolist(),
        "confidence_interval": intervals.tolist(),
    }
    return json.dumps(plain(document), indent=2, allow_nan=False)
