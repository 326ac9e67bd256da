"""`leastsq`: the argument x0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from case_tables import each
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from ids import stable
from leastsq_cases import FAILURES, SUCCESSES, Ending, Recorder, read_only

import lmoo


def target(p: np.ndarray) -> np.ndarray:
    """Leave float64 residuals whatever p is, so that steps depend on its value alone."""
    p = np.asarray(p, float)
    k = np.arange(1.0, p.size + 1.0)
    return np.concatenate([k * p - k**2 / 3.0, 0.1 * (p**2 - k)])


STARTS = {
    "scalar": 2.0,
    "int": 2,
    "True": True,
    "0-d": np.array(2.0),
    "numpy scalar": np.float64(2.0),
    "list": [1.0, 2.0],
    "tuple of ints": (1, 2),
    "nested list": [[1, 2], [3, 4]],
    "2-D": np.arange(1.0, 7.0).reshape(2, 3),
    "2-D Fortran": np.asfortranarray(np.arange(1.0, 7.0).reshape(2, 3)),
    "strided": np.arange(1.0, 9.0)[::-2],
    "integer": np.array([1, 2]),
    "uint8": np.array([1, 200], np.uint8),
    "bool": np.array([True, False]),
    "float16": np.array([1.0, 2.5], np.float16),
    "float32": np.array([1.1, 2.2], np.float32),
    "byte-swapped": np.array([1.1, 2.2], np.dtype(float).newbyteorder()),
    "read-only": read_only([1.1, 2.2]),
    "read-only int": read_only([1, 2]),
}


@each("x0", STARTS.values(), ids=STARTS)
def test_x0_is_flattened_and_cast(leastsq: Callable[..., Any], x0: Any) -> None:
    plain = np.array(np.ravel(x0), float)  # ravel is in C order, whatever the layout
    x, ier = leastsq(target, x0)
    expected, expected_ier = leastsq(target, plain)
    np.testing.assert_array_equal(x, expected)
    assert ier == expected_ier


@each("x0", STARTS.values(), ids=STARTS)
def test_func_always_sees_float64(x0: Any) -> None:
    func, jacobian = Recorder(target), Recorder(lambda p: np.ones((2 * p.size, p.size)))
    lmoo.leastsq(func, x0)
    lmoo.leastsq(target, x0, Dfun=jacobian, maxfev=3, full_output=True)
    assert set(func.seen + jacobian.seen) == {(np.ndarray, np.dtype(float), (np.size(x0),))}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_real_x0_is_taken_and_left_alone(leastsq: Callable[..., Any], data: Any) -> None:
    dtype = data.draw(
        hnp.floating_dtypes(sizes=(16, 32, 64))
        | hnp.integer_dtypes()
        | hnp.unsigned_integer_dtypes()
        | hnp.boolean_dtypes()
    )
    value = st.booleans() if dtype.kind == "b" else st.integers(0 if dtype.kind == "u" else -90, 90)
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, max_side=3))
    x0 = data.draw(hnp.arrays(dtype, shape, elements=value))
    if data.draw(st.booleans()):
        x0 = x0.T
    x0.setflags(write=data.draw(st.booleans()))
    before = x0.tobytes()
    x = leastsq(target, x0, full_output=True)[0]
    assert x0.tobytes() == before
    assert (x.dtype, x.shape) == (np.dtype(float), (x0.size,))
    np.testing.assert_array_equal(x, leastsq(target, x0.ravel().astype(float), full_output=True)[0])


@pytest.mark.parametrize("case", SUCCESSES + FAILURES)
def test_x0_is_never_modified(leastsq: Callable[..., Any], case: Ending) -> None:
    x0 = np.array(case.x0, dtype=float, ndmin=1)
    before = x0.tobytes()
    leastsq(case.func, x0, full_output=True, **case.options)
    assert x0.tobytes() == before


def test_x0_may_be_a_pandas_series_or_frame(leastsq: Callable[..., Any]) -> None:
    pd = pytest.importorskip("pandas")
    # Labels that are numbers in the wrong order: x0 has to be taken by position.
    series = pd.Series([1.0, 2.0, 3.0], index=[2, 0, 1])
    frame = pd.DataFrame({"a": [1, 3], "b": [2, 4]})
    for x0, plain in ((series, [1.0, 2.0, 3.0]), (frame, [1.0, 2.0, 3.0, 4.0])):
        before = x0.copy()
        x, _ = leastsq(target, x0)
        assert type(x) is np.ndarray
        np.testing.assert_array_equal(x, leastsq(target, plain)[0])
        assert x0.equals(before)


@each(
    "x0",
    [
        1j,
        np.array([1.0 + 0.0j, 2.0]),
        np.array([1.0, 2.0], dtype=object),
        [1.0, None],
        None,
        "1.0",
        ["1.0", "2.0"],
        [1.0, "2.0"],
    ],
    ids=stable,
)
@each("full_output", [False, True])
def test_x0_complex_object_str_none_is_a_type_error(
    leastsq: Callable[..., Any], x0: Any, full_output: bool
) -> None:
    with pytest.raises(TypeError):
        leastsq(lambda p: np.zeros(5), x0, full_output=full_output)
