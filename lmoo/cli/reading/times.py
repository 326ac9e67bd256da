"""Dates and times of day as seconds."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import numpy as np

from lmoo._core.arrays import Array
from lmoo.cli.reading.errors import DataError, cut

_CLOCK = r"([0-9]{1,3}):([0-9]{2})(?::([0-9]{2}(?:[.,][0-9]*)?))?(?:\s?([ap])\.?m\.?)?"
_ZONE = r"(?:\s?(z|utc|gmt|[+-][0-9]{2}:?(?:[0-9]{2})?))?"
_DATE = (
    r"([0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2})"
    r"|[0-9]{1,2}[- ][a-z]{3}[- ][0-9]{4}|[0-9]{4}-[a-z]{3}-[0-9]{1,2})"
)
_FLAGS = re.ASCII | re.IGNORECASE
_CLOCKS = re.compile(_CLOCK, _FLAGS)
_DATES = re.compile(_DATE, _FLAGS)
_BOTH = re.compile(rf"{_DATE}(?:(?:t|,?\s+){_CLOCK}{_ZONE})?", _FLAGS)
_HALF_DAY = 43200.0
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def is_clock(cell: str) -> bool:
    """Return whether a cell is a time of day or a duration, such as ``12:30:00.5``."""
    return _CLOCKS.fullmatch(cell) is not None


def is_date(cell: str) -> bool:
    """Return whether a cell is a date without a time, such as ``2024-01-31``."""
    return _DATES.fullmatch(cell) is not None


def is_time(cell: str) -> bool:
    """Return whether a cell is a date, a time or both."""
    return _BOTH.fullmatch(cell) is not None or is_clock(cell)


def join(dates: Sequence[str], clocks: Sequence[str]) -> list[str]:
    """Return the cells of a column of dates and a column of times as one column."""
    return [f"{date} {clock}" if clock else "" for date, clock in zip(dates, clocks, strict=True)]


def seconds(where: str, cells: Sequence[str], lines: Sequence[int]) -> Array:
    """Return dates as seconds since the first of them, times of day as seconds since midnight.

    Parameters
    ----------
    where : str
        Names the column, for messages.
    cells : sequence of str
    lines : sequence of int
        Numbers of the lines, for messages.

    Returns
    -------
    (m,) float64 array

    Raises
    ------
    DataError
        A cell is no time; the order of day and month is not known; some dates have a zone and
        others not; or times of day pass midnight.

    Examples
    --------
    >>> from lmoo.cli.reading.times import seconds
    >>> seconds("column 1", ["31.01.2024 23:59:30", "01.02.2024 00:00:00"], [1, 2])
    array([ 0., 30.])
    >>> seconds("column 1", ["00:01:30"], [1])
    array([90.])
    """
    if is_clock(cells[0]):
        return _clocks(where, cells, lines)
    matches = []
    for cell, line in zip(cells, lines, strict=True):
        match = _BOTH.fullmatch(cell)
        if match is None:
            raise DataError(f"{where}, line {line}: expected a date, found {cut(cell)}")
        matches.append(match)
    order = _order(where, [match.group(1) for match in matches])
    moments = []
    for match, line in zip(matches, lines, strict=True):
        try:
            moments.append(_moment(match, order))
        except ValueError as error:
            raise DataError(f"{where}, line {line}: {cut(match.group())}: {error}") from error
    if len({moment.tzinfo is None for moment in moments}) > 1:
        raise DataError(f"{where}: some times have a time zone and others have none")
    first = moments[0]
    whole: Array = np.array([(moment - first).total_seconds() for moment in moments])
    # Moments have whole seconds: datetime would round the rest to microseconds.
    parts: Array = np.array([_fraction(match.group(4)) for match in matches])
    whole += parts - parts[0]
    return whole


def _clocks(where: str, cells: Sequence[str], lines: Sequence[int]) -> Array:
    found = np.empty(len(cells))
    for k, (cell, line) in enumerate(zip(cells, lines, strict=True)):
        match = _CLOCKS.fullmatch(cell)
        if match is None:
            raise DataError(f"{where}, line {line}: expected a time, found {cut(cell)}")
        if match.group(3) is None and match.group(4) is None:
            raise DataError(
                f"{where}, line {line}: {cut(cell)} may be hours and minutes, or minutes and "
                "seconds; write hh:mm:ss, or give a column of dates too"
            )
        try:
            found[k] = _of_day(*match.groups())
        except ValueError as error:
            raise DataError(f"{where}, line {line}: {cut(cell)}: {error}") from error
        if k and found[k] < found[k - 1] - _HALF_DAY:
            raise DataError(
                f"{where}, line {line}: the times pass midnight; a column of dates is needed too"
            )
    return found


def _of_day(hour: str, minute: str, second: str | None, half: str | None) -> float:
    """Return seconds since midnight; a time of two numbers has hours and minutes."""
    hours, minutes = int(hour), int(minute)
    value = float((second or "0").replace(",", "."))
    if minutes > 59 or value >= 61:
        raise ValueError("minutes and seconds are below 60")
    if half is not None:
        if not 1 <= hours <= 12:
            raise ValueError("hours before am and pm are 1 to 12")
        hours = hours % 12 + (12 if half.lower() == "p" else 0)
    return 3600.0 * hours + 60.0 * minutes + value


def _order(where: str, dates: Sequence[str]) -> str:
    """Return the order of the numbers in dates: "ymd", "dmy", "mdy" or "name"."""
    parts = [re.split(r"[-/. ]", date) for date in dates]
    if len({(len(part[0]) == 4, part[1].isalpha()) for part in parts}) > 1:
        raise DataError(f"{where} has dates of several forms")
    if any(part[1].isalpha() for part in parts):
        return "name"
    if any(len(part[0]) == 4 for part in parts):
        return "ymd"
    if len(set(dates)) == 1:
        # Only differences count, and there are none.
        return "dmy" if int(parts[0][1]) <= 12 else "mdy"
    short = any(len(part[2]) == 2 for part in parts)
    points = all("." in date for date in dates)
    if short and (len({part[2] for part in parts}) > 1 or (not points and _year_first(parts))):
        raise DataError(
            f"{where}: {cut(dates[0])} has a year of two digits; write dates as 2024-01-31"
        )
    if points:
        return "dmy"
    day_first = any(int(part[0]) > 12 for part in parts)
    month_first = any(int(part[1]) > 12 for part in parts)
    if day_first == month_first:
        raise DataError(
            f"{where}: {cut(dates[0])} may have the day or the month first; write dates as "
            "2024-01-31"
        )
    return "dmy" if day_first else "mdy"


def _year_first(parts: Sequence[Sequence[str]]) -> bool:
    """Return whether all dates may be year, month and day, with two digits each."""
    return all(
        len(first) == 2 and 1 <= int(second) <= 12 and len(last) == 2 and 1 <= int(last) <= 31
        for first, second, last in parts
    )


def _moment(match: "re.Match[str]", order: str) -> datetime:
    """Return the date and the time without the decimals of its seconds."""
    date, hour, minute, second, half, zone = match.groups()
    a, b, c = re.split(r"[-/. ]", date)
    if order == "name":
        month = _MONTHS.index(b.lower()) + 1 if b.lower() in _MONTHS else 0
        year, day = (int(a), int(c)) if len(a) == 4 else (int(c), int(a))
    else:
        numbers = dict(zip(order, map(int, (a, b, c)), strict=True))
        year, month, day = numbers["y"], numbers["m"], numbers["d"]
    moment = datetime(year if year > 99 else 2000 + year, month, day)
    if hour is not None:
        if int(hour) > 24:
            raise ValueError("hours are 0 to 24")
        moment += timedelta(seconds=math.floor(_of_day(hour, minute, second, half)))
    return moment if zone is None else moment.replace(tzinfo=_zone(zone))


def _fraction(second: str | None) -> float:
    """Return the decimals of the seconds of a time."""
    _, _, digits = (second or "").replace(",", ".").partition(".")
    return float(f"0.{digits}") if digits else 0.0


def _zone(text: str) -> timezone:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-shift if text[0] == "-" else shift)
