"""Dense problems with many rows: the fold in parts, threads, Jacobians read where they lie."""

from __future__ import annotations

import _thread
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

import lmoo
from lmoo._core import kernels
from lmoo._core.evaluate import thread_count

Array = NDArray[np.float64]

M, N = 40_000, 25  # large enough for threads


class Waves(lmoo.Problem):
    """N waves of unknown height, and a mild nonlinearity; `layout` is what jacobian returns."""

    def __init__(self, layout: Callable[[Array], Array] = np.asarray) -> None:
        self.layout = layout
        t = np.linspace(0.0, 1.0, M)
        self.a = np.sin(np.arange(1, N + 1) * 3.0 * t[:, None])
        noise = np.random.default_rng(8).normal(0.0, 0.1, M)
        self.y = self.model(np.linspace(1.0, 2.0, N)) + noise

    def model(self, x: Array) -> Array:
        return self.a @ (x + 0.1 * x**2)

    def residual(self, x: Array) -> Array:
        return self.model(x) - self.y

    def jacobian(self, x: Array) -> Array:
        return self.layout(self.a * (1.0 + 0.2 * x))


def solve(problem: lmoo.Problem, **options: object) -> lmoo.Result:
    return lmoo.Solver(**options).solve(problem, np.ones(N))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def expected() -> lmoo.Result:
    result = solve(Waves())
    assert result.success
    return result


def assert_same(result: lmoo.Result, expected: lmoo.Result) -> None:
    np.testing.assert_array_equal(result.x, expected.x)
    np.testing.assert_array_equal(result.covariance(), expected.covariance())
    assert result.nfev == expected.nfev


