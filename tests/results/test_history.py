"""The history of a solve, and its time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from statistics_cases import PLAIN, fitted

import lmoo
from lmoo import Solver


def test_history_holds_the_records_as_arrays() -> None:
    records: list[Any] = []
    result = Solver().solve(PLAIN, [1.0, 1.0], callback=records.append, history=True)
    history = result.history
    assert history is not None
    assert len(history) == len(records) == result.nit
    for name in ("iteration", "cost", "delta", "lambda_", "ratio", "accepted", "optimality"):
        np.testing.assert_array_equal(getattr(history, name), [getattr(r, name) for r in records])
    np.testing.assert_array_equal(history.x, [r.x for r in records])
    assert history.x.shape == history.gradient.shape == (result.nit, 2)
    assert history.accepted.dtype == bool
    assert history.nfev.dtype == history.njev.dtype == np.int64
    np.testing.assert_array_equal(history.x[-1], result.x)


def test_history_changes_nothing_of_the_solve() -> None:
    plain, watched = (Solver().solve(PLAIN, [1.0, 1.0], history=h) for h in (False, True))
    np.testing.assert_array_equal(plain.x, watched.x)
    assert (plain.nfev, plain.njev) == (watched.nfev, watched.njev)
    assert plain.history is None


def test_a_callback_still_stops_a_solve_with_history() -> None:
    result = Solver().solve(PLAIN, [1.0, 1.0], callback=lambda r: r.iteration == 2, history=True)
    assert result.status is lmoo.Status.STOPPED
    assert result.history is not None
    assert len(result.history) == 2
    with pytest.raises(TypeError, match="callback must be callable"):
        Solver().solve(PLAIN, [1.0, 1.0], callback=1, history=True)  # type: ignore[arg-type]


def test_a_solve_is_timed() -> None:
    assert 0.0 < fitted().seconds < 60.0
    assert np.isnan(Solver().iterate(PLAIN, [1.0, 1.0]).result.seconds)
