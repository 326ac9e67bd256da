"""What may be written for bounds and fixed parameters, what it means, and what is refused."""

from __future__ import annotations

import pickle
import types
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds

from lmoo.bounds import frozen_bounds, frozen_fixed, limits

NAMES = ("amplitude", "rate", "offset")
INF = float("inf")


def meaning(bounds: Any = None, fixed: Any = None, names: Any = NAMES) -> Any:
    """The three arrays as lists, after a look at their types."""
    arrays = limits(bounds, fixed, names, 3)
    assert [a.dtype for a in arrays] == [np.float64, np.float64, np.bool_]
    assert [a.shape for a in arrays] == [(3,)] * 3
    return tuple(a.tolist() for a in arrays)


FREE = [-INF] * 3, [INF] * 3, [False] * 3


@pytest.mark.parametrize(
    ("bounds", "lower", "upper"),
    [
        (None, [-INF] * 3, [INF] * 3),
        ((-INF, INF), [-INF] * 3, [INF] * 3),
        ((None, 2), [-INF] * 3, [2] * 3),
        ((0, 1), [0] * 3, [1] * 3),
        ([0, 1.5], [0] * 3, [1.5] * 3),
        ((np.float32(0), np.int64(1)), [0] * 3, [1] * 3),
        (([0, 1, 2], [3, 4, 5]), [0, 1, 2], [3, 4, 5]),
        (((0, None, -INF), INF), [0, -INF, -INF], [INF] * 3),
        (np.array([[0, 1, 2], [3, 4, 5]]), [0, 1, 2], [3, 4, 5]),
        (Bounds([0, 1, 2], 7), [0, 1, 2], [7] * 3),
        (Bounds(0, 7), [0] * 3, [7] * 3),
        (types.SimpleNamespace(lb=-1, ub=[1, 2, 3]), [-1] * 3, [1, 2, 3]),
        ({}, [-INF] * 3, [INF] * 3),
        ({"rate": (0, None)}, [-INF, 0, -INF], [INF] * 3),
        ({"rate": [0, 9], 0: (None, INF), np.int64(2): (-INF, 1)}, [-INF, 0, -INF], [INF, 9, 1]),
    ],
    ids=repr,
)
def test_bounds(bounds: Any, lower: Any, upper: Any) -> None:
    assert meaning(bounds) == (lower, upper, [False] * 3)
    # The form that a Solver keeps means the same.
    assert meaning(frozen_bounds(bounds)) == (lower, upper, [False] * 3)


@pytest.mark.parametrize(
    ("fixed", "held"),
    [
        (None, [False] * 3),
        ((), [False] * 3),
        (["rate"], [False, True, False]),
        (("offset", 0), [True, False, True]),
        ({"rate", "offset"}, [False, True, True]),
        (np.array([1]), [False, True, False]),
        (np.array(["rate"]), [False, True, False]),
        (range(3), [True] * 3),
    ],
    ids=repr,
)
def test_fixed_parameters_that_stay_where_they_start(fixed: Any, held: Any) -> None:
    assert meaning(fixed=fixed) == (FREE[0], FREE[1], held)
    assert meaning(fixed=frozen_fixed(fixed)) == (FREE[0], FREE[1], held)


def test_fixed_parameters_with_values_are_between_equal_bounds() -> None:
    fixed = {"rate": 2, 2: np.float64(-1.0)}
    expected = [-INF, 2, -1], [INF, 2, -1], [False, True, True]
    assert meaning(fixed=fixed) == expected
    assert meaning(fixed=frozen_fixed(fixed)) == expected
    assert meaning({"rate": (0, 2), "amplitude": (0, 1)}, fixed) == (
        [0, 2, -1], [1, 2, -1], [False, True, True]
    )  # fmt: skip


def test_positions_do_without_names() -> None:
    assert meaning({1: (0, 1)}, [2], None) == (
        [-INF, 0, -INF], [INF, 1, INF], [False, False, True]
    )  # fmt: skip


