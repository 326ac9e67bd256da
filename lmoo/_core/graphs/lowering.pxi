"""Conversion of graphs to tapes: operations are selected, rewritten, fused and given registers."""

cdef extern from "models/program.h" nogil:
    enum:
        LMOO_CODE_points, LMOO_CODE_sincos, LMOO_CODE_wofz
        LMOO_CODE_exp_multiply_vs, LMOO_CODE_exp_square_multiply_s, LMOO_CODE_decay, LMOO_CODE_square_add_s_under_s
        LMOO_CODE_multiply_vs_then_multiply_v
        LMOO_CODE_copy_v_then_nothing
        LMOO_CODE_add_vv_then_nothing, LMOO_CODE_add_vs_then_nothing
        LMOO_CODE_subtract_vv_then_nothing, LMOO_CODE_subtract_vs_then_nothing, LMOO_CODE_subtract_sv_then_nothing
        LMOO_CODE_multiply_vv_then_nothing, LMOO_CODE_multiply_vs_then_nothing
        LMOO_CODE_divide_vv_then_nothing, LMOO_CODE_divide_vs_then_nothing, LMOO_CODE_divide_sv_then_nothing
        LMOO_CODE_copy_v_then_squared
        LMOO_CODE_copy_v_then_add_v, LMOO_CODE_copy_v_then_add_s
        LMOO_CODE_copy_v_then_subtract_v, LMOO_CODE_copy_v_then_subtract_s
        LMOO_CODE_copy_v_then_from_v, LMOO_CODE_copy_v_then_from_s
        LMOO_CODE_copy_v_then_multiply_v, LMOO_CODE_copy_v_then_multiply_s
        LMOO_CODE_copy_v_then_divide_v, LMOO_CODE_copy_v_then_divide_s
        LMOO_CODE_copy_v_then_under_v, LMOO_CODE_copy_v_then_under_s

cdef lmoo_operand NOTHING
NOTHING.area, NOTHING.offset = LMOO_CONSTANTS, 0


cdef class Tape:
    """The instructions of a program: an lmoo_tape and its memory."""

    def __dealloc__(self):
        free(self.instructions)
        free(self.ends)
        free(self.constants)

    @property
    def parts(self):
        """(ends, instructions, uniforms, constants, rows, registers, points), as in lmoo_tape.

        Ends (outputs, 2) int32 and instructions (count, 12) int32 as bytes, the number of the uniform instructions,
        constants as bytes of (count, ROW) doubles.
        """
        cdef const char *ends = <const char *>self.ends
        cdef const char *instructions = <const char *>self.instructions
        cdef const char *constants = <const char *>self.constants
        cdef ptrdiff_t count = self.tape.end - self.tape.all
        return (ends[:self.tape.outputs * <ptrdiff_t>sizeof(lmoo_operand)],
                instructions[:count * <ptrdiff_t>sizeof(lmoo_instruction)], self.tape.block - self.tape.all,
                constants[:LMOO_ROW * self.constant_rows * <ptrdiff_t>sizeof(double)], self.tape.rows,
                self.tape.registers, self.tape.points)


# An arithmetic operation that may be merged into another; a negation is a multiplication by -1.
ctypedef struct Arithmetic:
    int32_t operation       # -1: it is none
    int32_t a, b


# The instruction of a node.
ctypedef struct Plan:
    int32_t code            # -1: that of its operation
    int32_t[3] operands     # -1: none


# What is known of a node of the graph while it becomes a part of a tape.
ctypedef struct Planned:
    int32_t uses            # -1: it is not needed
    bint absorbed           # whether it is a part of another's instruction
    bint merged             # whether such parts belong to it
    Plan plan
    int32_t second          # the node that is the second result of its instruction; -1: none
    lmoo_operand place      # area -1: none yet
    int32_t last            # the position at which it is last an operand; -1: none
    int32_t register        # -1: none


ctypedef struct Lowering:
    Nodes *graph
    const int32_t *ends
    ptrdiff_t outputs, n, variables
    Planned *of
    int32_t *order          # the nodes that are needed
    int32_t *plans          # the nodes that were given plans, in this order
    int32_t *free           # registers
    ptrdiff_t ordered, planned
    int32_t minus_one


# ---- the nodes that are needed ----------------------------------------------------------------

