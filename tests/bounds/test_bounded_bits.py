"""Bounds that hold nothing change no bit."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from bound_cases import BOX, BOXES, START, STEP, Decay, T, WithJacobian, decay, solved

import lmoo
from lmoo import Solver


def compiled_curves() -> tuple[np.ndarray, Any]:
    random = np.random.default_rng(4)
    rates = random.uniform(0.8, 2.0, (37, 1))
    return decay(T, 2.0, rates, 0.3) + 0.05 * random.normal(size=(37, T.size)), {
        "offset": (0.0, 0.25),
        1: (0.0, 1.5),
    }


@pytest.mark.parametrize("threads", [1, 3])
def test_a_compiled_stack_has_the_bits_of_single_solves(threads: int) -> None:
    curves, _ = compiled_curves()
    model = lmoo.models.Exponential()
    names = model.parameter_names
    assert names is not None
    solver = Solver(bounds={names[2]: (0.0, 0.25), 1: (0.0, 1.5)})
    fits = lmoo.curve_fit_many(model, T, curves, p0=START, solver=solver, threads=threads)
    active = 0
    for k, y in enumerate(curves):
        single = solver.solve(model.problem(T, y), START)
        assert fits.x[k].tolist() == single.x.tolist()
        assert fits.status[k] == single.status
        assert fits.nfev[k] == single.nfev
        np.testing.assert_allclose(fits.stderr[k], single.stderr, rtol=1e-13)
        active += int(np.count_nonzero(single.active_mask))
    assert active > 10
    assert fits.success.all()


def test_a_fixed_parameter_in_stacks() -> None:
    curves, _ = compiled_curves()
    solver = Solver(fixed={2: 0.3})
    compiled = lmoo.curve_fit_many(lmoo.models.Exponential(), T, curves, p0=START, solver=solver)
    plain = lmoo.curve_fit_many(decay, T, curves, p0=START, solver=solver)
    for fits in (compiled, plain):
        assert fits.success.all()
        assert (fits.x[:, 2] == 0.3).all()
        assert (fits.stderr[:, 2] == 0.0).all()
    np.testing.assert_allclose(compiled.x, plain.x, rtol=1e-6)
    np.testing.assert_allclose(compiled.stderr, plain.stderr, rtol=1e-4)


@BOX
@STEP
@pytest.mark.parametrize("stop", [0, 1, 3, 6])
def test_pickled_in_the_middle_it_goes_on_with_the_same_bits(
    stop: int, step: Any, bounds: Any
) -> None:
    fixed = ["amplitude"] if stop == 3 else None
    steps = Solver(bounds=bounds, fixed=fixed, step=step).iterate(Decay(), START)
    for _ in range(stop):
        next(steps, None)
    again = pickle.loads(pickle.dumps(steps))
    rest = [(r.x.tolist(), r.cost, r.delta, r.nfev) for r in steps]
    assert [(r.x.tolist(), r.cost, r.delta, r.nfev) for r in again] == rest
    assert again.result.x.tolist() == steps.result.x.tolist()
    assert again.result.message == steps.result.message
    assert again.result.active_mask.tolist() == steps.result.active_mask.tolist()


def test_a_result_is_pickled_with_its_bounds() -> None:
    result = solved({"offset": (None, 0.1)}, ["rate"])
    again = pickle.loads(pickle.dumps(result))
    for name in ("lower", "upper", "fixed", "active_mask", "stderr", "gradient"):
        np.testing.assert_array_equal(getattr(again, name), getattr(result, name))


def test_threads_share_a_solver_with_bounds() -> None:
    solver, alone = Solver(bounds=BOXES["two cut off"]), solved(BOXES["two cut off"])
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: solver.solve(WithJacobian(), START), range(64)))
    assert all(r.x.tolist() == alone.x.tolist() and r.nfev == alone.nfev for r in results)
