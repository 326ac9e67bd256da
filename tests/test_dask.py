"""Problems in blocks on a Dask cluster: the bits of one process, also where a worker dies."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from processes import CONTEXT

import lmoo
from lmoo import CurveBlocks, EvaluationError, RowBlockProblem, Solver

pytestmark = pytest.mark.slow
distributed = pytest.importorskip("distributed")
cloudpickle = pytest.importorskip("cloudpickle")
dask = pytest.importorskip("dask")

# The workers cannot import this module.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

T = np.linspace(0.0, 4.0, 4000)
Y = 3.0 * np.exp(-0.5 * T) + 0.01 * np.cos(37.0 * T)
ROWS = np.column_stack([T, Y])
X0 = (1.0, 1.0)
# Ten blocks are more than a node of the tree takes; a message to a worker costs more than a block.
SIZE = 400
BLOCKS = [ROWS[k : k + SIZE] for k in range(0, len(ROWS), SIZE)]


class Decay(RowBlockProblem):
    """A block has a row (t, y) a residual."""

    def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
        t, y = block.T
        return x[0] * np.exp(-x[1] * t) - y

    def jacobian(self, x: np.ndarray, block: Any) -> np.ndarray:
        t, _ = block.T
        e = np.exp(-x[1] * t)
        return np.column_stack([e, -x[0] * t * e])


class Numeric(RowBlockProblem):
    def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
        t, y = block
        return x[0] * np.exp(-x[1] * t) - y


def model(t: np.ndarray, amplitude: float, rate: float) -> np.ndarray:
    return amplitude * np.exp(-rate * t)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        # Workers are not sampled, which takes as long as what they do here; and those that take the
        # place of others are forks of a process that has imported the packages.
        dask.config.set(
            {
                "logging.distributed": "critical",
                "distributed.worker.profile.enabled": False,
                "distributed.worker.multiprocessing-method": CONTEXT.get_start_method(),
            }
        ),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def wait_for_both(client: Any) -> None:
    """Wait until a new worker has taken the place of one that was killed."""
    end = time.monotonic() + 60.0
    # The scheduler is asked: a cluster can miss a worker that has gone before the cluster knew it.
    while len(client.run(os.getpid, on_error="ignore")) < 2:
        assert time.monotonic() < end, "the worker has not come back"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def here() -> lmoo.Result:
    return Solver().solve(Decay(BLOCKS), X0)


def assert_same_bits(ours: lmoo.Result, right: lmoo.Result) -> None:
    assert ours.x.tobytes() == right.x.tobytes()
    assert ours.cost == right.cost
    assert (ours.status, ours.nfev, ours.njev, ours.nit) == (
        right.status,
        right.nfev,
        right.njev,
        right.nit,
    )
    assert ours.observations == right.observations
    np.testing.assert_array_equal(ours.covariance(), right.covariance())


def absolute(z: np.ndarray) -> np.ndarray:
    """soft_l1 as a function, which workers receive."""
    root = np.sqrt(1.0 + z)
    return np.array([2.0 * (root - 1.0), 1.0 / root, -0.5 / root**3])


@pytest.mark.parametrize("loss", ["huber", "cauchy", absolute])
@pytest.mark.parametrize("kind", [Decay, Numeric])
def test_robust_losses_have_the_same_bits(client: Any, loss: Any, kind: Any) -> None:
    rows = ROWS.copy()
    rows[::50, 1] += 1.0
    blocks: list[Any] = [rows[k : k + SIZE] for k in range(0, len(rows), SIZE)]
    if kind is Numeric:
        blocks = [tuple(block.T) for block in blocks]
    solver = Solver(loss=loss, f_scale=0.1)
    right = solver.solve(kind(blocks), X0)
    ours = solver.solve(kind(blocks, executor=client), X0)
    assert_same_bits(ours, right)
    np.testing.assert_array_equal(ours.standard_errors, right.standard_errors)
    np.testing.assert_allclose(ours.x, (3.0, 0.5), rtol=0.02)


def load(k: int) -> np.ndarray:
    return BLOCKS[k]


def test_arrays_delayed_objects_and_futures_are_blocks(client: Any, here: lmoo.Result) -> None:
    kinds: list[Any] = [
        BLOCKS,
        [dask.delayed(load)(k) for k in range(len(BLOCKS))],
        client.map(load, range(len(BLOCKS)), pure=False),
        [*BLOCKS[:5], *(dask.delayed(load)(k) for k in range(5, len(BLOCKS)))],
    ]
    for blocks in kinds:
        assert_same_bits(Solver().solve(Decay(blocks, client), X0), here)


def test_differences_are_taken_on_the_workers(client: Any) -> None:
    pairs = [(block[:, 0], block[:, 1]) for block in BLOCKS]
    lazy = [(dask.delayed(t), dask.delayed(y)) for t, y in pairs]
    right = Solver().solve(Numeric(pairs), X0)
    assert_same_bits(Solver().solve(Numeric(lazy, client), X0), right)
    numeric = Solver(jacobian=lmoo.CentralDifference())
    assert_same_bits(numeric.solve(Decay(BLOCKS, client), X0), numeric.solve(Decay(BLOCKS), X0))


def test_a_dask_array_is_taken_by_its_chunks(client: Any, here: lmoo.Result) -> None:
    array = pytest.importorskip("dask.array")
    rows = array.from_array(ROWS, chunks=(SIZE, 2))
    assert_same_bits(Solver().solve(Decay(rows, client), X0), here)
    with pytest.raises(ValueError, match=r"^blocks must be chunked along .*\(10, 2\) chunks"):
        Solver().solve(Decay(rows.rechunk((SIZE, 1)), client), X0)


def test_a_dask_dataframe_is_taken_by_its_partitions(client: Any, here: lmoo.Result) -> None:
    frame = pytest.importorskip("dask.dataframe")
    pandas = pytest.importorskip("pandas")

    class Frames(Decay):
        def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
            return super().residual(x, block.to_numpy())

        def jacobian(self, x: np.ndarray, block: Any) -> np.ndarray:
            return super().jacobian(x, block.to_numpy())

    table = frame.from_pandas(pandas.DataFrame(ROWS, columns=["t", "y"]), npartitions=10)
    assert_same_bits(Solver().solve(Frames(table, client), X0), here)


def test_curve_blocks_take_dask_arrays(client: Any) -> None:
    array = pytest.importorskip("dask.array")
    t, y = (array.from_array(column, chunks=SIZE) for column in (T, Y))
    sigma = array.full(T.size, 2.0, chunks=SIZE)
    right = Solver().solve(CurveBlocks(model, T, Y, SIZE, np.full(T.size, 2.0), trace=False), X0)
    ours = Solver().solve(CurveBlocks(model, t, y, sigma=sigma, executor=client), X0)
    assert_same_bits(ours, right)
    with pytest.raises(ValueError, match=r"^xdata must be chunked as ydata is"):
        CurveBlocks(model, t.rechunk(300), y)
    with pytest.raises(TypeError, match=r"^xdata must be a dask.array as the others are"):
        CurveBlocks(model, T, y)


def test_dask_blocks_without_a_client_are_named() -> None:
    with pytest.raises(TypeError, match=r"^executor must be a Dask client where blocks are Dask's"):
        Solver().solve(Decay([dask.delayed(load)(0)]), X0)


def test_an_asynchronous_client_is_refused(client: Any) -> None:
    class Asynchronous(distributed.Client):  # type: ignore[misc, name-defined]
        asynchronous = True

        def __init__(self) -> None:
            pass

        def __del__(self) -> None:
            pass

        def __repr__(self) -> str:
            return "client"

    with pytest.raises(TypeError, match=r"^executor must be a synchronous Dask client; it is"):
        Solver().solve(Decay(BLOCKS, Asynchronous()), X0)


@pytest.mark.parametrize("count", [1, 8, 9, 65])
def test_any_number_of_blocks_has_the_tree_of_the_serial_solve(client: Any, count: int) -> None:
    blocks = np.array_split(ROWS, count)
    ours = Solver(maxfev=3).solve(Decay(blocks, client), X0)
    assert_same_bits(ours, Solver(maxfev=3).solve(Decay(blocks), X0))


def test_no_blocks_is_a_value_error(client: Any) -> None:
    with pytest.raises(ValueError, match=r"^blocks must have at least one block"):
        Solver().solve(Decay([], client), X0)


def test_an_exception_of_the_model_comes_out(client: Any) -> None:
    class Failing(Decay):
        def jacobian(self, x: np.ndarray, block: Any) -> np.ndarray:
            if block[0, 0] == BLOCKS[9][0, 0]:
                raise ZeroDivisionError("mine")
            return super().jacobian(x, block)

    with pytest.raises(ZeroDivisionError, match=r"^mine\n") as caught:
        Solver().solve(Failing(BLOCKS, client), X0)
    assert caught.value.args == ("mine",)
    assert caught.value.__notes__ == ["in block 9 of the problem's blocks"]


def test_bad_points_are_refused(client: Any) -> None:
    class Bounded(Decay):
        def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
            if x[1] > 2.5 and block[0, 0] > 2.0:
                raise EvaluationError("too fast")
            return super().residual(x, block)

    solver, start = Solver(factor=100.0), (0.01, 0.01)
    refused = 0

    def watch(record: lmoo.IterationRecord) -> None:
        nonlocal refused
        refused += record.ratio == 0.0

    ours = solver.solve(Bounded(BLOCKS, client), start, callback=watch)
    assert refused
    assert_same_bits(ours, solver.solve(Bounded(BLOCKS), start))
    with pytest.raises(EvaluationError, match=r"^too fast$"):
        solver.solve(Bounded(BLOCKS, client), (1.0, 3.0))


def test_the_problem_is_sent_without_its_data(client: Any) -> None:
    here = os.getpid()

    class Heavy(Decay):
        def __setstate__(self, state: dict[str, Any]) -> None:
            assert os.getpid() == here or not {"blocks", "executor"} & set(state)
            vars(self).update(state)

    solver = Solver(maxfev=1)
    assert_same_bits(solver.solve(Heavy(BLOCKS, client), X0), solver.solve(Decay(BLOCKS), X0))


def test_an_iteration_is_stored_without_its_client(client: Any, here: lmoo.Result) -> None:
    steps = Solver().iterate(Decay(BLOCKS, client), X0)
    next(steps)
    again = pickle.loads(cloudpickle.dumps(steps))
    for _ in again:
        pass
    assert_same_bits(again.result, here)


def test_a_worker_killed_in_the_middle_changes_nothing(client: Any, here: lmoo.Result) -> None:
    futures = client.map(load, range(len(BLOCKS)), pure=False)
    steps = Solver().iterate(Decay(futures, client), X0)
    killed = 0
    for step in steps:
        if step.iteration == 2:
            pids = client.run(os.getpid)
            os.kill(next(iter(pids.values())), signal.SIGKILL)
            killed += 1
    assert killed
    assert_same_bits(steps.result, here)


def slow_decay(t: np.ndarray, amplitude: Any, rate: Any) -> np.ndarray:
    time.sleep(0.002)
    return amplitude * np.exp(-rate * t)


def test_many_fits_on_a_client_whose_worker_dies(client: Any) -> None:
    rng = np.random.default_rng(8)
    t = np.linspace(0.0, 3.0, 200)
    y = model(t, 2.0, rng.uniform(0.5, 1.5, (3000, 1))) + 0.01 * rng.standard_normal((3000, 200))
    expected = lmoo.curve_fit_many(model, t, y, X0, trace=False)
    killed = []

    def kill(done: int, total: int) -> None:
        if not killed:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    with client.get_executor() as executor:
        fits = lmoo.curve_fit_many(slow_decay, t, y, X0, executor=executor, progress=kill)
    assert killed
    np.testing.assert_array_equal(fits.x, expected.x)
    np.testing.assert_array_equal(fits.nfev, expected.nfev)
    wait_for_both(client)


@pytest.mark.parametrize("way", ["client", "executor"])
def test_a_joint_fit_whose_worker_dies(client: Any, monkeypatch: Any, way: str) -> None:
    """Curves with one rate, eliminated on the workers, one of which is killed in the middle."""
    from lmoo.batch import remoteshared

    monkeypatch.setattr(remoteshared, "PIECE", 500)
    rng = np.random.default_rng(3)
    t = np.linspace(0.0, 3.0, 20)
    y = model(t, rng.uniform(1.0, 3.0, (4000, 1)), 0.8) + 0.02 * rng.standard_normal((4000, 20))
    expected = lmoo.curve_fit_many(model, t, y, X0, shared=["rate"])
    passes: list[int] = []
    linearize = remoteshared.Passes.linearize

    def killing(self: Any, *args: Any) -> Any:
        passes.append(1)
        if len(passes) == 2:
            os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
        return linearize(self, *args)

    monkeypatch.setattr(remoteshared.Passes, "linearize", killing)
    executor = client if way == "client" else client.get_executor()
    fits = lmoo.curve_fit_many(model, t, y, X0, shared=["rate"], executor=executor)
    assert len(passes) == fits.njev[0] > 2
    np.testing.assert_allclose(fits.x, expected.x, rtol=1e-12)
    np.testing.assert_allclose(fits.stderr, expected.stderr, rtol=1e-9)
    np.testing.assert_array_equal(fits.nfev, expected.nfev)
    wait_for_both(client)
