"""Units in the line below the names of columns."""

import re
from collections.abc import Sequence

_BRACKETS = re.compile(r"\[[^\[\]]*\]|\([^()]*\)")
_NAMES = """
    s sec secs second seconds min minute minutes h hr hour hours d day days Hz m meter metre mm
    inch in g kg A amp amps ampere amperes V volt volts W watt watts VA J eV keV MeV C coulomb F
    farad H henry Ohm Ohms ohm ohms \u03a9 \u2126 S siemens T tesla gauss G Oe K kelvin \u00b0C
    \u00b0F degC degF celsius deg degree degrees \u00b0 rad Pa bar mbar torr Torr psi atm N Nm L
    l mL M mol mM uM nM \u00b5M % percent ppm ppb dB dBm dBV a.u. au arb. arb.units counts cts
    count cps AU mAU OD RPM rpm lm lx cd Bq Sv Gy px pixel none - 1 emu e.u. \u00c5 angstrom
    micron pH NTU unit units
"""
_PREFIX = "[fpnu\u00b5\u03bcmcdkMGT]?"
_BASE = "(?:s|Hz|m|g|A|V|W|J|eV|C|F|H|[Oo]hms?|\u03a9|\u2126|S|T|K|Pa|bar|N|L|l|M|mol|cm|Oe|emu)"
_POWER = r"(?:(?:\^|\*\*)?[-\u2212\u207b]?[0-9\u00b2\u00b3\u00b9]+)?"
_PRODUCT = re.compile(rf"(?:1/)?{_PREFIX}{_BASE}{_POWER}(?:[\s*/.\u00b7]{_PREFIX}{_BASE}{_POWER})*")
_LOWER = frozenset(_NAMES.lower().split())


def are_units(cells: Sequence[str]) -> bool:
    """Return whether the cells of a line are units, one of them at least not empty.

    Examples
    --------
    >>> from lmoo.cli.reading.units import are_units
    >>> are_units(["s", "mA/cm2"]), are_units(["[s]", ""]), are_units(["time", "current"])
    (True, True, False)
    """
    present = [cell for cell in cells if cell]
    return bool(present) and all(map(_is_unit, present))


def bare(cell: str) -> str:
    """Return a unit without its brackets."""
    return cell[1:-1].strip() if _BRACKETS.fullmatch(cell) else cell


def _is_unit(cell: str) -> bool:
    if len(cell) > 24:
        return False
    if _BRACKETS.fullmatch(cell):
        return True
    return cell.lower() in _LOWER or _PRODUCT.fullmatch(cell) is not None
