"""Graphs of expressions: lists of steps without duplicates; see lmoo/models/graph/nodes.py."""

cdef enum:
    NONE = -2

cdef tuple _names = tuple(_operation_of)    # of the operations, by their numbers


cdef int _number_of(name) except -1:
    """Return the number of an operation."""
    found = _operation_of.get(name)
    if found is None:
        raise KeyError(name)
    return found


cdef class Steps:
    """The steps of a graph, in Python and in C."""

    cdef Nodes graph
    cdef readonly list steps
    cdef readonly list varies

    def __cinit__(self, *rest):
        memset(&self.graph, 0, sizeof(Nodes))
        self.steps, self.varies = [], []
        if not _grow(&self.graph):
            raise MemoryError

    def __init__(self, steps=()):
        cdef int operation
        cdef int32_t[3] arguments
        for step in steps:
            # Unpacked, as indices of Python's objects are not checked here.
            name, nodes, value = step
            operation = self._take(name, nodes, arguments)
            if operation > OP_CONSTANT:
                self._add(operation, arguments[0], arguments[1], arguments[2], 0.0, step)
            else:
                self._add(operation, -1, -1, -1, value, step)

    def __dealloc__(self):
        free(self.graph.nodes)
        free(self.graph.places)

    def parameter(self, ptrdiff_t index):
        """Return the node of a parameter."""
        return self._add(OP_PARAMETER, -1, -1, -1, <double>index, None)

    def variable(self, ptrdiff_t index):
        """Return the node of an independent variable."""
        return self._add(OP_VARIABLE, -1, -1, -1, <double>index, None)

    def constant(self, double value):
        """Return the node of a number."""
        return self._constant(value)

    def apply(self, str operation, *arguments):
        """Return the node of an operation's value.

        Parameters
        ----------
        operation : str
            A name in `lmoo.models.graph.operations.OPERATIONS`.
        *arguments : int
            Nodes.
        """
        cdef int32_t[3] nodes
        return self._apply(self._take(operation, arguments, nodes), nodes[0], nodes[1], nodes[2])

    def number(self, ptrdiff_t node):
        """Return the value of a node that is a constant; None for others."""
        self._check(node)
        return self.graph.nodes[node].value if _is_constant(&self.graph, <int32_t>node) else None

    def operand(self, ptrdiff_t node, str operation):
        """Return the argument of a node of a unary operation; None for other nodes."""
        self._check(node)
        if self.graph.nodes[node].operation != _number_of(operation):
            return None
        return self.graph.nodes[node].arguments[0]

    cdef int _check(self, ptrdiff_t node) except -1:
        if not 0 <= node < self.graph.count:
            raise IndexError(f"the graph has {self.graph.count} nodes; there is none with the number {node}")
        return 0

    cdef int _take(self, name, given, int32_t *arguments) except -1:
        """Convert the nodes of arguments, -1 for those that there are not, and return the number of an operation."""
        cdef ptrdiff_t node
        cdef int k = 0, operation = _number_of(name), arity = _operations[operation].arity
        arguments[0] = arguments[1] = arguments[2] = -1
        for node in given:
            self._check(node)
            if k < arity:
                arguments[k] = <int32_t>node
            k += 1
        if k != arity:
            raise TypeError(f"{name} must have {arity} arguments; it has {k}")
        return operation

    cdef int32_t _add(self, int operation, int32_t a, int32_t b, int32_t c, double value, step) except -1:
        """Return the node of a step, a new one if there is none; step: None if it is to be made."""
        cdef ptrdiff_t before = self.graph.count
        cdef uint64_t key = _key(value) if operation <= OP_CONSTANT else 0
        cdef int32_t found
        # Equal for arguments in another order.
        if _operations[operation].commutative and a > b:
            found = _unique(&self.graph, operation, b, a, c, value, key)
        else:
            found = _unique(&self.graph, operation, a, b, c, value, key)
        if self.graph.failed:
            raise MemoryError
        if self.graph.count == before:
            return found
        if step is None:
            if operation == OP_CONSTANT:
                step = ("constant", (), value)
            elif operation < OP_CONSTANT:
                step = (_names[operation], (), <ptrdiff_t>value)
            else:
                arguments = <object>(a, b, c) if c >= 0 else <object>(a, b) if b >= 0 else <object>(a,)
                step = (_names[operation], arguments, None)
        self.steps.append(step)
        self.varies.append(not self.graph.nodes[found].uniform)
        return found

    cdef int32_t _constant(self, double value) except -1:
        return self._add(OP_CONSTANT, -1, -1, -1, value, None)

    cdef int32_t _one(self, int operation, int32_t a) except -1:
        return self._apply(operation, a, -1, -1)

    cdef int32_t _two(self, int operation, int32_t a, int32_t b) except -1:
        return self._apply(operation, a, b, -1)

    cdef int32_t _apply(self, int operation, int32_t a, int32_t b, int32_t c) except -1:
        """Return the node of an operation's value."""
        cdef Nodes *g = &self.graph
        cdef int32_t same = -1
        if (a < 0 or _is_constant(g, a)) and (b < 0 or _is_constant(g, b)) and (c < 0 or _is_constant(g, c)):
            values = [g.nodes[i].value for i in (a, b, c) if i >= 0]
            return self._constant(self._value(_names[operation], values))
        if operation == OP_NEGATIVE:
            same = self._negative(a)
        elif operation == OP_ADD:
            same = self._sum(a, b)
        elif operation == OP_SUBTRACT:
            same = self._difference(a, b)
        elif operation == OP_MULTIPLY:
            same = self._product(a, b)
        elif operation == OP_DIVIDE:
            same = self._quotient(a, b)
        elif operation == OP_POWER:
            same = self._power(a, b)
        elif operation == OP_SQUARE or operation == OP_ABSOLUTE:
            # They ignore the sign of the argument.
            same = self._one(operation, _opposite(g, a)) if _opposite(g, a) >= 0 else NONE
        elif operation == OP_WHERE:
            same = self._where(a, b, c)
        else:
            same = NONE
        return self._add(operation, a, b, c, 0.0, None) if same == NONE else same

    # ---- steps that are equal to others; NONE if there is none

    cdef int32_t _negative(self, int32_t x) except -1:
        cdef Nodes *g = &self.graph
        cdef int operation = g.nodes[x].operation
        cdef int32_t a, b
        if operation == OP_NEGATIVE:
            return g.nodes[x].arguments[0]
        if operation != OP_MULTIPLY and operation != OP_DIVIDE:
            return NONE
        # The sign is moved into a constant factor.
        a, b = self.steps[x][1]
        if _is_constant(g, a):
            return self._two(operation, self._constant(-g.nodes[a].value), b)
        if _is_constant(g, b) and operation == OP_MULTIPLY:
            return self._two(operation, a, self._constant(-g.nodes[b].value))
        return NONE

    cdef int32_t _sum(self, int32_t a, int32_t b) except -1:
        cdef Nodes *g = &self.graph
        if _is_number(g, a, 0.0):
            return b
        if _is_number(g, b, 0.0):
            return a
        if _opposite(g, b) >= 0:
            return self._two(OP_SUBTRACT, a, _opposite(g, b))
        return self._two(OP_SUBTRACT, b, _opposite(g, a)) if _opposite(g, a) >= 0 else NONE

    cdef int32_t _difference(self, int32_t a, int32_t b) except -1:
        cdef Nodes *g = &self.graph
        if _is_number(g, b, 0.0):
            return a
        if _is_number(g, a, 0.0):
            return self._one(OP_NEGATIVE, b)
        return self._two(OP_ADD, a, _opposite(g, b)) if _opposite(g, b) >= 0 else NONE

    cdef int32_t _product(self, int32_t a, int32_t b) except -1:
        cdef Nodes *g = &self.graph
        cdef int k
        for k in range(2):
            if _is_number(g, a, 1.0):
                return b
            if _is_number(g, a, -1.0):
                return self._one(OP_NEGATIVE, b)
            if _opposite(g, a) >= 0:
                return self._one(OP_NEGATIVE, self._two(OP_MULTIPLY, _opposite(g, a), b))
            a, b = b, a
        return NONE

    cdef int32_t _quotient(self, int32_t a, int32_t b) except -1:
        cdef Nodes *g = &self.graph
        if _is_number(g, b, 1.0):
            return a
        if _is_number(g, b, -1.0):
            return self._one(OP_NEGATIVE, a)
        if _is_number(g, a, 1.0):
            return self._one(OP_RECIPROCAL, b)
        if _is_number(g, a, -1.0):
            return self._one(OP_NEGATIVE, self._one(OP_RECIPROCAL, b))
        if _opposite(g, a) >= 0:
            return self._one(OP_NEGATIVE, self._two(OP_DIVIDE, _opposite(g, a), b))
        if _opposite(g, b) >= 0:
            return self._one(OP_NEGATIVE, self._two(OP_DIVIDE, a, _opposite(g, b)))
        return NONE

    cdef int32_t _power(self, int32_t a, int32_t b) except -1:
        cdef Nodes *g = &self.graph
        if _is_number(g, b, 0.0):
            return self._constant(1.0)
        if _is_number(g, b, 1.0):
            return a
        if _is_number(g, b, 2.0):
            return self._one(OP_SQUARE, a)
        return self._one(OP_RECIPROCAL, a) if _is_number(g, b, -1.0) else NONE

    cdef int32_t _where(self, int32_t condition, int32_t a, int32_t b) except -1:
        if _is_constant(&self.graph, condition):
            return b if _is_number(&self.graph, condition, 0.0) else a
        return a if a == b else NONE


