"""Solves of problems of groups: rows and parameters of their own, and shared parameters.

The residual is one vector in memory, that of all groups; of the Jacobian there are only the blocks [J_k | A_k] of
single groups, which go into the arrow linear model one after the other (arrow/linear.pxi).  What evaluates the groups
is an object, `Groups`:

    CurveGroups     one compiled model and a curve for each group, without the GIL, on threads
    MemberGroups    any problems, each by its own residual and its own Jacobian strategy

The order of the parameters: the shared ones, then the own ones of each group.
"""


cdef class Groups:
    """Base: what evaluates a problem of groups, for one solve.

    Attributes
    ----------
    shared : int
        Number of shared parameters.
    own : (groups,) array
        Numbers of own parameters.
    rows : int
        Of the residual; -1 before `begin`.
    """

    cdef int begin(self, const double *x) except -1:
        """Find the number of rows at the starting point x; 1 if that is a bad point."""
        return 0

    cdef int residual(self, const double *x, double *f) except -1:
        """f at x: 0, or 1 at a bad point."""
        raise NotImplementedError

    cdef int settle(self, ArrowLoop loop) except -1:
        """Change own parameters of a trial point that does not reduce f as predicted: 0, or 1 at a bad point."""
        return 0

    cdef int linearize(self, ArrowLoop loop, bint better) except -1:
        """Give the blocks of all groups at the current point to the arrow model; 0, or 1 at a bad point.

        Relative errors of own columns and intervals go to the state.
        """
        raise NotImplementedError

    cdef int finish(self, ArrowLoop loop, const double *norms) except -1:
        """The norms of all columns are known: errors of shared columns and intervals to the state."""
        return 0


cdef class GroupSource(Source):
    """Groups as the problem of a solve."""

    def __cinit__(self, Groups groups not None):
        self.groups, self.name, self.python = groups, "residual", True
        self.table.size = sizeof(lmoo_problem)
        self.table.m = groups.rows
        self.table.precision = EPSMCH


cdef class GroupDerivatives(Derivatives):
    """In place of a Jacobian strategy: tells whether there are better derivatives to ask for."""

    def __cinit__(self, Groups groups not None):
        self.noise = groups.error
        self.table.size = sizeof(lmoo_jacobian)
        self.table.refines = groups.refines


cdef int answer_of_parts(const int *codes, ptrdiff_t parts) except -1:
    """Return 1 if a part has met a bad point, else 0; raise ValueError if the model has ended the solve."""
    cdef ptrdiff_t part
    for part in range(parts):
        if codes[part] < 0:
            raise ValueError(f"the model ended the solve: it returned {codes[part]}")
        if codes[part] > 0:
            return 1
    return 0
