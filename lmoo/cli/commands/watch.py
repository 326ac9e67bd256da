"""``lmoo watch``: fit again whenever the file has more data."""

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from lmoo.cli.commands.options import UnsuitableDataError, UsageError
from lmoo.cli.commands.output import check_files, document, print_report, write_files
from lmoo.cli.commands.request import PreparedFit, Request
from lmoo.cli.commands.watchedfile import WatchedFile
from lmoo.cli.reading import DataError
from lmoo.cli.reading.source import name_of
from lmoo.cli.terminal import note, one_line
from lmoo.models.expression import Expression, ExpressionError
from lmoo.results.related import Value
from lmoo.results.result import Result

# A search for starting values is repeated when there are this many times as many rows.
_MORE_ROWS = 2
# The exit code after Ctrl-C.
_INTERRUPTED = 130


def run(arguments: argparse.Namespace) -> int:
    """Fit until the number of fits is reached; return 0 if the last one found a minimum, else 1."""
    if arguments.data == "-":
        raise UsageError("DATA must be the name of a file, which can be read again; it is '-'")
    if Path(arguments.data).is_dir():
        raise UsageError(f"DATA must be the name of a file; {name_of(arguments.data)} is a folder")
    request = Request.parse(arguments)
    check_files(arguments)
    Expression(arguments.expression, variables=())
    watch = _Watch(request)
    file = WatchedFile(arguments.data)
    try:
        while True:
            if file.changed():
                watch.look()
            if watch.fits == arguments.count:
                break
            time.sleep(arguments.interval)
    except KeyboardInterrupt:
        note(f"ended after {watch.fits} fits")
        return _INTERRUPTED
    return 0 if watch.last is not None and watch.last.result.success else 1


@dataclass(frozen=True)
class _Fitted:
    """A fit that was made: its data, its result, and the rows of the last search for a start."""

    prepared: PreparedFit
    result: Result
    searched: int


@dataclass
class _Watch:
    """The fits of one file so far."""

    request: Request
    fits: int = 0
    last: _Fitted | None = None
    _said: set[str] = field(default_factory=set)
    _reading: str = ""

    def look(self) -> None:
        """Read the file and fit its data if they have changed.

        What further data may repair is said once: a file that is gone, damaged or too short.
        Before the first fit an invalid option is an error, and afterwards a note as well, as the
        file may have been replaced by one with other columns.
        """
        try:
            table = self.request.read(growing=True)
            prepared = self.request.prepare(table)
            if self.last is not None and prepared.data.equals(self.last.prepared.data):
                return
            if not table.plain and table.reading != self._reading:
                self._reading = table.reading
                note(f"{table.name}: {table.reading}")
            fitted = self._fitted(prepared)
        except (DataError, UnsuitableDataError) as error:
            self._say(f"waiting: {error}")
            return
        except (UsageError, ExpressionError) as error:
            if self.last is None:
                raise
            self._say(f"waiting: {error}")
            return
        self.last = fitted
        self.fits += 1
        self._said.clear()
        self._print(fitted)

    def _fitted(self, prepared: PreparedFit) -> _Fitted:
        """Fit from the last parameters, and again from a new start where that may be better.

        The parameters for a few rows may be those of a wrong minimum.
        """
        last, data = self.last, prepared.data
        rows = data.y.size
        if last is None or not (last.result.success and data.extends(last.prepared.data)):
            return _Fitted(prepared, prepared.solve(), rows)
        result = prepared.solve(last.result.x)
        if result.success and rows < _MORE_ROWS * last.searched:
            return _Fitted(prepared, result, last.searched)
        other = prepared.solve()
        better = (not other.success, other.cost) < (not result.success, result.cost)
        return _Fitted(prepared, other if better else result, rows)

    def _print(self, fitted: _Fitted) -> None:
        """Print one line, or what ``lmoo fit`` prints, and write the files."""
        arguments, table, result = self.request.arguments, fitted.prepared.table, fitted.result
        labels = fitted.prepared.columns.labels(table)
        try:
            if arguments.json == "-":
                text = json.dumps(document(result, arguments, table.reading), allow_nan=False)
                print(text, flush=True)
            elif arguments.full:
                print_report(result, arguments)
                print(flush=True)
            else:
                print(_line(fitted), flush=True)
        finally:
            write_files(result, arguments, labels, table.reading)

    def _say(self, message: str) -> None:
        """Print a note, once until the next fit."""
        if message not in self._said:
            self._said.add(message)
            note(message)


def _line(fitted: _Fitted) -> str:
    """Return the time, the number of rows, the parameters and the quality of a fit."""
    result = fitted.result
    head = f"{time.strftime('%H:%M:%S')}  rows {fitted.prepared.data.y.size}"
    if not result.success:
        return f"{head}  NO minimum was found: {result.status.name}"
    deviation = f"{result.residual_deviation:.4g}" if result.degrees_of_freedom > 0 else "-"
    return f"{head}  {_parameters(result)}  residual deviation {deviation}"


def _parameters(result: Result) -> str:
    """Return the parameters with their errors, rounded together."""
    errors = result.standard_errors
    shown = (
        f"{name} {value:.10g}" if fixed else f"{name} {Value(value, error)}"
        for name, value, error, fixed in zip(
            result.parameter_names,
            result.x.tolist(),
            errors.tolist(),
            result.fixed.tolist(),
            strict=True,
        )
    )
    return "  ".join(map(one_line, shown))