@pytest.mark.parametrize("threads", ["1", "2", "3", "100"])
def test_results_do_not_depend_on_threads(
    threads: str, expected: lmoo.Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMOO_NUM_THREADS", threads)
    assert_same(solve(Waves()), expected)


@pytest.mark.parametrize("available", [0, 1])
def test_without_another_thread_to_be_had(
    available: int, expected: lmoo.Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = _thread.start_new_thread
    left: Iterator[int] = iter(())

    def limited(worker: Callable[[], None], arguments: tuple[()]) -> int:
        if next(left, None) is None:
            raise RuntimeError("can't start new thread")
        return start(worker, arguments)

    monkeypatch.setenv("LMOO_NUM_THREADS", "4")
    monkeypatch.setattr(_thread, "start_new_thread", limited)
    left = iter(range(available))
    assert_same(solve(Waves()), expected)


def test_a_thread_that_starts_too_late_is_not_waited_for(
    expected: lmoo.Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As with the cooperative threads of gevent, which run when the caller waits for them.
    late: list[Callable[[], None]] = []
    monkeypatch.setenv("LMOO_NUM_THREADS", "3")
    monkeypatch.setattr(_thread, "start_new_thread", lambda worker, arguments: late.append(worker))
    assert_same(solve(Waves()), expected)
    assert late
    for worker in late:
        worker()


@pytest.mark.parametrize("started", [False, True])
def test_an_interruption_of_the_start_waits_for_all_threads(
    started: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = _thread.start_new_thread
    count = itertools.count(1)

    def interrupted(worker: Callable[[], None], arguments: tuple[()]) -> None:
        last = next(count) == 3
        if started or not last:
            start(worker, arguments)
        if last:
            raise KeyboardInterrupt

    monkeypatch.setenv("LMOO_NUM_THREADS", "8")
    monkeypatch.setattr(_thread, "start_new_thread", interrupted)
    before = _thread._count()
    with pytest.raises(KeyboardInterrupt):
        solve(Waves())
    # All tasks have ended; the threads have only to return.
    deadline = time.monotonic() + 30.0
    while _thread._count() > before:
        assert time.monotonic() < deadline
        time.sleep(0.001)


INTERRUPTED = """
import random, signal, sys, time
import numpy as np
import lmoo

a = np.random.default_rng(0).standard_normal((40_000, 60))
problem = lmoo.FunctionProblem(lambda x: a @ x - 1.0, lambda x: a)

def solve():
    lmoo.Solver().solve(problem, np.zeros(60))

class Interrupted(BaseException):
    pass

def interrupt(number, frame):
    while frame is not None:
        if frame.f_code is solve.__code__:
            raise Interrupted
        frame = frame.f_back

solve()
began = time.perf_counter()
solve()
usual = time.perf_counter() - began
moments, interruptions = random.Random(1), 0
signal.signal(signal.SIGALRM, interrupt)
for k in range(int(sys.argv[1])):
    # Once, or again and again.
    signal.setitimer(signal.ITIMER_REAL, max(1e-4, moments.random() * usual), (k % 2) * 5e-4)
    try:
        solve()
    except Interrupted:
        interruptions += 1
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    # The memory of the solve is free now: its next owner keeps what it writes there.
    others = [np.ones((300, 300)) for _ in range(10)]
    time.sleep(0.02)
    assert all((other == 1.0).all() for other in others), "overwritten"
    del others
assert interruptions > 0
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers here")
@pytest.mark.slow
def test_interruptions_leave_no_thread_behind_that_writes() -> None:
    # A process of its own, as a failure may end it.
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "40"],
        env={**os.environ, "LMOO_NUM_THREADS": "4"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr)


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_a_bad_number_of_threads_is_named(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMOO_NUM_THREADS", value)
    with pytest.raises(ValueError, match=f"LMOO_NUM_THREADS must be a positive.*'{value}'"):
        solve(Waves())


def test_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LMOO_NUM_THREADS", raising=False)
    assert thread_count() >= 1
    monkeypatch.setenv("LMOO_NUM_THREADS", " 3 ")
    assert thread_count() == 3


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "columns": np.asfortranarray,
    "every other column": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "backwards": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "unaligned": lambda a: np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view(a.dtype)
    .reshape(a.shape),
    "swapped bytes": lambda a: a.astype(a.dtype.newbyteorder()),
    "long double": lambda a: a.astype(np.longdouble),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_any_layout_gives_the_same(layout: Callable[[Array], Array], expected: lmoo.Result) -> None:
    assert_same(solve(Waves(layout)), expected)


def test_leastsq_takes_columns_as_well() -> None:
    problem = Waves()
    rows = lmoo.leastsq(problem.residual, np.ones(N), Dfun=problem.jacobian, full_output=True)
    columns = lmoo.leastsq(
        problem.residual, np.ones(N), Dfun=lambda x: problem.jacobian(x).T, col_deriv=True,
        full_output=True,
    )  # fmt: skip
    np.testing.assert_array_equal(rows[0], columns[0])
    info = rows[2]
    assert info["fjac"].shape == (N, M)
    np.testing.assert_array_equal(info["fjac"], columns[2]["fjac"])
    # R of a permutation of the last Jacobian, and Q^T f beside it.
    r = np.triu(info["fjac"].T[:N])
    a = problem.jacobian(rows[0])[:, info["ipvt"] - 1 if info["ipvt"].min() else info["ipvt"]]
    np.testing.assert_allclose(r.T @ r, a.T @ a, rtol=1e-6, atol=1e-6 * np.abs(r.T @ r).max())


def test_one_buffer_for_every_call(expected: lmoo.Result) -> None:
    buffer = np.empty((M, N))

    def in_buffer(a: Array) -> Array:
        buffer[...] = a
        return buffer

    assert_same(solve(Waves(in_buffer)), expected)


def test_a_jacobian_not_finite_at_the_start_is_named() -> None:
    def spoil(a: Array) -> Array:
        a[12_345, 6] = np.inf
        return a

    with pytest.raises(lmoo.EvaluationError, match=r"12345, 6"):
        solve(Waves(spoil))


def test_a_jacobian_not_finite_on_the_way_is_refused(expected: lmoo.Result) -> None:
    calls: list[int] = []

    def spoil(a: Array) -> Array:
        calls.append(1)
        return a * np.nan if len(calls) == 2 else a

    result = solve(Waves(spoil))
    assert result.success
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-7)


@pytest.mark.parametrize("step", [lmoo.Nielsen(), lmoo.GeodesicAcceleration()], ids=repr)
def test_other_step_strategies(step: lmoo.Step, expected: lmoo.Result) -> None:
    result = solve(Waves(), step=step)
    assert result.success
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-7)


@pytest.mark.parametrize("strategy", [lmoo.ForwardDifference(), lmoo.CentralDifference()], ids=repr)
def test_differences(strategy: lmoo.Jacobian, expected: lmoo.Result) -> None:
    result = solve(Waves(), jacobian=strategy)
    assert result.success
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-6)


def test_two_solves_at_once(expected: lmoo.Result) -> None:
    results: list[lmoo.Result] = []
    problem = Waves()
    threads = [threading.Thread(target=lambda: results.append(solve(problem))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        assert_same(result, expected)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 11, 12, 50, 71, 200])
def test_the_fold_is_the_qr_of_scaled_columns(n: int) -> None:
    rng = np.random.default_rng(n)
    scales = 10.0 ** rng.uniform(-6, 6, n)
    a = rng.standard_normal((3 * n + 300, n))
    f = rng.standard_normal(len(a))
    r, ipvt, acnorm, qtf = kernels.fold(a * scales, f)
    # Each column for itself is as good as if all were of one size: R^T R is not formed.
    q, reference = np.linalg.qr(a[:, ipvt])
    signs = np.sign(np.diag(reference)) * np.sign(np.diag(r))
    np.testing.assert_allclose(r / scales[ipvt], signs[:, None] * reference, atol=1e-12 * len(a))
    np.testing.assert_allclose(qtf, signs * (q.T @ f), atol=1e-12 * len(a))
    np.testing.assert_allclose(acnorm, np.linalg.norm(a, axis=0) * scales, rtol=1e-13)