cdef void _need(Lowering *l) noexcept nogil:
    """Find the nodes that the outputs depend on, and count their uses."""
    cdef const Node *nodes = l.graph.nodes
    cdef ptrdiff_t i, j
    cdef int k
    cdef int32_t a
    for j in range(l.outputs):
        # An output is never merged into another instruction.
        l.of[l.ends[j]].uses = max(l.of[l.ends[j]].uses, 0) + 2
    for i in range(l.graph.count - 1, -1, -1):
        if l.of[i].uses < 0:
            continue
        for k in range(3):
            a = nodes[i].arguments[k]
            if a >= 0 and not (k > 0 and a == nodes[i].arguments[0]) and not (k > 1 and a == nodes[i].arguments[1]):
                l.of[a].uses = max(l.of[a].uses, 0) + 1
    for i in range(l.graph.count):
        if l.of[i].uses >= 0:
            l.order[l.ordered] = <int32_t>i
            l.ordered += 1


cdef bint _is_leaf(const Lowering *l, int32_t node) noexcept nogil:
    return l.graph.nodes[node].operation <= OP_CONSTANT


cdef bint _is_uniform(const Lowering *l, int32_t node) noexcept nogil:
    return l.graph.nodes[node].uniform


# ---- operations merged into one instruction ---------------------------------------------------

cdef Arithmetic _operation(const Lowering *l, int32_t node) noexcept nogil:
    """Return an operation and its operands, if it may be merged into another."""
    cdef const Node *found = &l.graph.nodes[node]
    cdef Arithmetic out
    out.operation, out.a, out.b = -1, found.arguments[0], found.arguments[1]
    if found.operation == OP_NEGATIVE:
        out.operation, out.b = OP_MULTIPLY, l.minus_one
    elif OP_ADD <= found.operation <= OP_DIVIDE:
        out.operation = found.operation
    return out


cdef bint _alone(const Lowering *l, int32_t node, bint uniform) noexcept nogil:
    """Return whether a node is an operation with one user, not yet merged with others."""
    return (l.of[node].uses == 1 and not l.of[node].absorbed and not l.of[node].merged
            and _is_uniform(l, node) == uniform and _operation(l, node).operation >= 0)


cdef bint _is_square(const Lowering *l, int32_t node) noexcept nogil:
    """Return whether a node is a square with one user, not yet merged with others."""
    cdef const Node *found = &l.graph.nodes[node]
    return (found.operation == OP_MULTIPLY and found.arguments[0] == found.arguments[1]
            and _alone(l, node, False))


cdef void _set_plan(Lowering *l, int32_t node, int code, int32_t a, int32_t b, int32_t c) noexcept nogil:
    cdef Plan *plan = &l.of[node].plan
    if plan.code < 0:
        l.plans[l.planned] = node
        l.planned += 1
    plan.code = code
    plan.operands[0], plan.operands[1], plan.operands[2] = a, b, c


cdef void _plan(Lowering *l) noexcept nogil:
    """Choose the instructions of all nodes."""
    cdef const Node *nodes
    cdef ptrdiff_t i, before
    cdef int32_t node, inner
    cdef Arithmetic operation
    cdef int k
    l.minus_one = _constant(l.graph, -1.0)
    nodes = l.graph.nodes
    if l.of[l.minus_one].uses < 0:
        for i in range(l.ordered):
            if nodes[l.order[i]].operation == OP_NEGATIVE:
                _add_needed(l, l.minus_one)
                l.of[l.minus_one].uses = 1
                break
    for i in range(l.ordered):
        node = l.order[i]
        if nodes[node].operation == OP_EXP and not nodes[node].uniform:
            _plan_exp(l, node)
        elif nodes[node].operation == OP_DIVIDE and not nodes[node].uniform:
            _plan_divide(l, node)
    before = l.ordered
    for i in range(before):
        node = l.order[i]
        if l.graph.nodes[node].operation == OP_NEGATIVE and not l.of[node].absorbed:
            _plan_negative(l, node)
    for i in range(l.ordered):
        node = l.order[i]
        operation = _operation(l, node)
        if operation.operation < 0 or l.of[node].absorbed or l.of[node].merged:
            continue
        if operation.operation == OP_MULTIPLY or operation.a != operation.b:
            for k in range(2):
                inner = operation.b if k else operation.a
                if _alone(l, inner, _is_uniform(l, node)):
                    _merge(l, node, operation, inner)
                    break
        if not l.of[node].merged:
            _plan_first(l, node, operation, 0, -1)
    _plan_decays(l)


