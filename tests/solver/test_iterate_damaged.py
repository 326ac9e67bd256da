"""`Solver.iterate`: stored iterations that were changed are refused."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from case_tables import each
from iterate_cases import ROSENBROCK, WithJacobian, assert_same_bits

import lmoo
from lmoo import Solver
from lmoo._core.solve import checksum


def tampered(change: Callable[[dict[str, Any]], Any]) -> Callable[[], lmoo.Iteration]:
    """What undoes the pickle of a snapshot that is not as it was made."""
    steps = Solver().iterate(WithJacobian(), ROSENBROCK)
    next(steps)
    function, (solver, problem, x0, snapshot) = steps.__reduce__()  # type: ignore[misc]
    snapshot = dict(snapshot)
    change(snapshot)
    return lambda: function(solver, problem, x0, snapshot)  # type: ignore[operator]


def test_a_snapshot_of_another_version_is_refused() -> None:
    restore = tampered(lambda snapshot: snapshot.update(version=snapshot["version"] + 1))
    with pytest.raises(ValueError, match=r"stored .* format \d+ .* reads format \d+"):
        restore()


def test_a_snapshot_of_another_size_is_refused() -> None:
    restore = tampered(lambda snapshot: snapshot.update(size=snapshot["size"] + 8))
    with pytest.raises(ValueError, match="stored"):
        restore()


@pytest.mark.parametrize("bytes_left", [0, 8, 100])
def test_a_snapshot_cut_short_is_refused(bytes_left: int) -> None:
    # Otherwise memory that is not the snapshot's would be read.
    restore = tampered(lambda snapshot: snapshot.update(state=snapshot["state"][:bytes_left]))
    with pytest.raises(ValueError, match="stored"):
        restore()


def test_a_snapshot_of_an_lmoo_without_checksums_is_refused_by_its_format() -> None:
    restore = tampered(lambda snapshot: snapshot.pop("checksum"))
    with pytest.raises(ValueError, match=r"no 'checksum'.* older format; .* reads format \d+"):
        restore()


@pytest.mark.parametrize("snapshot", [None, 3, [], b"x" * 100])
def test_what_is_no_snapshot_is_refused(snapshot: Any) -> None:
    function, (solver, problem, x0, _) = started().__reduce__()  # type: ignore[misc]
    with pytest.raises(ValueError, match="the stored solve must be a dict"):
        function(solver, problem, x0, snapshot)  # type: ignore[operator]


@pytest.mark.parametrize(
    "x0",
    [
        np.zeros(2, dtype=complex),
        np.zeros((2, 1)),
        np.array(["a", "b"]),
        np.array([np.nan, 1.0]),
        np.zeros(3),
        np.zeros(0),
        None,
    ],
    ids=repr,
)
def test_a_damaged_start_is_refused(x0: Any) -> None:
    function, (solver, problem, _, snapshot) = started().__reduce__()  # type: ignore[misc]
    with pytest.raises(ValueError, match="the stored solve"):
        function(solver, problem, x0, snapshot)  # type: ignore[operator]
    with pytest.raises(ValueError, match="the stored solve must have a Solver"):
        function(None, problem, x0, snapshot)  # type: ignore[operator]


@pytest.mark.parametrize("made", [list, np.float32, lambda x: np.repeat(x, 2)[::2]])
def test_a_start_of_another_layout_is_copied(made: Any) -> None:
    steps = started()
    function, (solver, problem, x0, snapshot) = steps.__reduce__()  # type: ignore[misc]
    again = function(solver, problem, made(x0), snapshot)  # type: ignore[operator]
    assert [step.cost for step in again] == [step.cost for step in steps]


def started(**options: Any) -> lmoo.Iteration:
    """A solve after some iterations."""
    steps = Solver(**options).iterate(WithJacobian(), ROSENBROCK)
    for _ in range(3):
        next(steps)
    return steps


def flipped(snapshot: dict[str, Any], at: int) -> None:
    state = bytearray(snapshot["state"])
    state[at] ^= 0x40
    snapshot["state"] = bytes(state)


def test_a_flipped_bit_anywhere_is_found() -> None:
    _, (solver, problem, x0, snapshot) = started().__reduce__()  # type: ignore[misc]
    for at in range(len(snapshot["state"])):
        damaged = dict(snapshot)
        flipped(damaged, at)
        with pytest.raises(ValueError, match="damaged: its checksum differs"):
            lmoo.solver.iteration._resume(solver, problem, x0, damaged)


PARTS: dict[str, Any] = {
    "njev": [-1, 1.0, 2**70, None, True],
    "precision": [-0.5, 1.0, float("nan"), 1, "x", None],
    "flags": [(), (1, 0, 0, 0), (True,) * 3, [True] * 4, None],
    "step": [{}, "x"],
    "checksum": [0, None, "x"],
    "size": [0, -1, 1.5, None],
    "state": [None, "x", bytearray(100), np.zeros(100)],
    "version": [None, "3", 2, 3.5],
    "jacobian": [(np.zeros((2, 2)), np.zeros(2)), 3, ()],
    "vectors": [
        None,
        (),
        3,
        (np.zeros(2),),
        (np.zeros(0), np.zeros(0)),
        (np.zeros(2), np.zeros(3)),
        (np.zeros(10**6), np.zeros(2)),
        (np.zeros((2, 1)), np.zeros((2, 1))),
        (np.zeros(2, np.float32), np.zeros(2, np.float32)),
        (np.zeros(2, int), np.zeros(2, int)),
        (np.zeros(2, ">f8"), np.zeros(2, ">f8")),
        ([0.0, 0.0], [0.0, 0.0]),
    ],
}


@pytest.mark.parametrize("checked", [False, True])
@each(
    ("name", "value"),
    [(name, value) for name, values in PARTS.items() for value in values],
    ids=str,
)
def test_parts_of_a_snapshot_must_fit(name: str, value: Any, checked: bool) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        snapshot[name] = value
        # With a checksum of its own, what is stored is still refused.
        if checked and name != "checksum":
            with contextlib.suppress(ValueError):
                snapshot["checksum"] = checksum(snapshot)

    with pytest.raises(ValueError, match="stored"):
        tampered(change)()


@pytest.mark.parametrize(
    "options",
    [{}, {"bounds": ([-5, -5], [5, 5])}, {"step": lmoo.GeodesicAcceleration()}],
    ids=["plain", "bounds", "curvature"],
)
def test_a_state_that_points_elsewhere_is_refused_whatever_its_checksum(
    options: dict[str, Any],
) -> None:
    # All of its integers in turn; those that count or point somewhere are found.  In a process of
    # its own, as one that is not found could end it.
    steps = started(**options)
    done = subprocess.run(
        [sys.executable, "-c", EVERY_WORD],
        input=pickle.dumps(steps.__reduce__()[1]),  # type: ignore[index]
        capture_output=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]


EVERY_WORD = """
import pickle, sys
import numpy as np
import lmoo
from lmoo._core.solve import checksum

np.seterr(all="ignore")
solver, problem, x0, snapshot = pickle.loads(sys.stdin.buffer.read())
refused = 0
for at in range(0, len(snapshot["state"]), 4):
    for word in (b"\\xff" * 4, b"\\x7f" + b"\\xff" * 3, (10**7).to_bytes(4, "little")):
        state = bytearray(snapshot["state"])
        state[at : at + 4] = word
        changed = {**snapshot, "state": bytes(state)}
        changed["checksum"] = checksum(changed)
        try:
            again = lmoo.solver.iteration._resume(solver, problem, x0, changed)
            for k, _ in enumerate(again):
                if k == 5:
                    break
            again.result.covariance()
        except ValueError:
            refused += 1
        except (lmoo.EvaluationError, np.linalg.LinAlgError):
            pass
assert refused > 50, refused
"""


def test_a_snapshot_as_it_was_made_is_taken() -> None:
    steps = tampered(lambda snapshot: None)()
    list(steps)
    assert_same_bits(steps.result, Solver().solve(WithJacobian(), ROSENBROCK))
