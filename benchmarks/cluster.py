"""Fits on a Dask cluster of processes: time with 1 and 2 workers, network traffic, killed workers.

    python benchmarks/cluster.py

Rows are created on the workers and stay there.  Traffic is that of the loopback interface: all
messages between scheduler, client and workers, minus those of an idle cluster.
"""

import logging
import os
import signal
import time
from pathlib import Path

import dask
import distributed
import numpy as np
from common import ROUNDS, seconds, versions

import lmoo

BLOCKS, ROWS, N = 16, 100_000, 6
FITS = 20


class Waves(lmoo.RowBlockProblem):
    """``y = sum_j x_j sin(x_j + j t)`` with n parameters; the rows of a block are (t, y)."""

    def residual(self, x, block):
        t, y = block
        return sum(x[j] * np.sin(x[j] + (j + 1) * t) for j in range(x.size)) - y

    def jacobian(self, x, block):
        t, _ = block
        phases = [x[j] + (j + 1) * t for j in range(x.size)]
        return np.stack(
            [np.sin(phase) + x[j] * np.cos(phase) for j, phase in enumerate(phases)], axis=1
        )


def truth(n: int):
    return 1.0 + 0.3 * np.cos(np.arange(n))


def make(index: int, rows: int, n: int):
    """Return a block; computed on the worker, and again if it is lost."""
    rng = np.random.default_rng(index)
    t = rng.uniform(0.0, 6.0, rows)
    y = Waves().residual(truth(n), (t, 0.0))
    return t, y + 0.1 * rng.standard_normal(rows)


def problem(client, blocks: int, rows: int, n: int) -> Waves:
    futures = client.map(make, range(blocks), rows=rows, n=n, pure=False)
    distributed.wait(futures)
    return Waves(futures, client)


def fit(waves: Waves, n: int) -> lmoo.Result:
    return lmoo.Solver().solve(waves, 0.9 * truth(n))


def on_the_wire() -> int:
    """Return the bytes that the loopback interface has received."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        if line.strip().startswith("lo:"):
            return int(line.split(":")[1].split()[0])
    raise OSError("no loopback interface")


def idle() -> float:
    """Return the bytes per second of an idle cluster."""
    before = on_the_wire()
    time.sleep(3.0)
    return (on_the_wire() - before) / 3.0


def traffic(client) -> None:
    print("bytes on the wire: blocks, n, per iteration, per block and iteration, n (n + 1) doubles")
    rest = idle()
    for blocks, n in ((8, 4), (32, 4), (32, 16), (32, 64)):
        waves = problem(client, blocks, 1000, n)
        fit(waves, n)
        before = on_the_wire()
        result: list[lmoo.Result] = []
        passed = seconds(lambda w=waves, k=n, r=result: r.append(fit(w, k)))
        sent = (on_the_wire() - before - rest * passed) / result[0].nit
        print(f"  {blocks:3d} {n:3d} {sent:12.0f} {sent / blocks:10.0f} {8 * n * (n + 1):8d}")


def speed(one, two) -> None:
    single, double = (problem(client, BLOCKS, ROWS, N) for client in (one, two))
    assert fit(single, N).x.tobytes() == fit(double, N).x.tobytes()
    times = np.array(
        [[seconds(lambda w=w: fit(w, N)) for w in (single, double)] for _ in range(ROUNDS)]
    )
    slow, fast = np.median(times, axis=0)
    print(
        f"{BLOCKS} blocks of {ROWS} rows, {N} parameters: 1 worker {slow:.2f} s, 2 workers "
        f"{fast:.2f} s, {slow / fast:.2f} times as fast"
    )


def processes(machine) -> set[int]:
    """Return the worker processes, from their nannies, which also know dead workers."""
    return {nanny.pid for nanny in machine.workers.values() if nanny.pid}


def killed(machine, client) -> None:
    rng = np.random.default_rng()
    n, rows = 4, 20_000
    here = fit(Waves([make(k, rows, n) for k in range(BLOCKS)]), n)
    same = deaths = 0
    for _ in range(FITS):
        steps = lmoo.Solver().iterate(problem(client, BLOCKS, rows, n), 0.9 * truth(n))
        when = rng.integers(1, here.nit)
        victim = 0
        for step in steps:
            if step.iteration == when:
                victim = int(rng.choice(sorted(processes(machine))))
                os.kill(victim, signal.SIGKILL)
                deaths += 1
        same += steps.result.x.tobytes() == here.x.tobytes()
        while victim in processes(machine) or len(processes(machine)) < 2:
            time.sleep(0.1)
        client.wait_for_workers(2)
    print(f"{FITS} fits, {deaths} workers killed: {same} answers are the serial fit's to the bit")


def cluster(workers: int):
    return distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0"
    )


def main() -> None:
    print(versions("dask", "distributed"))
    with (
        cluster(1) as small,
        cluster(2) as large,
        distributed.Client(small) as one,
        distributed.Client(large) as two,
    ):
        speed(one, two)
        traffic(two)
        killed(large, two)


if __name__ == "__main__":
    # Errors of the workers that this script kills are expected.
    dask.config.set({"logging.distributed": "critical"})
    # Workers would otherwise try for half a minute to reach one that has died.
    dask.config.set({"distributed.comm.timeouts.connect": "2s"})
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    main()
