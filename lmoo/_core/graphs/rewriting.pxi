"""Graphs rewritten for the instructions of programs: operations without duplicates, signs moved outwards,
divisions replaced by multiplications."""

from libc.math cimport fabs, frexp
from libc.float cimport DBL_MIN
from libc.stdint cimport int32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memset

cdef extern from "models/program.h" nogil:
    const char **lmoo_operation_names
    int LMOO_CODES, LMOO_ROW, LMOO_BLOCK, LMOO_CACHE
    int LMOO_CONSTANTS, LMOO_UNIFORM, LMOO_REGISTERS, LMOO_FIRST_DATA

CODES = {lmoo_operation_names[code].decode(): code for code in range(LMOO_CODES)}
CONSTANTS, BLOCK = LMOO_CONSTANTS, LMOO_BLOCK


cdef enum:
    # Operations with rules of their own.
    OP_PARAMETER, OP_VARIABLE, OP_CONSTANT
    OP_ADD, OP_SUBTRACT, OP_MULTIPLY, OP_DIVIDE, OP_NEGATIVE
    OP_SQUARE, OP_RECIPROCAL, OP_ABSOLUTE, OP_POWER, OP_MOD, OP_REMAINDER
    OP_EXP, OP_SIN, OP_COS, OP_WOFZ_REAL, OP_WOFZ_IMAG, OP_WHERE
    OPERATIONS = 128    # at most

_RULED = """
    parameter variable constant add subtract multiply divide negative square reciprocal absolute power mod
    remainder exp sin cos wofz_real wofz_imag where
"""
_UNARY = """
    negative absolute sign sqrt cbrt square reciprocal exp exp2 expm1 log log2 log10 log1p sin
    cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh floor ceil trunc rint
    logical_not isnan isfinite sinc erf erfc erfcx gamma gammaln digamma trigamma expit i0 i1 j0
    j1 lambertw exp1 expi k0 k1 k0e k1e i0e i1e ellipk ellipe ndtri erfinv spence
"""
_BINARY = """
    power minimum maximum fmin fmax mod remainder fmod floor_divide arctan2 hypot copysign
    heaviside less less_equal greater greater_equal equal not_equal logical_and logical_or
    logical_xor wofz_real wofz_imag add subtract multiply divide gammainc gammaincc jv yv iv kv
"""
# Operations whose values may jump if their arguments change by a rounding error.
_JUMPS = """
    ceil equal floor floor_divide fmod greater greater_equal heaviside less less_equal
    logical_and logical_not logical_or logical_xor mod not_equal remainder rint sign trunc where
"""
# Operations whose arguments may be exchanged.
_COMMUTATIVE = """
    add multiply minimum maximum fmin fmax hypot equal not_equal logical_and logical_or logical_xor
"""
# The number of arguments of each operation.
ARITY = {
    **dict.fromkeys(_UNARY.split(), 1),
    **dict.fromkeys(_BINARY.split(), 2),
    "where": 3,
}

ctypedef struct Operation:
    int32_t code        # of its instruction, -1 if it has none of its own
    int32_t arity
    bint jumps, commutative

cdef Operation[OPERATIONS] _operations
cdef dict _operation_of = {}


def _describe_operations():
    cdef int number
    for name in [*_RULED.split(), *ARITY]:
        if name not in _operation_of:
            number = len(_operation_of)
            assert number < OPERATIONS
            _operation_of[name] = number
            _operations[number].code = CODES.get(name, -1)
            _operations[number].arity = ARITY.get(name, 0)
            _operations[number].jumps = name in _JUMPS.split()
            _operations[number].commutative = name in _COMMUTATIVE.split()

_describe_operations()


ctypedef struct Node:
    int32_t operation
    int32_t[3] arguments    # -1: none
    double value            # of a constant; the index of a parameter or a variable
    uint64_t key            # equal for equal values
    bint uniform            # whether the node depends on no variable


ctypedef struct Nodes:
    Node *nodes
    int32_t *places         # of the nodes, by their hashes; -1: none
    ptrdiff_t count, capacity
    bint reciprocals        # whether divisions by numbers that depend on no variable become multiplications
    bint failed             # whether memory was not sufficient


# ---- nodes ------------------------------------------------------------------------------------

cdef uint64_t _key(double value) noexcept nogil:
    """Return the bits of a number; those of all nan are equal."""
    cdef uint64_t bits
    if value != value:
        return <uint64_t>0x7ff8000000000000
    memcpy(&bits, &value, sizeof(double))
    return bits


