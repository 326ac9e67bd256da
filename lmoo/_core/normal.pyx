"""The normal matrix S^T S of a sparse matrix S: its pattern, and its numbers in a known pattern.

Gustavson (1978), "Two fast algorithms for sparse matrices: multiplication and permuted transposition", ACM TOMS 4, 250:
column j is the sum of the rows that have an entry in column j, in a dense vector of work space.  Only the lower triangle
is computed.

   first, index, data    S row by row: row i has the entries first[i] to first[i + 1], with increasing columns
   start, place, row     S column by column: column j has the entries place[start[j]:start[j + 1]] of `data`, in the rows
                         row[start[j]:start[j + 1]]
   begin, target         the lower triangle of S^T S column by column, with increasing rows, all diagonal entries included
"""

import numpy as np


def normal_pattern(const int[::1] first not None, const int[::1] index not None,
                   const ptrdiff_t[::1] start not None, const ptrdiff_t[::1] place not None,
                   const ptrdiff_t[::1] row not None):
    """Return (begin, target), the rows of a column in the order in which they are found, the diagonal first."""
    cdef ptrdiff_t n = start.shape[0] - 1, j, p, q, count, turn
    cdef int[::1] mark = np.full(n, -1, dtype=np.intc)
    cdef ptrdiff_t[::1] begin = np.zeros(n + 1, dtype=np.intp)
    cdef int[::1] target = np.empty(0, dtype=np.intc)
    for turn in range(2):
        # The entries are counted first.
        count = 0
        mark[:] = -1
        for j in range(n):
            begin[j] = count
            mark[j] = <int>j
            if turn == 1:
                target[count] = <int>j
            count += 1
            for p in range(start[j], start[j + 1]):
                for q in range(place[p] + 1, first[row[p] + 1]):
                    if mark[index[q]] != j:
                        mark[index[q]] = <int>j
                        if turn == 1:
                            target[count] = index[q]
                        count += 1
        begin[n] = count
        if turn == 0:
            target = np.empty(count, dtype=np.intc)
    return np.asarray(begin), np.asarray(target)


def normal_values(const int[::1] first not None, const int[::1] index not None, const double[::1] data not None,
                  const ptrdiff_t[::1] start not None, const ptrdiff_t[::1] place not None,
                  const ptrdiff_t[::1] row not None, const int[::1] begin not None, const int[::1] target not None):
    """Return the entries of the lower triangle, in the order of `target`."""
    cdef ptrdiff_t n = start.shape[0] - 1, j, p, q, end
    cdef double[::1] work = np.zeros(n)
    cdef double[::1] out = np.empty(target.shape[0])
    cdef double value
    with nogil:
        for j in range(n):
            for p in range(start[j], start[j + 1]):
                value = data[place[p]]
                end = first[row[p] + 1]
                for q in range(place[p], end):
                    work[index[q]] += value * data[q]
            for p in range(begin[j], begin[j + 1]):
                out[p] = work[target[p]]
                work[target[p]] = 0.0
    return np.asarray(out)
