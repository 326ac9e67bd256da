"""Rules for the order of magnitude of a parameter."""

from typing import Any

import numpy as np

from lmoo._core.arrays import Array
from lmoo.models.starts.functions import EXPONENTIALS
from lmoo.models.starts.numbers import (
    finite_range,
    last_row,
    log_uniform,
    magnitude_range,
    nearest_to_zero,
    root,
    signed_root,
    split_unit,
)
from lmoo.models.starts.rules import Context, Rule
from lmoo.models.starts.widths import draw_width


class ArgumentRule(Rule):
    """A factor in the argument of a function: the argument changes by 1 somewhere in the data."""

    priority = 3

    def _draw(self, u: Array, context: Context) -> tuple[Any, Any]:
        factor = np.atleast_2d(context.factor)
        change = factor - nearest_to_zero(factor)
        least, most = magnitude_range(np.abs(change))
        smallest, largest = magnitude_range(np.abs(factor))
        if self.form.function not in EXPONENTIALS:
            least, most = np.fmin(least, smallest), np.fmax(most, largest)
        # An argument that is the same in all rows is of the size of 1 itself.
        least = np.where(np.isfinite(least), least, largest)
        most = np.where(np.isfinite(most), most, largest)
        (up, down), chosen = split_unit(u, 0.65, 0.35)
        share = np.where(chosen == 0, up, down)
        change = np.abs(change)
        size = draw_width(share, 0.05 / most, 3.0 / least, change, change, context.data)
        return signed_root(size, context.exponent, np.where(chosen == 0, 1.0, -1.0)), -1


class ExponentRule(Rule):
    """An exponent: of the size of 1, or such that the power changes by a factor of about e."""

    priority = 4

    def _draw(self, u: Array, context: Context) -> tuple[Any, Any]:
        (up, down), chosen = split_unit(u, 0.7, 0.3)
        share = np.where(chosen == 0, up, down)
        sign = np.where(chosen == 0, 1.0, -1.0)
        size = log_uniform(share, 0.1, 10.0)
        parent = self.form.top.parent
        assert parent is not None
        base = parent.children[0]
        if not base.parameters & ~self.known:
            logarithm = np.log(np.abs(context.values(base)))
            low, high = finite_range(np.atleast_2d(logarithm))
            (plain, wide), which = split_unit(share, 0.5, 0.5)
            by_data = log_uniform(wide, 0.05, 50.0) / (high - low)
            plain_size = log_uniform(plain, 0.1, 10.0)
            size = np.where((which == 1) & np.isfinite(by_data), by_data, plain_size)
        return signed_root(size / np.abs(last_row(context.factor)), context.exponent, sign), -1


class BalanceRule(Rule):
    """A term ``B p^e`` of a sum: as large as the other terms somewhere in the data."""

    priority = 5

    def _draw(self, u: Array, context: Context) -> tuple[Any, Any]:
        others = context.offset
        if not np.isfinite(others).any() or (np.asarray(others) == 0.0).all():
            target = self._required(context)
            others = np.ones(1) if target is None else target
        ratio = np.atleast_2d(others / context.factor)
        least, most = magnitude_range(np.abs(ratio))
        (same, other), chosen = split_unit(u, 0.75, 0.25)
        share = np.where(chosen == 0, same, other)
        change = 1.0 / np.abs(ratio)
        size = draw_width(share, least / 3.0, 3.0 * most, change, change, context.data)
        sign = np.sign(last_row(ratio)) * np.where(chosen == 0, 1.0, -1.0)
        return signed_root(size, context.exponent, sign), -1


class ConstantRule(Rule):
    """A constant for which the model has the values of the data, or of the size of 1."""

    priority = 6

    def _draw(self, u: Array, context: Context) -> tuple[Any, Any]:
        target = self._required(context)
        if target is None:
            (up, down), chosen = split_unit(u, 0.7, 0.3)
            least, most = magnitude_range(np.abs(np.atleast_2d(context.factor)))
            size = log_uniform(np.where(chosen == 0, up, down), 0.1 / most, 10.0 / least)
            return signed_root(size, context.exponent, np.where(chosen == 0, 1.0, -1.0)), -1
        known = np.where(np.isfinite(context.offset), context.offset, 0.0)
        wanted = np.atleast_2d((target - known) / context.factor)
        low, high = finite_range(wanted)
        least, most = magnitude_range(np.abs(wanted))
        (even, log), chosen = split_unit(u, 0.5, 0.5)
        by_size = np.sign(last_row(wanted)) * log_uniform(log, least, most)
        found = np.where(chosen == 0, low + even * (high - low), by_size)
        return root(found, context.exponent), -1


class GenericRule(Rule):
    """A parameter whose place in the model does not determine its magnitude.

    It is drawn between the smallest and the largest of the units of the data.
    """

    priority = 7

    def _draw(self, u: Array, context: Context) -> tuple[Any, Any]:
        units = [1.0]
        for column in (*context.data.t, context.data.y):
            bounds = magnitude_range(np.abs(np.atleast_2d(column)))
            for unit in (*(float(size[0, 0]) for size in bounds), float(np.ptp(column))):
                units += [unit, 1.0 / unit] if unit > 0.0 and np.isfinite(unit) else []
        (up, down), chosen = split_unit(u, 0.7, 0.3)
        size = log_uniform(np.where(chosen == 0, up, down), 0.1 * min(units), 10.0 * max(units))
        return np.where(chosen == 0, size, -size), -1
