"""`Result`: its fields belong together and are stored together."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from result_cases import START, Decay, solved

import lmoo
from lmoo import Solver, Status


def test_the_fields_belong_together() -> None:
    result = Solver().solve(Decay(), START)
    assert result.success is True
    assert isinstance(result.status, Status)
    assert 1 <= result.status <= 4
    assert result.x.shape == (2,)
    np.testing.assert_array_equal(result.residual, Decay().residual(result.x))
    np.testing.assert_allclose(result.cost, 0.5 * (result.residual @ result.residual), rtol=1e-14)
    for number in (result.nfev, result.njev, result.nit):
        assert type(number) is int
        assert number >= 1
    assert type(result.cost) is float
    assert result.degrees_of_freedom == 10
    np.testing.assert_allclose(result.residual_deviation, np.sqrt(2.0 * result.cost / 10))
    assert result.rank == 2
    assert result.undetermined == ()
    assert result.parameter_names == ("amplitude", "rate")


def test_the_message_is_the_reason_with_its_numbers() -> None:
    result = Solver(xtol=3e-9, maxfev=321).solve(Decay(), START)
    assert result.status is Status.XTOL
    assert "no parameter by more than xtol, relative to itself" in result.message
    assert "xtol = 3e-09" in result.message
    assert "maxfev = 321" in result.message


def test_a_result_cannot_be_changed_by_accident() -> None:
    result = Solver().solve(Decay(), START)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.x = np.zeros(2)  # type: ignore[misc]


@pytest.mark.parametrize(
    "again", [lambda r: pickle.loads(pickle.dumps(r)), copy.deepcopy, copy.copy]
)
def test_a_result_can_be_stored(again: Callable[[lmoo.Result], lmoo.Result]) -> None:
    result = Solver().solve(Decay(), START)
    twin = again(result)
    assert str(twin) == str(result)
    assert twin.status is result.status
    np.testing.assert_array_equal(twin.x, result.x)
    np.testing.assert_array_equal(twin.covariance(), result.covariance())


def test_results_do_not_share_their_arrays() -> None:
    result = Solver().solve(Decay(), START)
    before = result.covariance()
    result.covariance().fill(0.0)
    result.standard_errors.fill(0.0)
    result.gradient.fill(0.0)
    np.testing.assert_array_equal(result.covariance(), before)
    assert (result.standard_errors > 0.0).all()


def test_the_gradient_is_jt_f_of_the_last_jacobian() -> None:
    result = Solver(maxfev=2).solve(Decay(), START)
    problem, x = Decay(), np.array(START)
    if result.njev > 1:
        x = result.x
    np.testing.assert_allclose(
        result.gradient, problem.jacobian(x).T @ problem.residual(x), rtol=1e-12
    )


def test_at_a_minimum_the_gradient_is_zero() -> None:
    result = Solver().solve(Decay(), START)
    J = Decay().jacobian(result.x)
    scale = np.linalg.norm(J, axis=0) * np.linalg.norm(result.residual)
    assert (np.abs(result.gradient) <= 1e-6 * scale).all()


def test_names_are_made_up_where_there_are_none() -> None:
    _, _, result = solved()
    assert result.parameter_names == ("x[0]", "x[1]", "x[2]")
