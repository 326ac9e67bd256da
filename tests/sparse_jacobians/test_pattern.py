"""Patterns of Jacobians and their groups of columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lmoo.sparse.pattern import Pattern

sparse = pytest.importorskip("scipy.sparse")


@pytest.mark.parametrize("density", [0.02, 0.1, 0.5])
def test_groups_share_no_row_and_are_complete(density: float) -> None:
    dense = np.random.default_rng(1).random((60, 45)) < density
    groups = Pattern(dense).groups
    assert sorted(np.concatenate(groups).tolist()) == list(range(45))
    for group in groups:
        assert dense[:, group].sum(axis=1).max() <= 1
    assert dense.sum(axis=1).max() <= len(groups) <= 45


def test_there_are_no_more_groups_than_scipy_finds() -> None:
    from scipy.optimize._numdiff import group_columns

    for seed in range(5):
        dense = np.random.default_rng(seed).random((300, 200)) < 0.02
        ours = len(Pattern(dense).groups)
        assert ours <= int(group_columns(dense).max()) + 1


@pytest.mark.parametrize("kind", ["csr_array", "csc_array", "coo_array", "lil_array", "csr_matrix"])
def test_every_kind_of_matrix(kind: str) -> None:
    dense = np.random.default_rng(2).random((9, 7)) < 0.3
    found = Pattern(getattr(sparse, kind)(dense))
    assert found == Pattern(dense)
    assert (found.is_sparse, Pattern(dense).is_sparse) == (True, False)
    values = np.arange(1.0, found.rows.size + 1)
    matrix = found.matrix(values).toarray()
    np.testing.assert_array_equal(matrix != 0, dense)
    np.testing.assert_array_equal(matrix[found.rows, found.columns], values)


def test_entries_that_are_there_twice_count_once_also_if_they_cancel() -> None:
    twice = sparse.coo_array(([1.0, -1.0, 0.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    found = Pattern(twice)
    assert found.rows.tolist() == [0]
    assert found.columns.tolist() == [1]


def test_empty_rows_and_columns() -> None:
    found = Pattern([[0, 0, 1], [0, 0, 0]])
    assert [group.tolist() for group in found.groups] == [[0, 1, 2]]


class Outside:
    """A matrix with an index outside of its shape."""

    shape, nnz = (2, 2), 1
    data, row, col = np.ones(1), np.array([0]), np.array([5])

    def tocsr(self) -> Any:
        raise AssertionError

    def tocoo(self) -> Any:
        return self


@pytest.mark.parametrize(
    ("entries", "error", "message"),
    [
        ([1, 0, 1], ValueError, r"two dimensions, residuals by parameters; its shape is \(3,\)"),
        (np.zeros((0, 3)), ValueError, "must have rows and columns"),
        ([[1.0, np.nan]], ValueError, r"must not be NaN; its entry \(0, 1\) is"),
        ([["a", "b"]], TypeError, "booleans or real numbers"),
        ([[1j, 0]], TypeError, "booleans or real numbers"),
        ([[1], [1, 2]], TypeError, "must be an array or a sparse matrix"),
        (None, TypeError, "booleans or real numbers"),
        (Outside(), ValueError, "column indices below 2; one is 5"),
    ],
)
def test_bad_patterns_are_refused(entries: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Pattern(entries)
