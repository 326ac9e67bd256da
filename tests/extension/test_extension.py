"""The example packages, built against an installed lmoo; run by .ci/wheel, in its environment."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import lmoo

models = pytest.importorskip("lmoo_example.models")
fits = pytest.importorskip("lmoo_example_c.fits")

T = np.linspace(0, 4, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.01 * np.random.default_rng(1).standard_normal(20)
START = [1.0, 1.0, 0.0]
KINDS = [models.Decay, models.DecayWithoutJacobian, models.DecayBoth]
BEST = lmoo.Solver().solve(
    lmoo.FunctionProblem(lambda x: x[0] * np.exp(-x[1] * T) + x[2] - Y), START
)


@pytest.mark.parametrize("kind", KINDS)
def test_solver_and_leastsq(kind):
    problem = kind(T, Y)
    result = lmoo.Solver().solve(problem, START)
    assert result.success
    np.testing.assert_allclose(result.x, BEST.x, rtol=1e-9)
    np.testing.assert_allclose(result.standard_errors, BEST.standard_errors, rtol=1e-6)
    x, _, info, _, ier = lmoo.leastsq(problem, START, full_output=True)
    np.testing.assert_allclose(x, BEST.x, rtol=1e-6)
    assert 1 <= ier <= 4
    assert ("njev" in info) == problem.provides_jacobian
    assert problem.provides_jacobian == (kind is not models.DecayWithoutJacobian)


def test_the_python_view():
    problem = models.Decay(T, Y)
    np.testing.assert_allclose(problem.residual(BEST.x), BEST.residual, atol=1e-9)
    assert lmoo.check_jacobian(problem, START)
    np.testing.assert_array_equal(models.DecayBoth(T, Y).jacobian(START), problem.jacobian(START))


def test_return_codes():
    problem = models.Decay(T, Y)
    assert lmoo.Solver(factor=100.0).solve(problem, [1.0, 0.1, 0.0]).success
    problem.answer = -3
    with pytest.raises(lmoo.EvaluationError) as caught:
        lmoo.Solver().solve(problem, [1.0, -1.0, 0.0])
    assert caught.value.code == -3
    with pytest.raises(NotImplementedError, match="must provide residual"):
        lmoo.leastsq(models.Empty(2, 1), [1.0])


def test_pickled_in_the_middle():
    steps = lmoo.Solver().iterate(models.Decay(T, Y), START)
    next(steps)
    again = pickle.loads(pickle.dumps(steps))
    assert [step.cost for step in steps] == [step.cost for step in again]


def test_strategies_as_tables():
    problem = models.DecayWithoutJacobian(T, Y)
    solver = lmoo.Solver(
        jacobian=lmoo.CompiledJacobian(models.one_sided), step=lmoo.CompiledStep(models.marquardt)
    )
    result = solver.solve(problem, START)
    assert result.success
    np.testing.assert_allclose(result.x, BEST.x, rtol=1e-5)


def test_a_driver_of_ones_own():
    x, status, nfev = models.solve_by_hand(np.array([-1.2, 1.0]))
    np.testing.assert_allclose(x, 1.0, rtol=1e-9)
    assert lmoo.Status(status).success
    assert 5 < nfev < 100


def test_many_solves_without_python():
    starts = np.array([START] * 10) + 0.1 * np.arange(10)[:, None]
    expected = [lmoo.Solver().solve(models.Decay(T, Y), start).x for start in starts]
    statuses = models.solve_many(models.Decay(T, Y), starts)
    assert ((statuses >= 1) & (statuses <= 4)).all()
    np.testing.assert_array_equal(starts, expected)


def test_threads():
    problem = models.Decay(T, Y)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: lmoo.Solver().solve(problem, START).x, range(200)))
    np.testing.assert_array_equal(results, [results[0]] * 200)


def test_from_c():
    x0, x1, status, nfev, calls = fits.minimise(-1.2, 1.0)
    assert (x0, x1) == pytest.approx((1.0, 1.0), rel=1e-9)
    assert lmoo.Status(status).success
    assert nfev == calls


def test_bounds_from_c():
    x0, x1, status = fits.minimise_within(-1.2, 1.0, 0.5)
    assert x0 == 0.5
    assert x1 == pytest.approx(0.25, rel=1e-9)
    assert lmoo.Status(status).success
    # Improper input: a start that lies outside.
    assert fits.minimise_within(0.6, 1.0, 0.5) == (0.6, 1.0, 0)
