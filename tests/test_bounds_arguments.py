"""What may be written for bounds and fixed parameters, what it means, and what is refused."""

from __future__ import annotations

import pickle
import types
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from ids import stable
from scipy.optimize import Bounds

import lmoo
from lmoo.problems.bounds import limits
from lmoo.problems.boundsforms import frozen_bounds, frozen_fixed

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
    ids=stable,
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
    ids=stable,
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
    assert meaning({"rate": (1, 1)})[2] == [False, True, False]
    assert meaning(([0, 1, 2], [1, 1, 3]))[2] == [False, True, False]
    for nowhere in (INF, -INF):
        with pytest.raises(ValueError, match=r"^bounds .* those of rate are -?inf and -?inf$"):
            meaning({"rate": (nowhere, nowhere)})
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
        (([0, 6, 0], 5), ValueError, r"those of rate are 6\.0 and 5\.0$"),
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
    ids=stable,
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
    ids=stable,
)
def test_fixed_that_is_refused(fixed: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        meaning(fixed=fixed)


def test_a_value_outside_the_bounds_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"rate is fixed at 3\.0, and its bounds are 0\.0 and 1\.0"
    ):
        meaning({"rate": (0, 1)}, {"rate": 3})


def test_names_that_do_not_tell() -> None:
    with pytest.raises(ValueError, match=r"^bounds must give positions, as the parameters have no"):
        meaning({"rate": (0, 1)}, names=None)
    with pytest.raises(ValueError, match=r"^fixed must name one of \('a', 'a', 'b'\); it has 'a'$"):
        meaning(fixed=["a"], names=("a", "a", "b"))
    with pytest.raises(ValueError, match="those of parameter 1 are"):
        meaning({1: (1, 0)}, names=None)


# ------------------------------------------------------------------- two pairs of two numbers

TWO_WAYS = [
    [(0, 1), (0, 5)],
    [(0, 1), (2, 3)],
    ((0, 1), (2, 3)),
    [(0, None), (0, None)],
    ((0, None), (0, None)),
    [(None, 1), (None, 5)],
    [[0, None], [0, None]],
    [[0, 1], [0, 5]],
]

# The lower and the upper bounds of two parameters.
SIDES = [
    (([0, 1], [2, 3]), [0, 1], [2, 3]),
    ([[0, 1], [2, 3]], [0, 1], [2, 3]),
    ((np.array([0, 1]), np.array([2, 3])), [0, 1], [2, 3]),
    (np.array([[0, 1], [0, 5]]), [0, 1], [0, 5]),
    (([0, 1], [0, 5]), [0, 1], [0, 5]),
    (((0, 0), (1, 5)), [0, 0], [1, 5]),
    ([(0, 0), (1, 5)], [0, 0], [1, 5]),
    (((0, -INF), (1, INF)), [0, -INF], [1, INF]),
    ([(-INF, -INF), (INF, INF)], [-INF] * 2, [INF] * 2),
    ([(0, 1), [2, 3]], [0, 1], [2, 3]),
    (Bounds([0, 1], [2, 3]), [0, 1], [2, 3]),
    ((0, (2, 3)), [0, 0], [2, 3]),
    ((0, 1), [0, 0], [1, 1]),
]


@pytest.mark.parametrize("bounds", TWO_WAYS, ids=stable)
def test_two_pairs_that_can_be_read_in_two_ways_are_refused(bounds: Any) -> None:
    match = (
        r"read in two ways: .* <= parameter 0 <= .*\. For the first write a tuple of lists, \(\["
    )
    for call in (lambda: limits(bounds, None, None, 2), lambda: frozen_bounds(bounds)):
        with pytest.raises(ValueError, match=match) as error:
            call()
        # Both of what it says to write are read in one way.
        first, second = (
            str(error.value).split("tuple of lists, ")[1].split("; for the second a mapping, ")
        )
        sides = limits(eval(first, {"inf": INF}), None, None, 2)
        pairs = limits(eval(second, {"inf": INF}), None, None, 2)
        (a, b), (c, d) = ([np.nan if v is None else v for v in pair] for pair in bounds)
        low, high = (lambda v: -INF if v != v else v), (lambda v: INF if v != v else v)
        assert [part.tolist() for part in sides[:2]] == [[low(a), low(b)], [high(c), high(d)]]
        assert [part.tolist() for part in pairs[:2]] == [[low(a), low(c)], [high(b), high(d)]]