cdef ptrdiff_t _place_of(const Nodes *g, const Node *node) noexcept nogil:
    """Return where a node is in the table, or where it belongs."""
    cdef uint64_t hash = node.key
    cdef ptrdiff_t slots = 2 * g.capacity, place
    cdef int32_t found
    cdef const Node *other
    hash = (hash ^ <uint64_t>node.operation) * <uint64_t>0x9e3779b97f4a7c15
    hash = (hash ^ (hash >> 29) ^ <uint64_t>(node.arguments[0] + 1)) * <uint64_t>0xbf58476d1ce4e5b9
    hash = (hash ^ (hash >> 31) ^ <uint64_t>(node.arguments[1] + 1)) * <uint64_t>0x94d049bb133111eb
    hash = (hash ^ (hash >> 30) ^ <uint64_t>(node.arguments[2] + 1)) * <uint64_t>0x9e3779b97f4a7c15
    place = <ptrdiff_t>((hash >> 32) & <uint64_t>(slots - 1))
    while True:
        found = g.places[place]
        if found < 0:
            return place
        other = &g.nodes[found]
        if (other.operation == node.operation and other.key == node.key
                and other.arguments[0] == node.arguments[0]
                and other.arguments[1] == node.arguments[1]
                and other.arguments[2] == node.arguments[2]):
            return place
        place = (place + 1) & (slots - 1)


cdef bint _grow(Nodes *g) noexcept nogil:
    """Double the memory; return whether there was enough."""
    cdef ptrdiff_t capacity = 2 * g.capacity if g.capacity > 0 else 64, i
    cdef Node *nodes = <Node *>realloc(g.nodes, <size_t>capacity * sizeof(Node))
    cdef int32_t *places
    if nodes != NULL:
        g.nodes = nodes
    places = <int32_t *>malloc(<size_t>(2 * capacity) * sizeof(int32_t))
    if nodes == NULL or places == NULL:
        free(places)
        g.failed = True
        return False
    free(g.places)
    g.places, g.capacity = places, capacity
    for i in range(2 * capacity):
        places[i] = -1
    for i in range(g.count):
        places[_place_of(g, &nodes[i])] = <int32_t>i
    return True


cdef int32_t _known(const Nodes *g, int32_t operation, const int32_t *arguments) noexcept nogil:
    """Return the node of an operation with these arguments; -1 if there is none."""
    cdef Node node
    node.operation, node.key = operation, 0
    memcpy(node.arguments, arguments, sizeof(node.arguments))
    return g.places[_place_of(g, &node)]


cdef int32_t _unique(Nodes *g, int32_t operation, int32_t a, int32_t b, int32_t c, double value,
                     uint64_t key) noexcept nogil:
    """Return the node with these fields, a new one if there is none."""
    cdef ptrdiff_t place
    cdef Node *node
    if g.count == g.capacity and not _grow(g):
        return 0
    node = &g.nodes[g.count]
    node.operation, node.value, node.key = operation, value, key
    node.arguments[0], node.arguments[1], node.arguments[2] = a, b, c
    place = _place_of(g, node)
    if g.places[place] >= 0:
        return g.places[place]
    node.uniform = (operation != OP_VARIABLE and (a < 0 or g.nodes[a].uniform)
                    and (b < 0 or g.nodes[b].uniform) and (c < 0 or g.nodes[c].uniform))
    g.places[place] = <int32_t>g.count
    g.count += 1
    return <int32_t>(g.count - 1)


cdef int32_t _constant(Nodes *g, double value) noexcept nogil:
    """Return the node of a number; numbers with different bits are different nodes."""
    return _unique(g, OP_CONSTANT, -1, -1, -1, value, _key(value))


cdef int32_t _node(Nodes *g, int32_t operation, int32_t a, int32_t b=-1, int32_t c=-1) noexcept nogil:
    """Return the node of an operation; sums, differences and products of constants are computed."""
    cdef double x, y
    if OP_ADD <= operation <= OP_MULTIPLY and _is_constant(g, a) and _is_constant(g, b):
        x, y = g.nodes[a].value, g.nodes[b].value
        return _constant(g, x + y if operation == OP_ADD else x - y if operation == OP_SUBTRACT else x * y)
    return _unique(g, operation, a, b, c, 0.0, 0)


cdef inline bint _is_constant(const Nodes *g, int32_t node) noexcept nogil:
    return g.nodes[node].operation == OP_CONSTANT


cdef inline bint _is_number(const Nodes *g, int32_t node, double value) noexcept nogil:
    """Return whether a node is this constant."""
    return _is_constant(g, node) and g.nodes[node].value == value


