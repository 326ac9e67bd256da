"""Joint fits on threads: they are started once, and change no result."""

import _thread
from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0.0, 4.0, 20)


def decay(t: Any, a: Any, rate: Any, c: Any) -> Any:
    return a * np.exp(-rate * t) + c


def solve(count: int) -> Any:
    rng = np.random.default_rng(0)
    a, c = rng.uniform(1, 3, (count, 1)), rng.uniform(-0.5, 0.5, (count, 1))
    y = decay(T, a, 0.7, c) + 0.01 * rng.normal(size=(count, T.size))
    return lmoo.curve_fit_many(decay, T, y, p0=[1, 1, 0], shared=["rate"])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_are_started_once(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    start = _thread.start_new_thread

    def counted(helper: Any, arguments: tuple[()]) -> int:
        started.append(helper)
        return start(helper, arguments)

    monkeypatch.setenv("LMOO_NUM_THREADS", str(threads))
    monkeypatch.setattr(_thread, "start_new_thread", counted)
    fits = solve(1000)
    assert fits.success.all()
    assert fits.nit.flat[0] > 3
    assert len(started) == threads - 1


@pytest.mark.parametrize("count", [100, 1000])
def test_results_do_not_depend_on_threads(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMOO_NUM_THREADS", "1")
    expected = solve(count)
    for threads in ("2", "3", "8"):
        monkeypatch.setenv("LMOO_NUM_THREADS", threads)
        found = solve(count)
        np.testing.assert_array_equal(found.x, expected.x)
        np.testing.assert_array_equal(found.stderr, expected.stderr)


def test_without_a_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMOO_NUM_THREADS", "1")
    expected = solve(1000)

    def refused(helper: Any, arguments: tuple[()]) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setenv("LMOO_NUM_THREADS", "4")
    monkeypatch.setattr(_thread, "start_new_thread", refused)
    np.testing.assert_array_equal(solve(1000).x, expected.x)


def test_an_interruption_of_the_start_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(helper: Any, arguments: tuple[()]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setenv("LMOO_NUM_THREADS", "2")
    monkeypatch.setattr(_thread, "start_new_thread", interrupted)
    with pytest.raises(KeyboardInterrupt):
        solve(1000)
