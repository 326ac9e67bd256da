"""The signature of `least_squares`, and the fields, statuses and messages of its result."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from least_squares_cases import START, TIGHT, curve, curve_jacobian, rosenbrock

import lmoo
from lmoo import least_squares


def test_the_signature_is_scipys() -> None:
    ours = inspect.signature(least_squares).parameters
    theirs = inspect.signature(scipy.optimize.least_squares).parameters
    assert list(ours) == list(theirs)
    for name, parameter in theirs.items():
        assert ours[name].kind is parameter.kind
        if name == "kwargs":
            # scipy shares one dict between all calls.
            assert not ours[name].default
        else:
            assert ours[name].default == parameter.default


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_the_result_has_scipys_fields(method: str) -> None:
    ours = least_squares(rosenbrock, START, method=method)
    theirs = scipy.optimize.least_squares(rosenbrock, START, method=method)
    assert set(theirs) - {"nit"} == set(ours)
    for name in ours:
        assert getattr(ours, name) is ours[name]
        if name != "njev" or method != "lm":
            assert np.shape(ours[name]) == np.shape(theirs[name])
    assert ours.njev is None if method == "lm" else type(ours.njev) is int
    assert type(ours.nfev) is int
    assert type(ours.cost) is type(ours.optimality) is np.float64
    assert type(ours.status) is int
    assert type(ours.success) is bool
    assert type(ours.message) is str
    assert ours.active_mask.dtype.kind == "i"
    np.testing.assert_allclose(ours.x, [1.0, 1.0], rtol=1e-7)


def test_attributes_can_be_set_listed_and_pickled() -> None:
    result = least_squares(rosenbrock, START)
    result.mine = 3
    assert result["mine"] == 3
    assert "mine" in dir(result)
    del result.mine
    with pytest.raises(AttributeError, match="no 'mine'; it has x, cost, fun"):
        _ = result.mine
    assert pickle.loads(pickle.dumps(result)).cost == result.cost
    assert "   message: '`" in repr(result)


@pytest.mark.parametrize("loss", ["linear", "huber", "soft_l1", "cauchy", "arctan"])
def test_values_belong_together(loss: str) -> None:
    result = least_squares(curve, [2, 1, 0.2], loss=loss, f_scale=0.1, **TIGHT)
    np.testing.assert_array_equal(result.fun, curve(result.x))
    z = (result.fun / 0.1) ** 2
    rho, slope, _ = getattr(lmoo.losses, loss)(z)
    assert result.cost == pytest.approx(0.5 * 0.1**2 * rho.sum(), rel=1e-12)
    exact = curve_jacobian(result.x).T @ (slope * result.fun)
    np.testing.assert_allclose(result.grad, exact, atol=1e-7)
    assert result.optimality == np.abs(result.grad).max()
    theirs = scipy.optimize.least_squares(
        curve, [2, 1, 0.2], curve_jacobian, loss=loss, f_scale=0.1, **TIGHT
    )
    hessian = theirs.jac.T @ theirs.jac
    # scipy takes less for the points beyond the inflection of rho.
    np.testing.assert_allclose(result.jac.T @ result.jac, hessian, rtol=0.05, atol=0.5)
    np.testing.assert_allclose(result.x, theirs.x, rtol=1e-8)
    assert result.cost == pytest.approx(theirs.cost, rel=1e-12)


def test_statuses() -> None:
    def status(**options: Any) -> int:
        off = {"ftol": None, "xtol": None, "gtol": None}
        return int(least_squares(curve, [2, 1, 0.2], **{**off, **options}).status)

    assert status(ftol=1e-8) == 2
    assert status(xtol=1e-8) == 3
    assert status(gtol=1e-8) == 1
    assert status(ftol=1e-8, max_nfev=2) == 0
    stopped = least_squares(curve, [2, 1, 0.2], callback=lambda x: True)
    assert (stopped.status, stopped.success) == (-2, False)
    assert stopped.message.startswith("Stopped because `callback`")
    assert least_squares(rosenbrock, [1.0, 1.0]).status == 1
    nowhere = least_squares(lambda x: np.array([1.0, 2.0]) + 0 * x, [1.0, 1.0])
    assert (nowhere.status, nowhere.success) == (-3, False)
    assert nowhere.message.startswith("No minimum was found: no parameter has an effect")


@pytest.mark.parametrize("name", ["ftol", "xtol", "gtol"])
def test_messages_name_the_condition(name: str) -> None:
    options: dict[str, Any] = {"ftol": None, "xtol": None, "gtol": None, name: 1e-6}
    result = least_squares(curve, [2, 1, 0.2], **options)
    assert result.message.startswith(f"`{name}` termination condition is satisfied")
