"""``lmoo fit``: fit an expression to columns of a file."""

import argparse

from lmoo.cli.commands.output import check_files, deliver
from lmoo.cli.commands.request import Request
from lmoo.cli.terminal import note
from lmoo.models.expression import Expression


def run(arguments: argparse.Namespace) -> int:
    """Fit, print the report and write the files; return 0 if a minimum was found, else 1."""
    request = Request.parse(arguments)
    check_files(arguments)
    # Report errors of the expression before errors of its names.
    Expression(arguments.expression, variables=())
    table = request.read()
    prepared = request.prepare(table)
    if not table.plain:
        note(f"{table.name}: {table.reading}")
    result = prepared.solve()
    deliver(result, arguments, prepared.columns.labels(table), table.reading)
    return 0 if result.success else 1