cdef void _add_needed(Lowering *l, int32_t node) noexcept nogil:
    l.order[l.ordered] = node
    l.ordered += 1
    l.of[node].uses = 0


cdef void _plan_exp(Lowering *l, int32_t node) noexcept nogil:
    """Make exp(a u) and exp(a a u), with a uniform u, one instruction."""
    cdef int32_t inner = l.graph.nodes[node].arguments[0]
    cdef Arithmetic product = _operation(l, inner)
    if product.operation != OP_MULTIPLY or not _alone(l, inner, False) or not _is_uniform(l, product.b):
        return
    l.of[inner].absorbed = True
    if _is_square(l, product.a):
        l.of[product.a].absorbed = True
        _set_plan(l, node, LMOO_CODE_exp_square_multiply_s, l.graph.nodes[product.a].arguments[0], product.b, -1)
    else:
        _set_plan(l, node, LMOO_CODE_exp_multiply_vs, product.a, product.b, -1)


cdef void _plan_divide(Lowering *l, int32_t node) noexcept nogil:
    """Make u / (a a + w), with uniform u and w, one instruction."""
    cdef const Node *nodes = l.graph.nodes
    cdef int32_t u = nodes[node].arguments[0], below = nodes[node].arguments[1], a, w
    if not nodes[u].uniform or nodes[below].operation != OP_ADD or not _alone(l, below, False):
        return
    a, w = nodes[below].arguments[0], nodes[below].arguments[1]
    if nodes[w].uniform and _is_square(l, a):
        l.of[below].absorbed = l.of[a].absorbed = True
        l.of[node].merged = True
        _set_plan(l, node, LMOO_CODE_square_add_s_under_s, nodes[a].arguments[0], w, u)


cdef void _plan_negative(Lowering *l, int32_t node) noexcept nogil:
    """Make -((a u) b), with a uniform u, the one instruction (a (-u)) b."""
    cdef int32_t product = l.graph.nodes[node].arguments[0]
    cdef Node outer = l.graph.nodes[product]
    cdef int32_t scaled, a, b, u, minus
    cdef int k
    if outer.operation != OP_MULTIPLY or l.of[product].uses != 1 or outer.arguments[0] == outer.arguments[1]:
        return
    for k in range(2):
        scaled, b = outer.arguments[k], outer.arguments[1 - k]
        a, u = l.graph.nodes[scaled].arguments[0], l.graph.nodes[scaled].arguments[1]
        if l.graph.nodes[scaled].operation != OP_MULTIPLY or l.of[scaled].absorbed:
            continue
        if _is_uniform(l, scaled) or not _is_uniform(l, u):
            continue
        minus = _negative(l.graph, u)
        if l.of[minus].uses < 0:
            _add_needed(l, minus)
            if l.graph.nodes[minus].arguments[0] >= 0:
                l.of[l.graph.nodes[minus].arguments[0]].uses += 1
        l.of[minus].uses += 1
        l.of[scaled].uses -= 1
        l.of[a].uses += 1
        _drop(l, scaled)
        l.of[product].absorbed = True
        l.of[node].merged = True
        _set_plan(l, node, LMOO_CODE_multiply_vs_then_multiply_v, a, minus, b)
        return


cdef void _drop(Lowering *l, int32_t node) noexcept nogil:
    """Leave out a node, and those that only it needs, if nothing uses it any more."""
    cdef int32_t a
    cdef int k
    if l.of[node].uses == 0 and not _is_leaf(l, node):
        l.of[node].absorbed = True
        for k in range(3):
            a = l.graph.nodes[node].arguments[k]
            if a < 0 or (k > 0 and a == l.graph.nodes[node].arguments[0]) \
                    or (k > 1 and a == l.graph.nodes[node].arguments[1]):
                continue
            l.of[a].uses -= 1
            _drop(l, a)