@pytest.mark.parametrize(("bounds", "lower", "upper"), SIDES, ids=stable)
def test_what_can_be_read_in_one_way_is(bounds: Any, lower: Any, upper: Any) -> None:
    for form in (bounds, frozen_bounds(bounds), pickle.loads(pickle.dumps(frozen_bounds(bounds)))):
        found = limits(form, None, None, 2)
        assert found[0].tolist() == lower
        assert found[1].tolist() == upper
        assert found[2].tolist() == [a == b for a, b in zip(lower, upper, strict=True)]


def test_tuples_of_curve_fit_are_read_as_scipy_does() -> None:
    both = ((0, 1), (2, 3))
    assert frozen_bounds(both, scipy=True) == ((0.0, 1.0), (2.0, 3.0))
    t = np.linspace(0.0, 1.0, 9)
    popt, _ = lmoo.curve_fit(lambda t, a, b: a * t + b, t, 9.0 * t + 1.5, bounds=both)
    assert popt[0] == 2.0
    for ambiguous in ([(0, 1), (2, 3)], ((0, 1), (0, 5)), [(0, None), (0, None)]):
        with pytest.raises(ValueError, match="bounds can be read in two ways"):
            lmoo.curve_fit(lambda t, a, b: a * t + b, t, t, bounds=ambiguous)
    popt, _ = lmoo.curve_fit(lambda t, a, b: a * t + b, t, 9.0 * t, bounds=([1, -9], [1, 9]))
    assert popt[0] == 1.0


@pytest.mark.parametrize("bounds", [[(2, 3), (0, 1)], ([2, 3], [0, 1]), np.array([[2, 3], [0, 1]])])
def test_pairs_that_make_sense_where_the_sides_do_not_are_a_hint(bounds: Any) -> None:
    hint = (
        r"if they are \(lower, upper\) of each parameter, write \{'a': \(2, 3\), 'b': \(0, 1\)\}$"
    )
    for form in (bounds, frozen_bounds(bounds)):
        with pytest.raises(ValueError, match=rf"those of a are 2\.0 and 0\.0; {hint}"):
            limits(form, None, ("a", "b"), 2)
    with pytest.raises(ValueError, match=r"are 5\.0 and 1\.0$"):
        limits({"a": (0, 1), "b": (5, 1)}, None, ("a", "b"), 2)


def test_equal_infinities_are_no_bounds() -> None:
    with pytest.raises(
        ValueError, match=r"are -inf and -inf; .* write \{0: \(-inf, 1\), 1: \(-inf, 5\)"
    ):
        limits([(-INF, 1), (-INF, 5)], None, None, 2)


def test_a_pair_for_each_of_many_parameters_is_a_hint() -> None:
    with pytest.raises(TypeError, match=r"write a mapping: dict\(enumerate\(bounds\)\)$"):
        meaning([(0, 1), (0, 2), (0, 3)])
    with pytest.raises(TypeError, match=r"it is \(0, 1, 2\)$"):
        meaning((0, 1, 2))


def test_masked_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="bounds must not have masked entries"):
        meaning((np.ma.array([0, 1, 2], mask=[0, 1, 0]), 5))


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
    ids=stable,
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
    ids=stable,
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


@pytest.mark.parametrize(
    ("bounds", "error", "match"),
    [
        ((0,), TypeError, r"^bounds must be a pair \(lower, upper\)"),
        (("a", 1), TypeError, r"^bounds must be a pair \(lower, upper\)"),
        ({"a": 1}, TypeError, r"^bounds\['a'\] must be a pair .*; it is 1$"),
        ({"a": (np.nan, 1)}, ValueError, r"^bounds\['a'\] must not be nan; it has nan$"),
        (
            {1.5: (0, 1)},
            TypeError,
            r"^bounds must give .* by name or position; it has 1\.5$",
        ),
    ],
    ids=["short", "text", "number", "nan", "key"],
)
def test_frozen_bounds_refuses_what_no_parameters_could_have(
    bounds: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        frozen_bounds(bounds)