cdef inline int32_t _opposite(const Nodes *g, int32_t node) noexcept nogil:
    """Return the argument of a negation; -1 for other nodes."""
    return g.nodes[node].arguments[0] if g.nodes[node].operation == OP_NEGATIVE else -1


cdef bint _inverts(const Nodes *g, int32_t node) noexcept nogil:
    """Return whether a node is no constant whose reciprocal is out of range, or inaccurate.

    A quotient by the smallest numbers may be finite where their reciprocals are not.
    """
    return not _is_constant(g, node) or DBL_MIN <= fabs(g.nodes[node].value) <= 1.0 / DBL_MIN


cdef bint _only_scales(const Nodes *g, int32_t node) noexcept nogil:
    """Return whether a node is plus or minus a power of two, so that products are exact."""
    cdef int exponent
    return _is_constant(g, node) and fabs(frexp(g.nodes[node].value, &exponent)) == 0.5


# ---- rules for operations ---------------------------------------------------------------------

# Signs are moved outwards and become part of a factor or of a sum.  This is exact except for the signs of zeros.

cdef int32_t _negative(Nodes *g, int32_t a) noexcept nogil:
    cdef Node node = g.nodes[a]
    cdef int32_t left = node.arguments[0], right = node.arguments[1]
    if node.operation == OP_CONSTANT:
        return _constant(g, -node.value)
    if node.operation == OP_NEGATIVE:
        return left
    if (node.operation == OP_MULTIPLY or node.operation == OP_DIVIDE) and not node.uniform:
        if g.nodes[right].uniform:
            return _node(g, node.operation, left, _negative(g, right))
        if g.nodes[left].uniform:
            return _node(g, node.operation, _negative(g, left), right)
    return _node(g, OP_NEGATIVE, a)


cdef int32_t _sum(Nodes *g, int32_t a, int32_t b) noexcept nogil:
    if _opposite(g, b) >= 0:
        return _difference(g, a, _opposite(g, b))
    if _opposite(g, a) >= 0:
        return _difference(g, b, _opposite(g, a))
    # The operand that is not uniform comes first.
    return _node(g, OP_ADD, b, a) if g.nodes[a].uniform else _node(g, OP_ADD, a, b)


cdef int32_t _difference(Nodes *g, int32_t a, int32_t b) noexcept nogil:
    if _opposite(g, b) >= 0:
        return _sum(g, a, _opposite(g, b))
    if _opposite(g, a) >= 0:
        return _negative(g, _sum(g, _opposite(g, a), b))
    return _node(g, OP_SUBTRACT, a, b)


cdef int32_t _product(Nodes *g, int32_t a, int32_t b) noexcept nogil:
    cdef int32_t left, right
    if _is_number(g, a, 1.0):
        return b
    if _opposite(g, a) >= 0:
        return _negative(g, _product(g, _opposite(g, a), b))
    if _is_number(g, b, 1.0):
        return a
    if _opposite(g, b) >= 0:
        return _negative(g, _product(g, _opposite(g, b), a))
    if g.nodes[a].uniform:
        a, b = b, a
    if g.nodes[b].uniform and not g.nodes[a].uniform and g.nodes[a].operation == OP_MULTIPLY:
        left, right = g.nodes[a].arguments[0], g.nodes[a].arguments[1]
        if g.nodes[right].uniform and (_only_scales(g, right) or _only_scales(g, b)):
            return _product(g, left, _product(g, right, b))
    return _node(g, OP_MULTIPLY, a, b)


cdef int32_t _quotient(Nodes *g, int32_t a, int32_t b) noexcept nogil:
    if _is_number(g, b, 1.0):
        return a
    if _opposite(g, a) >= 0 and not g.nodes[a].uniform:
        return _negative(g, _quotient(g, _opposite(g, a), b))
    if _opposite(g, b) >= 0 and not g.nodes[b].uniform:
        return _negative(g, _quotient(g, a, _opposite(g, b)))
    if g.nodes[b].uniform and not g.nodes[a].uniform and _inverts(g, b):
        if _only_scales(g, b):
            return _product(g, a, _constant(g, 1.0 / g.nodes[b].value))
        if g.reciprocals:
            return _product(g, a, _node(g, OP_DIVIDE, _constant(g, 1.0), b))
    return _node(g, OP_DIVIDE, a, b)


cdef int32_t _square(Nodes *g, int32_t a) noexcept nogil:
    return _square(g, _opposite(g, a)) if _opposite(g, a) >= 0 else _node(g, OP_MULTIPLY, a, a)


cdef int32_t _reciprocal(Nodes *g, int32_t a) noexcept nogil:
    return _quotient(g, _constant(g, 1.0), a)


