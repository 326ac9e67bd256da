"""Problems in compiled code: threads and signals."""

import ctypes
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from compiled_cases import FUNCTION, START, decay

import lmoo


def test_eight_threads_get_the_same_bits(library: ctypes.CDLL) -> None:
    problem = decay(library)
    starts = [[1.0 + 0.1 * k, 1.0, 0.0] for k in range(8)] * 25
    alone = [lmoo.Solver().solve(problem, start).x for start in starts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda start: lmoo.Solver().solve(problem, start).x, starts))
    np.testing.assert_array_equal(alone, together)


def slow_jacobian(library: ctypes.CDLL) -> tuple[lmoo.CFunctionProblem, lmoo.Solver]:
    """A solve whose first Jacobian takes many seconds."""
    n = 5000
    return (
        lmoo.CFunctionProblem(FUNCTION(("endless", library)), n, n),
        lmoo.Solver(),
    )


def test_other_threads_run_while_a_compiled_problem_is_solved(library: ctypes.CDLL) -> None:
    problem, solver = slow_jacobian(library)
    steps = solver.iterate(problem, np.zeros(problem.n))
    thread = threading.Thread(target=lambda: next(steps, None))
    thread.start()
    ticks, end = 0, time.monotonic() + 0.3
    while time.monotonic() < end:
        ticks += 1
    assert ticks > 1000
    assert thread.is_alive()
    steps.stop()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert steps.result.status is lmoo.Status.STOPPED


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(sys.platform == "win32", reason="no signal can be sent to oneself there")
def test_ctrl_c_interrupts_a_compiled_solve(library: ctypes.CDLL) -> None:
    problem, solver = slow_jacobian(library)
    timer = threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        solver.solve(problem, np.zeros(problem.n))
    assert time.monotonic() - start < 5
    timer.join()
    # Nothing is left behind.
    assert lmoo.Solver().solve(decay(library), START).success