cdef void _plan_decays(Lowering *l) noexcept nogil:
    """Make e = exp(a u) and (e w) a, with uniform u and w, one instruction."""
    cdef ptrdiff_t i
    cdef int32_t e
    cdef const Plan *product
    cdef Plan *plan
    for i in range(l.planned):
        product = &l.of[l.plans[i]].plan
        if product.code != LMOO_CODE_multiply_vs_then_multiply_v or l.of[l.plans[i]].absorbed:
            continue
        e = product.operands[0]
        plan = &l.of[e].plan
        if plan.code == LMOO_CODE_exp_multiply_vs and plan.operands[0] == product.operands[2]:
            l.of[e].second = l.plans[i]
            plan.code, plan.operands[2] = LMOO_CODE_decay, product.operands[1]


cdef void _plan_first(Lowering *l, int32_t node, Arithmetic operation, int second, int32_t other) noexcept nogil:
    """Plan an operation, followed by a second one.

    second : its code, from that of `nothing` on;  other : its operand, -1 if it has none
    """
    cdef bint a = _is_uniform(l, operation.a), b = _is_uniform(l, operation.b)
    cdef int code
    if a and b:
        # In uniform operations, all operands are of one kind.
        a = b = False
    if a and (operation.operation == OP_ADD or operation.operation == OP_MULTIPLY):
        operation.a, operation.b = operation.b, operation.a
        a, b = False, True
    if operation.operation == OP_ADD:
        code = LMOO_CODE_add_vs_then_nothing if b else LMOO_CODE_add_vv_then_nothing
    elif operation.operation == OP_MULTIPLY:
        code = LMOO_CODE_multiply_vs_then_nothing if b else LMOO_CODE_multiply_vv_then_nothing
    elif operation.operation == OP_SUBTRACT:
        code = (LMOO_CODE_subtract_sv_then_nothing if a else LMOO_CODE_subtract_vs_then_nothing if b
                else LMOO_CODE_subtract_vv_then_nothing)
    else:
        code = (LMOO_CODE_divide_sv_then_nothing if a else LMOO_CODE_divide_vs_then_nothing if b
                else LMOO_CODE_divide_vv_then_nothing)
    _set_plan(l, node, code + second, operation.a, operation.b, other)


cdef void _merge(Lowering *l, int32_t node, Arithmetic operation, int32_t inner) noexcept nogil:
    """Merge an operation and one of its operands, which has no other user."""
    cdef bint swapped = operation.b == inner, uniform
    cdef int32_t other = operation.b if operation.a == inner else operation.a
    cdef int code
    if operation.a == operation.b:
        code, other = LMOO_CODE_copy_v_then_squared, -1
    else:
        uniform = _is_uniform(l, other) and not _is_uniform(l, node)
        if operation.operation == OP_ADD:
            code = LMOO_CODE_copy_v_then_add_s if uniform else LMOO_CODE_copy_v_then_add_v
        elif operation.operation == OP_MULTIPLY:
            code = LMOO_CODE_copy_v_then_multiply_s if uniform else LMOO_CODE_copy_v_then_multiply_v
        elif operation.operation == OP_SUBTRACT and swapped:
            code = LMOO_CODE_copy_v_then_from_s if uniform else LMOO_CODE_copy_v_then_from_v
        elif operation.operation == OP_SUBTRACT:
            code = LMOO_CODE_copy_v_then_subtract_s if uniform else LMOO_CODE_copy_v_then_subtract_v
        elif swapped:
            code = LMOO_CODE_copy_v_then_under_s if uniform else LMOO_CODE_copy_v_then_under_v
        else:
            code = LMOO_CODE_copy_v_then_divide_s if uniform else LMOO_CODE_copy_v_then_divide_v
    l.of[inner].absorbed = True
    l.of[node].merged = True
    _plan_first(l, node, _operation(l, inner), code - LMOO_CODE_copy_v_then_nothing, other)


# ---- instructions and registers ---------------------------------------------------------------

cdef int32_t _operand(const Lowering *l, int32_t node, int k) noexcept nogil:
    """Return an operand of a node's instruction; -1: none."""
    return l.of[node].plan.operands[k] if l.of[node].plan.code >= 0 else l.graph.nodes[node].arguments[k]


cdef int32_t _partner(const Lowering *l, int32_t node) noexcept nogil:
    """Return the other result of an instruction with two (sine and cosine), if it is needed; or -1."""
    cdef int32_t other, operation = l.graph.nodes[node].operation
    if operation < OP_SIN or operation > OP_WOFZ_IMAG:
        return l.of[node].second
    if operation == OP_SIN or operation == OP_COS:
        other = OP_SIN + OP_COS - operation
    else:
        other = OP_WOFZ_REAL + OP_WOFZ_IMAG - operation
    other = _known(l.graph, other, l.graph.nodes[node].arguments)
    return other if other >= 0 and l.of[other].uses >= 0 else -1


