"""The options of ``lmoo fit`` and ``lmoo watch``."""

import argparse

from lmoo.cli.values import file, level, page, picture, scale


def add_fit_options(parser: argparse.ArgumentParser) -> None:
    """Add the data, the model, and the options of a fit and of its output."""
    add = parser.add_argument
    add(
        "data",
        metavar="DATA",
        type=file,
        help="a table: text, Excel, parquet, HDF5 or FITS; - is standard input",
    )
    add("expression", metavar="EXPRESSION", help='the model, such as "a*exp(-b*t) + c"')
    _add_columns(parser.add_argument_group("columns of the data"))
    _add_parameters(parser.add_argument_group("parameters"))
    _add_errors(parser.add_argument_group("losses and errors"))
    _add_outputs(parser.add_argument_group("output"))
    _add_format(parser.add_argument_group("form of the data", "found from the file if left out"))


def _add_columns(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--x",
        metavar="[NAME=]COLUMN",
        action="append",
        default=[],
        help="the variable (default: the first column)",
    )
    add("--y", metavar="COLUMN", help='the data to fit: a column, or a formula as "log(y)"')
    add("--sigma", metavar="COLUMN", help="standard deviations of y: a column, a formula, or 0.1")
    add(
        "--sigma-x",
        metavar="COLUMN",
        help="standard deviations of the variable: distances from the curve are fitted",
    )
    add(
        "--nan-policy",
        choices=("raise", "omit"),
        default="raise",
        help="rows with missing values: an error, or left out",
    )


def _add_parameters(group: argparse._ArgumentGroup) -> None:
    def add(*names: str, metavar: str, help: str) -> None:
        group.add_argument(*names, metavar=metavar, help=help, action="append", default=[])

    # The arguments of the functions in Python are called p0 and fixed.
    add("--start", "--p0", metavar="a=1,b=1", help="starting values; found if left out")
    add("--bounds", metavar="b=0:,c=-1:1", help="bounds, lower:upper")
    add(
        "--fix", "--fixed", metavar="c=0", help="fixed parameters; without a value at their --start"
    )
    add("--tie", metavar="c=a/2", help="a parameter that follows from others; repeatable")
    add("--prior", metavar="a=3.1:0.2", help="known before: mean:standard deviation")
    add("--constraint", metavar='"a <= b"', help="a linear constraint; repeatable")
    add("--derived", metavar="NAME=a/b", help="a further quantity; repeatable")


def _add_errors(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--loss",
        choices=("linear", "huber", "soft_l1", "cauchy", "arctan", "tukey"),
        default="linear",
        help="a robust loss, by which outliers count less",
    )
    add(
        "--f-scale",
        metavar="C",
        type=scale,
        help="residual, over sigma, of an outlier, or mad to estimate it (default: mad)",
    )
    add(
        "--absolute-sigma",
        action="store_true",
        help="sigma is known, and not scaled by the residual",
    )
    add("--level", type=level, default=0.95, help="level of confidence intervals (default: 0.95)")


def _add_outputs(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--plot",
        metavar="FILE",
        type=picture,
        help="draw data and fit, as .png, .svg or .pdf (needs matplotlib)",
    )
    add(
        "--report",
        metavar="FILE",
        type=page,
        help="write a page with the report and the pictures, as .html",
    )
    add(
        "--json",
        metavar="FILE",
        type=file,
        help="write the result as JSON; - prints it, without the report",
    )
    add("--force", action="store_true", help="overwrite files that exist")


def _add_format(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--sep", metavar="CHAR", help="separator: tab, comma, semicolon, pipe, space, or another")
    add("--decimal", metavar="MARK", help="decimal mark: point or comma")
    add("--comment", metavar="MARK", help="what begins a comment, such as %% or //")
    add("--skip", metavar="LINES", help="number of lines at the top that are not read")
    add("--encoding", metavar="NAME", help="encoding of the text, such as utf-16 or latin-1")
    add(
        "--missing",
        metavar="TEXT",
        action="append",
        default=[],
        help="what stands for a missing value, besides NA, NaN, ?, -- and an empty cell",
    )
    add(
        "--sheet",
        metavar="NAME",
        help="sheet of a workbook, data set or group of HDF5, extension of FITS",
    )
