"""`leastsq`: the argument func, and what it may return."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from better_cases import SUCCESS
from case_tables import each
from ids import stable
from leastsq_cases import read_only
from samples import (
    START,
    decay,
    decay_jacobian,
)

import lmoo

RETURNS: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda f: f.tolist(),
    "tuple": lambda f: tuple(f.tolist()),
    "list of numpy scalars": list,
    "every second": lambda f: np.repeat(f, 2)[::2],
    "backwards": lambda f: f[::-1].copy()[::-1],
    "column of a matrix": lambda f: np.column_stack([f, f])[:, 1],
    "byte-swapped": lambda f: f.astype(f.dtype.newbyteorder()),
    "read-only": read_only,
}


@each("kind", RETURNS.values(), ids=RETURNS)
@each("Dfun", [None, decay_jacobian], ids=["differences", "Dfun"])
def test_func_may_return_any_sequence(leastsq: Callable[..., Any], kind: Any, Dfun: Any) -> None:
    x, _, info, _, ier = leastsq(lambda p: kind(decay(p)), START, Dfun=Dfun, full_output=True)
    expected, _, expected_info, _, expected_ier = leastsq(decay, START, Dfun=Dfun, full_output=True)
    np.testing.assert_array_equal(x, expected)
    np.testing.assert_array_equal(info["fvec"], expected_info["fvec"])
    assert (ier, info["nfev"]) == (expected_ier, expected_info["nfev"])


@pytest.mark.parametrize("kind", [float, np.float64, np.array, lambda v: [v]], ids=stable)
def test_func_may_return_a_scalar(leastsq: Callable[..., Any], kind: Any) -> None:
    x, _, info, _, _ = leastsq(lambda p: kind(p[0] ** 2 - 2.0), 1.0, full_output=True)
    np.testing.assert_allclose(x, [math.sqrt(2.0)], rtol=1e-12)
    assert info["fvec"].size == 1
    assert info["fjac"].shape == (1, 1)


def test_fvec_of_a_scalar_has_one_dimension() -> None:
    # scipy's is 0-d.
    info = lmoo.leastsq(lambda p: p[0] ** 2 - 2.0, 1.0, full_output=True)[2]
    assert info["fvec"].shape == (1,)


@pytest.mark.parametrize(
    "kind", [list, tuple, np.array, lambda v: np.array(v, np.int16)], ids=stable
)
def test_func_may_return_integers(leastsq: Callable[..., Any], kind: Any) -> None:
    x, _, info, _, ier = leastsq(
        lambda p: kind([int(p[0]) - 6, 3 * int(p[0])]), 3.0, Dfun=lambda p: [[1], [3]],
        full_output=True,
    )  # fmt: skip
    # One step of the linear problem goes to 0.6, which int() makes a worse 0: back to the start.
    assert info["fvec"].dtype == float
    np.testing.assert_array_equal(info["fvec"], kind([int(x[0]) - 6, 3 * int(x[0])]))
    assert ier in (1, 2, 3)


def test_func_may_return_float32(leastsq: Callable[..., Any]) -> None:
    x, _, info, _, ier = leastsq(lambda p: decay(p).astype(np.float32), START, full_output=True)
    assert ier in (1, 2, 3)
    assert info["fvec"].dtype == float
    np.testing.assert_allclose(x, leastsq(decay, START)[0], rtol=1e-3)


BAD_RETURNS: list[Any] = [
    pytest.param(lambda p: np.ones((3, 3)), r"shape \(3, 3\)", id="2-D"),
    pytest.param(lambda p: np.ones((4, 1)) * p[0], r"shape \(4, 1\)", id="column"),
    pytest.param(lambda p: np.ones((1, 4)) * p[0], r"shape \(1, 4\)", id="row"),
    pytest.param(lambda p: [[p[0], 1.0], [2.0, 3.0]], r"shape \(2, 2\)", id="nested list"),
    pytest.param(lambda p: p[0] * np.array([1j, 1.0, 2.0]), "complex numbers", id="complex"),
    pytest.param(lambda p: [1j, p[0], 1.0], "complex numbers", id="list with a complex"),
    pytest.param(lambda p: [[p[0], 1.0], [2.0]], "no array: .*inhomogeneous", id="ragged"),
    pytest.param(lambda p: None, "returned None$", id="None"),
    pytest.param(lambda p: "3.0", "a str or several", id="str"),
    pytest.param(lambda p: ["1", "2", "3"], "a str or several", id="list of str"),
    pytest.param(lambda p: [p[0], None, 1.0], "Python objects", id="list with a None"),
]


# scipy raises its own minpack.error for some, and takes None for a nan: ours only.
@each("x0", [[2.0], [2.0, 3.0]], ids=["n=1", "n=2"])
@pytest.mark.parametrize(("func", "says"), BAD_RETURNS)
def test_func_that_returns_no_real_vector_is_an_error_that_says_so(
    func: Any, says: str, x0: list[float]
) -> None:
    with pytest.raises(TypeError, match=f"^func must return a 1-D array of real numbers; .*{says}"):
        lmoo.leastsq(func, x0)


@pytest.mark.parametrize(("func", "says"), BAD_RETURNS)
def test_func_that_turns_bad_later_is_the_same_error(func: Any, says: str) -> None:
    calls: list[int] = []

    def changing(p: np.ndarray) -> Any:
        calls.append(1)
        return [p[0] - 1.0, p[0] * p[0], 1.0] if len(calls) < 4 else func(p)

    with pytest.raises(TypeError, match=f"^func must return a 1-D array of real numbers; .*{says}"):
        lmoo.leastsq(changing, [2.0])
    assert len(calls) == 4


@pytest.mark.parametrize("full_output", [False, True])
@pytest.mark.parametrize(
    ("func", "n"),
    [(lambda p: [1.0], 2), (lambda p: 1.0, 3), (lambda p: p[1:] - 1.0, 4), (lambda p: [], 1)],
    ids=["1<2", "scalar<3", "3<4", "0<1"],
)
def test_m_below_n_is_a_type_error_programs_match_on(
    leastsq: Callable[..., Any], func: Any, n: int, full_output: bool
) -> None:
    with pytest.raises(TypeError, match=rf"^Improper input: func input vector length N={n}\b"):
        leastsq(func, np.ones(n), full_output=full_output)


@pytest.mark.parametrize("Dfun", [None, decay_jacobian], ids=["differences", "Dfun"])
@each("change", [lambda f: f[:-1], lambda f: np.append(f, 0.0), lambda f: f[:1]])
@each("at", [3, 4, 5])  # scipy does not compare its first two, hidden calls
def test_length_that_changes_between_calls_is_a_value_error(
    leastsq: Callable[..., Any], change: Any, at: int, Dfun: Any
) -> None:
    calls: list[int] = []

    def func(p: np.ndarray) -> np.ndarray:
        calls.append(1)
        return decay(p) if len(calls) < at else change(decay(p))

    with pytest.raises(ValueError):
        leastsq(func, START, Dfun=Dfun)


def test_length_that_changes_at_the_second_call_is_a_value_error() -> None:
    lengths = iter([9, 8])
    with pytest.raises(ValueError):
        lmoo.leastsq(lambda p: decay(p)[: next(lengths)], START)


def test_length_is_fixed_for_one_solve_only(leastsq: Callable[..., Any]) -> None:
    for m in (4, 9, 2):
        fvec = leastsq(lambda p, m=m: decay(p)[:m], START, full_output=True)[2]["fvec"]
        assert fvec.shape == (m,)


# What the compiled table of a third party may be is tested with the extension;
# here: leastsq asks no more of a callable than that it can be called.


class Model:
    """A callable object without __name__, without a signature, that is not hashable."""

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return decay(x)

    def method(self, x: np.ndarray) -> np.ndarray:
        return decay(x)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        return decay_jacobian(x)


@pytest.mark.parametrize(
    "func",
    [Model(), Model().method, functools.partial(Model.method, Model()), np.vectorize(decay,
     signature="(n)->(m)")],
    ids=["object", "method", "partial", "vectorize"],
)  # fmt: skip
def test_func_may_be_any_callable(leastsq: Callable[..., Any], func: Any) -> None:
    x, ier = leastsq(func, START, Dfun=Model().jacobian)
    np.testing.assert_array_equal(x, leastsq(decay, START, Dfun=decay_jacobian)[0])
    assert ier in SUCCESS


@pytest.mark.parametrize(
    ("func", "solution"),
    [
        (np.sin, 0.0),
        (np.log, 1.0),
        (operator.neg, 0.0),
        (operator.methodcaller("dot", np.array([2.0])), 0.0),
        (operator.itemgetter(0), 0.0),
    ],
    ids=["ufunc sin", "ufunc log", "neg", "method dot", "item"],
)
def test_func_may_be_compiled(leastsq: Callable[..., Any], func: Any, solution: float) -> None:
    x, ier = leastsq(func, 0.75)
    assert ier in SUCCESS
    np.testing.assert_allclose(x, [solution], atol=1e-7)