cdef void _write(const Lowering *l, int32_t node, int32_t partner, lmoo_instruction *out) noexcept nogil:
    """Write the instruction of a node."""
    cdef int32_t operation = l.graph.nodes[node].operation, argument
    cdef lmoo_operand[3] operands
    cdef int k
    for k in range(3):
        argument = _operand(l, node, k)
        operands[k] = l.of[argument].place if argument >= 0 else NOTHING
    out.unused = 0
    out.a, out.b, out.c = operands[0], operands[1], operands[2]
    out.out, out.out2 = l.of[node].place, NOTHING
    out.code = l.of[node].plan.code if l.of[node].plan.code >= 0 else _operations[operation].code
    if partner < 0:
        return
    out.out2 = l.of[partner].place
    if operation == OP_SIN or operation == OP_COS:
        out.code = LMOO_CODE_sincos
    elif operation == OP_WOFZ_REAL or operation == OP_WOFZ_IMAG:
        out.code = LMOO_CODE_wofz
    if operation == OP_COS or operation == OP_WOFZ_IMAG:
        # The sine and the real part come first.
        out.out, out.out2 = out.out2, out.out


cdef void _place(Lowering *l, int32_t node, int32_t area, ptrdiff_t offset) noexcept nogil:
    l.of[node].place.area, l.of[node].place.offset = area, <int32_t>offset