def test_equal_bounds_are_for_fixed_parameters() -> None:
    assert meaning({"rate": (1, 1)}, ["rate"])[2] == [False, True, False]
    with pytest.raises(ValueError, match=r"^bounds .* those of rate are 1\.0 and 1\.0$"):
        meaning({"rate": (1, 1)})
    with pytest.raises(ValueError, match=r"those of rate are 2\.0 and 1\.0"):
        meaning({"rate": (2, 1)}, ["rate"])


def test_the_arrays_are_new() -> None:
    lower, upper = np.zeros(3), np.ones(3)
    found = limits((lower, upper), {"rate": 0.5}, NAMES, 3)
    assert found[0].tolist() == [0, 0.5, 0]
    assert lower.tolist() == [0] * 3
    assert upper.tolist() == [1] * 3


# ----------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("bounds", "error", "match"),
    [
        (5, TypeError, r"^bounds must be a pair .*; it is 5$"),
        ("01", TypeError, r"^bounds must be a pair .*; it is '01'$"),
        ((0,), TypeError, r"^bounds must be a pair"),
        ((0, 1, 2), TypeError, r"^bounds must be a pair .*; it is \(0, 1, 2\)$"),
        (("a", 1), TypeError, r"^bounds must be .*one side is 'a'$"),
        ((1j, 2), TypeError, r"^bounds must be .*one side is 1j$"),
        (([0, [1, 2], 3], 5), TypeError, r"^bounds must be .*one side is \[0, \[1, 2\], 3\]$"),
        ((True, False), TypeError, r"one side is True$"),
        (([[0, 1, 2]], 5), TypeError, r"one side is \[\[0, 1, 2\]\]$"),
        ((np.nan, 1), ValueError, r"^bounds must not be nan"),
        (([0, np.nan, 0], 1), ValueError, r"^bounds must not be nan"),
        (([0, 1], 2), ValueError, r"one lower bound per parameter, 3, .* it has 2$"),
        ((0, [1, 2, 3, 4]), ValueError, r"one upper bound per parameter, 3, .* it has 4$"),
        ((1, 0), ValueError, r"those of amplitude are 1\.0 and 0\.0$"),
        (([0, 5, 0], 5), ValueError, r"those of rate are 5\.0 and 5\.0$"),
        ((INF, INF), ValueError, r"those of amplitude are inf and inf$"),
        ({"speed": (0, 1)}, ValueError, r"^bounds must name one of \('amplitude', .* 'speed'$"),
        ({3: (0, 1)}, ValueError, r"^bounds must give positions from 0 to 2; it has 3$"),
        ({-1: (0, 1)}, ValueError, r"^bounds must give positions from 0 to 2; it has -1$"),
        ({1: (0, 1), "rate": (0, 1)}, ValueError, r"^bounds .* once; rate is there twice$"),
        (
            {1.0: (0, 1)},
            TypeError,
            r"^bounds must give parameters by name or position; it has 1\.0$",
        ),
        ({True: (0, 1)}, TypeError, r"by name or position; it has True$"),
        ({"rate": 1}, TypeError, r"^bounds\['rate'\] must be a pair \(lower, upper\); it is 1$"),
        ({"rate": (0, 1, 2)}, TypeError, r"^bounds\['rate'\] must be a pair"),
        ({"rate": "01"}, TypeError, r"^bounds\['rate'\] must be a pair"),
        ({"rate": ("0", 1)}, TypeError, r"^bounds\['rate'\] must be a real number; it is '0'$"),
        ({"rate": (np.nan, 1)}, ValueError, r"^bounds\['rate'\] must not be nan; it has nan$"),
    ],
    ids=repr,
)
def test_bounds_that_are_refused(bounds: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        meaning(bounds)


@pytest.mark.parametrize(
    ("fixed", "error", "match"),
    [
        ("rate", TypeError, r"^fixed must be a sequence .*; it is 'rate'$"),
        (b"rate", TypeError, r"^fixed must be a sequence"),
        (1, TypeError, r"^fixed must be a sequence .*; it is 1$"),
        ([1.5], TypeError, r"^fixed must give parameters by name or position; it has 1\.5$"),
        ([True, False, True], TypeError, r"^fixed .* it has True$"),
        (["speed"], ValueError, r"^fixed must name one of .* it has 'speed'$"),
        ([3], ValueError, r"^fixed must give positions from 0 to 2; it has 3$"),
        (["rate", 1], ValueError, r"^fixed must give a parameter once; rate is there twice$"),
        ({"rate": "1"}, TypeError, r"^fixed\['rate'\] must be a real number; it is '1'$"),
        ({"rate": np.nan}, ValueError, r"^fixed\['rate'\] must be finite; it is nan$"),
        ({"rate": INF}, ValueError, r"^fixed\['rate'\] must be finite; it is inf$"),
        ({"rate": 1, 1: 1}, ValueError, r"^fixed must give a parameter once"),
    ],
    ids=repr,
)
def test_fixed_that_is_refused(fixed: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        meaning(fixed=fixed)


def test_a_value_outside_the_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match=r"rate is held at 3\.0, and its bounds are 0\.0 and 1\.0"):
        meaning({"rate": (0, 1)}, {"rate": 3})


def test_names_that_do_not_tell() -> None:
    with pytest.raises(ValueError, match=r"^bounds must give positions, as the parameters have no"):
        meaning({"rate": (0, 1)}, names=None)
    with pytest.raises(ValueError, match=r"^fixed must name one of \('a', 'a', 'b'\); it has 'a'$"):
        meaning(fixed=["a"], names=("a", "a", "b"))
    with pytest.raises(ValueError, match="those of parameter 1 are"):
        meaning({1: (1, 0)}, names=None)


# ------------------------------------------------------------------------------- frozen forms


@pytest.mark.parametrize(
    ("bounds", "frozen"),
    [
        (None, None),
        ((0, None), (0.0, INF)),
        ([np.zeros(2), [1, 2]], ((0.0, 0.0), (1.0, 2.0))),
        (types.SimpleNamespace(lb=0, ub=[1, 2]), (0.0, (1.0, 2.0))),
        ({"a": (0, None), np.int64(1): [1, 2]}, {"a": (0.0, INF), 1: (1.0, 2.0)}),
    ],
    ids=repr,
)
def test_frozen_bounds(bounds: Any, frozen: Any) -> None:
    found = frozen_bounds(bounds)
    assert found == frozen
    assert repr(found) == repr(frozen)
    assert hash(found) == hash(frozen_bounds(bounds))
    assert frozen_bounds(found) == found
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("fixed", "frozen"),
    [
        (None, None),
        (["a", np.int64(2)], ("a", 2)),
        ({"a": 1, 2: np.float32(0.5)}, {"a": 1.0, 2: 0.5}),
    ],
    ids=repr,
)
def test_frozen_fixed(fixed: Any, frozen: Any) -> None:
    found = frozen_fixed(fixed)
    assert found == frozen
    assert repr(found) == repr(frozen)
    assert hash(found) == hash(frozen_fixed(fixed))
    assert frozen_fixed(found) == found
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_frozen_mapping_does_not_follow_the_one_it_was_made_from() -> None:
    bounds = {"a": (0, 1), "b": (2, 3)}
    frozen = frozen_bounds(bounds)
    assert isinstance(frozen, Mapping)
    assert hash(frozen) == hash(frozen_bounds(dict(reversed(bounds.items()))))
    bounds["a"] = (5, 6)
    assert frozen["a"] == (0.0, 1.0)
    assert not hasattr(frozen, "__setitem__")


@pytest.mark.parametrize("bounds", [(0,), ("a", 1), {"a": 1}, {"a": (np.nan, 1)}, {1.5: (0, 1)}])
def test_frozen_bounds_refuses_what_no_parameters_could_have(bounds: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="bounds"):
        frozen_bounds(bounds)
