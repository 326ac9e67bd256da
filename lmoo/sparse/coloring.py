"""Groups of columns of a sparse matrix that share no row."""

import numpy as np

from lmoo._core.arrays import Index


def transposed(first: Index, rows: Index, m: int) -> tuple[Index, Index]:
    """Return the columns of each row, in the form of the rows of each column.

    Parameters
    ----------
    first : (n + 1,) intp array
        Column j has the rows ``rows[first[j]:first[j + 1]]``.
    rows : (entries,) intp array
    m : int
        The number of rows.

    Returns
    -------
    first : (m + 1,) intp array
    columns : (entries,) intp array
    """
    order = np.argsort(rows, kind="stable")
    columns = np.repeat(np.arange(first.size - 1), np.diff(first))[order]
    counts = np.bincount(rows, minlength=m)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.intp), columns.astype(np.intp)


def group_columns(first: Index, rows: Index, m: int) -> list[Index]:
    """Return groups of columns that share no row.

    A greedy colouring of the graph in which two columns are neighbours if they share a row: columns
    with many neighbours first, each in the first group that has none of them (Curtis, Powell, Reid
    1974, "On the estimation of sparse Jacobian matrices", J. Inst. Maths Applics 13, 117; the order
    is that of Welsh, Powell 1967, "An upper bound for the chromatic number of a graph", Comput. J.
    10, 85).  There are at least as many groups as entries in the longest row.

    Parameters
    ----------
    first, rows, m
        The pattern, as for `transposed`.

    Returns
    -------
    list of intp arrays
        Each increasing; columns without entries are in the first group.

    Examples
    --------
    A matrix with three diagonals has three groups, for any number of columns:

    >>> from lmoo.sparse.pattern import Pattern
    >>> import numpy as np
    >>> dense = np.abs(np.subtract.outer(np.arange(7), np.arange(7))) <= 1
    >>> [group.tolist() for group in Pattern(dense).groups]
    [[2, 5], [0, 3, 6], [1, 4]]
    """
    n = first.size - 1
    row_first, columns = transposed(first, rows, m)
    lengths = np.diff(row_first)
    # Neighbours, counted once for each row that is shared.
    totals = np.concatenate([[0], np.cumsum(lengths[rows])])
    neighbours = totals[first[1:]] - totals[first[:-1]]
    color = np.full(n, -1, dtype=np.intp)
    # The last column that has met each colour.
    seen = np.full(n + 1, -1, dtype=np.intp)
    for j in np.argsort(-neighbours, kind="stable").tolist():
        for i in rows[first[j] : first[j + 1]].tolist():
            seen[color[columns[row_first[i] : row_first[i + 1]]]] = j
        # Columns without a colour have -1, the last entry, which is left out.
        color[j] = int(np.argmax(seen[:n] != j))
    order = np.argsort(color, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(color[order])) + 1) if n else []