cdef lmoo_instruction *_write_blocks(Lowering *l, Tape tape, lmoo_instruction *out) noexcept nogil:
    """Write the instructions of a block, assign registers; return the end of the instructions."""
    cdef const Node *nodes = l.graph.nodes
    cdef ptrdiff_t i, count = 0, unused = 0
    cdef int32_t node, a
    cdef int32_t[2] results
    cdef lmoo_instruction *begin = out
    cdef int k
    for i in range(l.ordered):
        for k in range(3):
            a = _operand(l, l.order[i], k)
            if a >= 0 and _is_in_blocks(l, l.order[i]):
                l.of[a].last = <int32_t>i
    for i in range(l.ordered):
        node = l.order[i]
        if not _is_in_blocks(l, node):
            continue
        unused = _release(l, i, unused)
        if l.of[node].place.area >= 0 and l.of[node].place.offset >= 0:
            continue    # computed with its partner
        results[0], results[1] = node, _partner(l, node)
        for k in range(2):
            a = results[k]
            if a < 0:
                continue
            if l.of[a].place.area >= 0:
                l.of[a].place.offset = 0
                continue
            if unused == 0:
                l.free[0] = <int32_t>count
                unused, count = 1, count + 1
            unused -= 1
            l.of[a].register = l.free[unused]
            _place(l, a, LMOO_REGISTERS, l.of[a].register)
        _write(l, node, results[1], out)
        out += 1
    tape.tape.registers = count
    tape.tape.points = max(LMOO_ROW, LMOO_CACHE // max(count + l.variables + l.outputs, 1) // LMOO_ROW * LMOO_ROW)
    tape.tape.points = min(LMOO_BLOCK, tape.tape.points)
    while begin < out:
        _scale(&begin.out, tape.tape.points)
        _scale(&begin.out2, tape.tape.points)
        _scale(&begin.a, tape.tape.points)
        _scale(&begin.b, tape.tape.points)
        _scale(&begin.c, tape.tape.points)
        begin += 1
    return out


cdef bint _is_in_blocks(const Lowering *l, int32_t node) noexcept nogil:
    """Return whether a node has an instruction that is run for each block."""
    return not (l.of[node].absorbed or _is_uniform(l, node) or _is_leaf(l, node))


cdef void _scale(lmoo_operand *operand, ptrdiff_t points) noexcept nogil:
    """Convert the number of a register to its offset."""
    if operand.area == LMOO_REGISTERS:
        operand.offset *= <int32_t>points


cdef ptrdiff_t _release(Lowering *l, ptrdiff_t position, ptrdiff_t unused) noexcept nogil:
    """Release the registers of operands that are not used later, in the order of their nodes; return the number
    of registers that are free."""
    cdef int32_t[3] found
    cdef int32_t a
    cdef int k, j, count = 0
    for k in range(3):
        a = _operand(l, l.order[position], k)
        if a >= 0 and l.of[a].last == position and l.of[a].register >= 0:
            j = count
            while j > 0 and found[j - 1] > a:
                found[j] = found[j - 1]
                j -= 1
            found[j] = a
            count += 1
    for k in range(count):
        # An operand may occur twice.
        if l.of[found[k]].register >= 0:
            l.free[unused] = l.of[found[k]].register
            l.of[found[k]].register = -1
            unused += 1
    return unused


cdef void _assemble(Lowering *l, Tape tape) noexcept nogil:
    """Fill a tape whose memory is sufficient."""
    cdef const Node *nodes = l.graph.nodes
    cdef lmoo_instruction *out = tape.instructions
    cdef ptrdiff_t i, j, constants = 0, rows = l.n
    cdef int32_t node, end
    for i in range(l.ordered):
        node = l.order[i]
        if nodes[node].operation == OP_CONSTANT:
            _place(l, node, LMOO_CONSTANTS, LMOO_ROW * constants)
            for j in range(LMOO_ROW):
                tape.constants[LMOO_ROW * constants + j] = nodes[node].value
            constants += 1
        elif nodes[node].operation == OP_PARAMETER:
            _place(l, node, LMOO_UNIFORM, LMOO_ROW * <ptrdiff_t>nodes[node].value)
        elif nodes[node].operation == OP_VARIABLE:
            _place(l, node, LMOO_FIRST_DATA + <int32_t>nodes[node].value, 0)
    tape.constant_rows = constants
    for i in range(l.ordered):
        node = l.order[i]
        if nodes[node].uniform and not l.of[node].absorbed and not _is_leaf(l, node):
            _place(l, node, LMOO_UNIFORM, LMOO_ROW * rows)
            rows += 1
            _write(l, node, -1, out)
            out += 1
    tape.tape.block = out
    memset(out, 0, sizeof(lmoo_instruction))
    out.code = LMOO_CODE_points
    out.out2 = out.a = out.b = out.c = NOTHING
    out += 1
    # Nodes that are no leaves, and not uniform, are computed in the area of an output.
    for j in range(l.outputs - 1, -1, -1):
        if not _is_uniform(l, l.ends[j]) and not _is_leaf(l, l.ends[j]):
            _place(l, l.ends[j], <int32_t>(LMOO_FIRST_DATA + l.variables + j), -1)
    out = _write_blocks(l, tape, out)
    for j in range(l.outputs):
        end = l.ends[j]
        tape.ends[j].area, tape.ends[j].offset = <int32_t>(LMOO_FIRST_DATA + l.variables + j), 0
        if _is_uniform(l, end):
            tape.ends[j] = l.of[end].place
        elif l.of[end].place.area != tape.ends[j].area:
            # Outputs that are variables or equal to other outputs.
            memset(out, 0, sizeof(lmoo_instruction))
            out.code = LMOO_CODE_copy_v_then_nothing
            out.out, out.a = tape.ends[j], l.of[end].place
            out.out2 = out.b = out.c = NOTHING
            out += 1
    tape.tape.n, tape.tape.variables, tape.tape.outputs = l.n, l.variables, l.outputs
    tape.tape.all, tape.tape.end, tape.tape.ends = tape.instructions, out, tape.ends
    tape.tape.constants, tape.tape.rows = tape.constants, rows


cdef Tape _tape_of(Nodes *graph, const int32_t *ends, ptrdiff_t outputs, ptrdiff_t n, ptrdiff_t variables):
    """Return the tape with some nodes of a graph as its outputs."""
    # A tape adds -1, and an opposite for each negation, to the graph.
    cdef ptrdiff_t most = 2 * graph.count + 2, i
    cdef Lowering l
    cdef Tape tape = Tape.__new__(Tape)
    memset(&l, 0, sizeof(Lowering))
    l.graph, l.ends, l.outputs, l.n, l.variables = graph, ends, outputs, n, variables
    l.of = <Planned *>malloc(<size_t>most * sizeof(Planned))
    l.order = <int32_t *>malloc(<size_t>(3 * most) * sizeof(int32_t))
    tape.ends = <lmoo_operand *>malloc(<size_t>(outputs + 1) * sizeof(lmoo_operand))
    try:
        if l.of == NULL or l.order == NULL or tape.ends == NULL:
            raise MemoryError
        l.plans, l.free = l.order + most, l.order + 2 * most
        memset(l.of, 0xff, <size_t>most * sizeof(Planned))      # -1 in all places
        for i in range(most):
            l.of[i].absorbed = l.of[i].merged = False
        _need(&l)
        _plan(&l)
        tape.instructions = <lmoo_instruction *>malloc(<size_t>(l.ordered + 1 + outputs) * sizeof(lmoo_instruction))
        tape.constants = <double *>calloc(<size_t>(LMOO_ROW * (l.ordered + 1)), sizeof(double))
        if graph.failed or tape.instructions == NULL or tape.constants == NULL:
            raise MemoryError
        _assemble(&l, tape)
    finally:
        free(l.of)
        free(l.order)
    return tape


cdef int _read(list steps, Node *out, ptrdiff_t n, ptrdiff_t variables) except -1:
    """Read the steps of a graph; ValueError if one is invalid."""
    cdef ptrdiff_t i, a, index
    cdef int k, arity, number
    cdef Node *node
    for i in range(len(steps)):
        name, arguments, value = steps[i]
        found = _operation_of.get(name)
        if found is None:
            raise ValueError(f"step {i} has the unknown operation {name!r}")
        node, number = &out[i], found
        node.operation, node.value, node.key = number, 0.0, 0
        node.arguments[0] = node.arguments[1] = node.arguments[2] = -1
        if number == OP_CONSTANT:
            node.value = value
            node.key = _key(node.value)
            continue
        if number < OP_CONSTANT:
            index = value
            if not 0 <= index < (n if number == OP_PARAMETER else variables):
                raise ValueError(f"step {i} must be one of the {name}s; it is {name} {value}")
            node.value = <double>index
            node.key = _key(node.value)
            continue
        arity, k = _operations[number].arity, 0
        if len(arguments) == arity:
            for a in arguments:
                if not 0 <= a < i:
                    break
                node.arguments[k] = <int32_t>a
                k += 1
        if k < arity:
            raise ValueError(
                f"step {i}, {name}, must have {arity} earlier steps as arguments; it has {arguments}"
            )
    return 0


def lower(steps, outputs, ptrdiff_t n, ptrdiff_t variables):
    """Return tapes of a graph.

    Parameters
    ----------
    steps : sequence of (str, tuple of int, value)
        In topological order.
    outputs : sequence of sequences of int
        Indices of steps: the outputs of each tape.
    n, variables : int
        Numbers of parameters and of variables.

    Returns
    -------
    list of Tape

    Raises
    ------
    ValueError
        The graph is invalid.
    """
    cdef list read = list(steps), found = []
    cdef ptrdiff_t count = len(read), i, j, k
    cdef Nodes graph
    cdef Node *given = NULL
    cdef int32_t *nodes = NULL
    cdef int32_t *ends = NULL
    cdef char *shared = NULL
    cdef bint jumps = False
    memset(&graph, 0, sizeof(Nodes))
    try:
        given = <Node *>malloc(<size_t>(count + 1) * sizeof(Node))
        nodes = <int32_t *>malloc(<size_t>(count + 1) * sizeof(int32_t))
        shared = <char *>malloc(<size_t>(count + 1))
        if given == NULL or nodes == NULL or shared == NULL or not _grow(&graph):
            raise MemoryError
        _read(read, given, n, variables)
        for i in range(count):
            jumps = jumps or _operations[given[i].operation].jumps
        graph.reciprocals = not jumps
        if graph.reciprocals and not _shared_divisors(given, count, shared):
            raise MemoryError
        _include(&graph, given, count, shared if graph.reciprocals else NULL, nodes)
        for each in outputs:
            k = len(each)
            free(ends)
            ends = <int32_t *>malloc(<size_t>(k + 1) * sizeof(int32_t))
            if ends == NULL or graph.failed:
                raise MemoryError
            j = 0
            for i in each:
                if not 0 <= i < count:
                    raise ValueError(f"an output must be a step, of {count}; it is {i}")
                ends[j] = nodes[i]
                j += 1
            found.append(_tape_of(&graph, ends, k, n, variables))
    finally:
        free(given)
        free(nodes)
        free(ends)
        free(shared)
        free(graph.nodes)
        free(graph.places)
    return found