cdef int32_t _absolute(Nodes *g, int32_t a) noexcept nogil:
    return _node(g, OP_ABSOLUTE, _opposite(g, a) if _opposite(g, a) >= 0 else a)


cdef int32_t _power(Nodes *g, int32_t a, int32_t b) noexcept nogil:
    """Return a power; small integer exponents become multiplications."""
    if _is_number(g, b, 1.0):
        return a
    if _is_number(g, b, 2.0):
        return _square(g, a)
    if _is_number(g, b, 3.0):
        return _product(g, _square(g, a), a)
    if _is_number(g, b, 4.0):
        return _square(g, _square(g, a))
    if _is_number(g, b, -1.0):
        return _reciprocal(g, a)
    if _is_number(g, b, -2.0):
        return _square(g, _reciprocal(g, a))
    return _node(g, OP_POWER, a, b)


cdef int32_t _applied(Nodes *g, int32_t operation, int32_t a, int32_t b, int32_t c) noexcept nogil:
    """Return the node of an operation, simplified by the rule for it if there is one."""
    if operation == OP_ADD:
        return _sum(g, a, b)
    if operation == OP_SUBTRACT:
        return _difference(g, a, b)
    if operation == OP_MULTIPLY:
        return _product(g, a, b)
    if operation == OP_DIVIDE:
        return _quotient(g, a, b)
    if operation == OP_NEGATIVE:
        return _negative(g, a)
    if operation == OP_SQUARE:
        return _square(g, a)
    if operation == OP_RECIPROCAL:
        return _reciprocal(g, a)
    if operation == OP_ABSOLUTE:
        return _absolute(g, a)
    if operation == OP_POWER:
        return _power(g, a, b)
    return _node(g, OP_MOD if operation == OP_REMAINDER else operation, a, b, c)


# ---- the steps of a graph ---------------------------------------------------------------------

cdef void _include(Nodes *g, const Node *steps, ptrdiff_t count, const char *shared, int32_t *nodes) noexcept nogil:
    """Add the steps of a graph: `nodes` receives their nodes.

    shared : whether each step divides more than one numerator; NULL: no divisions are replaced for that.
    """
    cdef ptrdiff_t i
    cdef int32_t a, b, c
    for i in range(count):
        a, b, c = steps[i].arguments[0], steps[i].arguments[1], steps[i].arguments[2]
        if steps[i].operation <= OP_CONSTANT:
            nodes[i] = _unique(g, steps[i].operation, -1, -1, -1, steps[i].value, steps[i].key)
        elif steps[i].operation == OP_DIVIDE and shared != NULL and shared[b] and _inverts(g, nodes[b]):
            nodes[i] = _product(g, nodes[a], _reciprocal(g, nodes[b]))
        else:
            nodes[i] = _applied(g, steps[i].operation, nodes[a], nodes[b] if b >= 0 else -1,
                                nodes[c] if c >= 0 else -1)


cdef bint _shared_divisors(const Node *steps, ptrdiff_t count, char *shared) noexcept nogil:
    """Find out whether each step divides more than one numerator; return whether memory was sufficient."""
    cdef Nodes kinds    # Equal steps have equal numbers.
    cdef int32_t *kind = <int32_t *>malloc(<size_t>(2 * count) * sizeof(int32_t))
    cdef int32_t *numerator = kind + count      # The first one; -2: none, -3: there are several.
    cdef int32_t[3] arguments
    cdef int32_t divided
    cdef ptrdiff_t i
    cdef int k
    memset(&kinds, 0, sizeof(Nodes))
    if kind == NULL:
        return False
    for i in range(count):
        numerator[i] = -2
    for i in range(count):
        for k in range(3):
            arguments[k] = kind[steps[i].arguments[k]] if steps[i].arguments[k] >= 0 else -1
        kind[i] = _unique(&kinds, steps[i].operation, arguments[0], arguments[1], arguments[2], 0.0, steps[i].key)
        if kinds.failed:
            break
        if steps[i].operation == OP_DIVIDE or steps[i].operation == OP_RECIPROCAL:
            # -1 for the numerator 1 of a reciprocal.
            divided = -1
            if steps[i].operation == OP_DIVIDE:
                divided, arguments[0] = arguments[0], arguments[1]
            if numerator[arguments[0]] == -2:
                numerator[arguments[0]] = divided
            elif numerator[arguments[0]] != divided:
                numerator[arguments[0]] = -3
    if not kinds.failed:
        for i in range(count):
            shared[i] = numerator[kind[i]] == -3
    free(kinds.nodes)
    free(kinds.places)
    free(kind)
    return not kinds.failed
