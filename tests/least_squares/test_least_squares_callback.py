"""Limits, printed lines, callbacks and further arguments of `least_squares`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from least_squares_cases import START, TIGHT, Array, rosenbrock, rosenbrock_jacobian
from scipy.sparse import csr_array
from scipy.sparse.linalg import aslinearoperator

from lmoo import least_squares


@pytest.mark.parametrize("jac", ["2-point", rosenbrock_jacobian])
@pytest.mark.parametrize("limit", [1, 5])
def test_max_nfev_does_not_count_differences(jac: Any, limit: int) -> None:
    result = least_squares(rosenbrock, START, jac, max_nfev=limit)
    assert result.status == 0
    assert not result.success
    # A step is judged before the first look at the limit.
    assert result.nfev == max(limit, 2)


def test_the_default_limit_is_100_n() -> None:
    calls = 0

    def ever_down(x: Array) -> Array:
        nonlocal calls
        calls += 1
        return np.array([1.0 / (1.0 + abs(x[0]) ** 0.25)])

    result = least_squares(ever_down, [1.0], lambda x: [[-1e-9]], **TIGHT)
    assert result.nfev <= 101


def test_verbose_prints_what_scipy_does(capsys: pytest.CaptureFixture[str]) -> None:
    least_squares(rosenbrock, START)
    assert capsys.readouterr().out == ""
    least_squares(rosenbrock, START, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "termination condition is satisfied" in lines[0]
    assert lines[1].startswith("Function evaluations ")
    assert "initial cost 1.2100e+01, final cost" in lines[1]
    least_squares(rosenbrock, START, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "Iteration", "Total", "nfev", "Cost", "Cost", "reduction", "Step", "norm", "Optimality",
    ]  # fmt: skip
    assert lines[1].split() == ["0", "1", "1.2100e+01"]
    costs = [float(line.split()[2]) for line in lines[1:-2]]
    assert costs == sorted(costs, reverse=True)
    assert len(costs) > 5


def test_callbacks_of_both_signatures() -> None:
    points: list[Array] = []
    found: list[Any] = []
    least_squares(rosenbrock, START, callback=lambda x: points.append(x))
    least_squares(rosenbrock, START, callback=lambda intermediate_result: found.append(
        intermediate_result))  # fmt: skip
    assert len(points) == len(found) > 5
    for x, result in zip(points, found, strict=True):
        np.testing.assert_array_equal(result.x, x)
        np.testing.assert_array_equal(result.fun, rosenbrock(x))
        assert result.cost == pytest.approx(0.5 * result.fun @ result.fun)
    assert found[-1].nit >= len(found)


@pytest.mark.parametrize("kind", [np.asarray, csr_array, aslinearoperator])
def test_callbacks_see_every_step_with_a_jacobian_of_any_kind(
    kind: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    points: list[Array] = []

    def jac(x: Array) -> Any:
        return kind(rosenbrock_jacobian(x))

    result = least_squares(rosenbrock, START, jac, callback=points.append, verbose=2)
    plain = least_squares(rosenbrock, START, jac)
    np.testing.assert_array_equal(points[-1], result.x)
    np.testing.assert_array_equal(plain.x, result.x)
    assert len(points) > 5
    # A line for the titles, the start, each step, and two for the end.
    assert len(capsys.readouterr().out.splitlines()) == len(points) + 4


def test_numbers_that_are_written_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    """As scipy accepts them."""
    expected = least_squares(rosenbrock, START, loss="huber", f_scale=0.5)
    for options in ({"max_nfev": np.inf}, {"verbose": True}, {"f_scale": np.array(0.5)}):
        found = least_squares(rosenbrock, START, **{"loss": "huber", "f_scale": 0.5, **options})
        np.testing.assert_array_equal(found.x, expected.x)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_stop_iteration_ends_the_solve() -> None:
    def stop(intermediate_result: Any) -> None:
        if intermediate_result.cost < 1.0:
            raise StopIteration

    result = least_squares(rosenbrock, START, callback=stop)
    assert result.status == -2
    assert 0.0 < result.cost < 1.0


def test_a_callback_of_lm_is_not_called() -> None:
    with pytest.warns(UserWarning, match="not supported with method='lm'") as caught:
        result = least_squares(rosenbrock, START, method="lm", callback=lambda x: 1 / 0)
    assert caught[0].filename == __file__
    assert result.success


def test_args_and_kwargs_reach_fun_and_jac() -> None:
    def fun(x: Array, a: float, *, b: float) -> Array:
        return np.array([x[0] - a, x[1] - b])

    def jac(x: Array, a: float, *, b: float) -> Array:
        assert (a, b) == (3.0, 4.0)
        return np.eye(2)

    for derivatives in (jac, "2-point", "3-point", "cs"):
        result = least_squares(fun, [0.0, 0.0], derivatives, args=(3.0,), kwargs={"b": 4.0})
        np.testing.assert_allclose(result.x, [3.0, 4.0])


def test_tr_options_have_no_effect() -> None:
    plain = least_squares(rosenbrock, START)
    for solver in (None, "exact", "lsmr"):
        other = least_squares(rosenbrock, START, tr_solver=solver, tr_options={"regularize": False})
        np.testing.assert_array_equal(plain.x, other.x)
