"""Relations of problems in blocks of rows, on threads and in processes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from processes import processes
from relation_cases import Blocks, T, data, model

import lmoo

Y = data(6)
PARTS = [(T[:13], Y[:13]), (T[13:27], Y[13:27]), (T[27:], Y[27:])]


class Generated(Blocks):
    """Blocks as a method."""

    def blocks(self) -> Iterator[Any]:  # type: ignore[override]
        yield from PARTS


def executor(kind: str) -> Any:
    if kind == "threads":
        return ThreadPoolExecutor(2)
    return processes(2)


@pytest.mark.parametrize("kind", ["threads", "processes"])
@pytest.mark.parametrize("loss", ["linear", "huber"])
def test_executors(kind: str, loss: str) -> None:
    solver = lmoo.Solver(
        ties={"d": "3*b"}, priors={"a": (4.0, 0.1)}, constraints=["2*c <= a"], loss=loss
    )
    start = [4.0, 0.5, 1.0, 1.5]
    expected = solver.solve(Blocks(PARTS), start)
    with executor(kind) as pool:
        found = solver.solve(Blocks(PARTS, pool), start)
        curve = lmoo.CurveBlocks(model, T, Y, 13, 0.02, executor=pool, trace=kind == "threads")
        other = solver.solve(curve, start)
    assert (found.x == expected.x).all()
    assert (found.stderr == expected.stderr).all()
    np.testing.assert_allclose(other.x, expected.x, rtol=1e-8)
    assert found.observations == T.size
    np.testing.assert_array_equal(solver.solve(Generated(), start).x, expected.x)


def test_priors_in_blocks_agree_with_the_whole() -> None:
    solver = lmoo.Solver(ties={"d": "3*b"}, priors={"a": (4.0, 0.01), "c": (1.0, 0.1)})
    start = [4.0, 0.5, 1.0, 1.5]
    blocks = solver.solve(Blocks(PARTS), start)
    whole = solver.solve(lmoo.CurveProblem(model, T, Y, 0.02), start)
    np.testing.assert_allclose(blocks.x, whole.x, rtol=1e-10)
    np.testing.assert_allclose(blocks.covariance(), whole.covariance(), rtol=1e-8)
    assert blocks.reduced_chi_square == pytest.approx(whole.reduced_chi_square, rel=1e-9)
    interval = blocks.interval("c", method="profile", scaled=False)
    np.testing.assert_allclose(
        interval, whole.interval("c", method="profile", scaled=False), rtol=1e-6
    )
    np.testing.assert_allclose(
        blocks.interval("d", method="profile"), whole.interval("d", method="profile"), rtol=1e-6
    )