def extracted(steps, roots):
    """Return the steps that some nodes depend on, and the new indices of these nodes.

    The order depends only on the structure of the graph: equal graphs give equal steps.

    Parameters
    ----------
    steps : sequence of Step
    roots : sequence of int
        The nodes.

    Examples
    --------
    >>> from lmoo.models.graph.nodes import extracted
    >>> steps = [("variable", (), 0), ("constant", (), 2.0), ("exp", (0,), None)]
    >>> extracted(steps, [2])
    ((('variable', (), 0), ('exp', (0,), None)), (1,))
    """
    cdef ptrdiff_t count = len(steps), node, i, waiting
    cdef list out = [], found = []
    cdef bint missing, moved
    # A node is put there by a node that uses it, of which each does so once for up to 3 of them.
    cdef int32_t *stack = <int32_t *>malloc(<size_t>(4 * count + 1) * sizeof(int32_t))
    cdef int32_t *places = stack + 3 * count + 1
    if stack == NULL:
        raise MemoryError
    try:
        for i in range(count):
            places[i] = -1
        for root in roots:
            if not 0 <= root < count:
                raise IndexError(f"there are {count} steps; the index of one is {root}")
            stack[0], waiting = root, 1
            while waiting > 0:
                node = stack[waiting - 1]
                if places[node] >= 0:
                    waiting -= 1
                    continue
                step = steps[node]
                # Unpacked, as indices of Python's objects are not checked here.
                name, arguments, value = step
                missing = moved = False
                if len(arguments) > 3:
                    raise TypeError(f"an operation has at most 3 arguments; {name} has {len(arguments)}")
                for argument in reversed(arguments):
                    i = argument
                    if not 0 <= i < node:
                        raise IndexError(f"step {node} must have earlier ones as arguments; it has {arguments}")
                    if places[i] < 0:
                        stack[waiting] = <int32_t>i
                        waiting += 1
                        missing = True
                    moved = moved or places[i] != i
                if missing:
                    continue
                waiting -= 1
                places[node] = <int32_t>len(out)
                if moved:
                    step = (name, tuple([places[<ptrdiff_t>argument] for argument in arguments]), value)
                out.append(step)
            found.append(places[<ptrdiff_t>root])
    finally:
        free(stack)
    return tuple(out), tuple(found)
