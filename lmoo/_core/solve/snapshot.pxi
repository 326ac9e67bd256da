"""A solve that can be stored before its end, and resumed."""


cdef class Loop(LoopResults):
    """A solve as a Python object; its parameters are those of `BaseLoop`.

    Attributes
    ----------
    sparse : bool
        Whether it takes the Jacobian as a sparse matrix.
    """

    sparse = False

    def snapshot(self):
        """Return the whole state of the solve as plain data."""
        cdef size_t size = self.bytes
        if self.linear is not None:
            raise TypeError(
                "a solve with a linear model other than the dense one cannot be stored before its end: the model is not part of "
                "the stored data")
        vectors = jacobian = None
        if self.m >= 0:
            f = self.residual if self.d.evaluated else new_vector(self.m, self.d.f)
            vectors = (f, f if self.d.previous == NULL else new_vector(self.m, self.d.previous))
            if wants_curvature(self.s) and not self.d.streams:
                jacobian = (np.array(self.buffer), new_vector(self.n, self.d.u0))
        stored = {
            "version": LM_STATE_VERSION,
            "size": size,
            "state": (<char *>self.s)[:size],
            "vectors": vectors,
            "jacobian": jacobian,
            "flags": (bool(self.d.evaluated), bool(self.d.factored), bool(self.d.folded),
                      bool(self.d.has_jacobian)),
            "njev": self.d.njev,
            "precision": self.fun.table.precision,
            "step": None if self.stepping is None else self.stepping.memory,
            "loss": None if self.kernel is None else (self.kernel.table.scale, self.kernel.table.rounds),
        }
        stored["checksum"] = checksum(stored)
        return stored

    def restore(self, stored):
        """Replace the state by a snapshot of a solve of the same problem.

        Raise ValueError if its format or problem is another one, or if it is damaged; this solve is then unchanged.
        """
        cdef size_t size = self.bytes
        version, found = field(stored, "version"), field(stored, "size")
        if version != LM_STATE_VERSION or found != size:
            raise ValueError(
                f"the stored solve has format {version} and {found} bytes; this lmoo reads format "
                f"{LM_STATE_VERSION} and {size} bytes. Solve again, or use the lmoo that stored it")
        state = field(stored, "state")
        if type(state) is not bytes or len(state) != found:
            kind = f"{len(state)} bytes" if type(state) is bytes else f"a {type(state).__name__}"
            raise ValueError(f"state of the stored solve must be {size} bytes; it is {kind}")
        if field(stored, "checksum") != checksum(stored):
            raise ValueError("the stored solve is damaged: its checksum differs. Solve again")
        cdef ptrdiff_t njev = count(stored, "njev")
        precision, flags = field(stored, "precision"), field(stored, "flags")
        # 0 stands for double precision in a compiled problem.
        if type(precision) is not float or not 0.0 <= precision < 1.0:
            raise ValueError(
                f"precision of the stored solve must be a number from 0 to 1; it is {precision!r}")
        if type(flags) is not tuple or len(flags) != 4 or {type(flag) for flag in flags} != {bool}:
            raise ValueError(f"flags of the stored solve must be four bool; they are {flags!r}")
        memory = field(stored, "step")
        if type(memory) is not type(None if self.stepping is None else self.stepping.memory):
            raise ValueError(
                f"step of the stored solve must be the memory of its step strategy; it is {memory!r}")
        loss = self.stored_loss(stored)
        cdef lm_state *s = <lm_state *>calloc(1, size)
        if s == NULL:
            raise MemoryError()
        try:
            memcpy(s, <const char *>state, size)
            if s.n != self.n or s.bounded != self.s.bounded:
                raise ValueError(
                    f"the stored solve is damaged: it has {s.n} parameters and bounds {bool(s.bounded)}, not "
                    f"{self.n} and {bool(self.s.bounded)}")
            s.linear, s.model = self.s.linear, self.s.model
            lm_attach(s, self.n)
            check_state(self.s, s, self.stepping is not None and self.stepping.asks)
            s.options.step = self.s.options.step
            curved = wants_curvature(s) and (self.fun.python or not can_stream(
                self.d.problem, self.d.strategy, s, self.fun.table.m, self.n))
            parts = self.stored_vectors(stored, s.started or flags[0], curved)
            s.options.lower = s.options.upper = NULL
            s.options.size = sizeof(lm_options)
            memcpy(self.s, s, size)
            lm_attach(self.s, self.n)
        finally:
            free(s)
        self.fun.table.precision = precision
        self.d.evaluated, self.d.factored, self.d.folded, self.d.has_jacobian = flags
        self.d.njev = njev
        if self.stepping is not None:
            self.stepping.memory = memory
        if loss is not None:
            self.kernel.table.scale, self.kernel.table.rounds = loss
        if parts is not None:
            self.restore_vectors(parts[0], parts[1])

    cdef object stored_loss(self, stored):
        """Return scale and rounds of the loss of a snapshot; None without a loss."""
        loss = field(stored, "loss")
        if (loss is None) != (self.kernel is None):
            raise ValueError(
                f"loss of the stored solve must be that of its solver; it is {loss!r}")
        if loss is not None and not (
                type(loss) is tuple and len(loss) == 2 and type(loss[0]) is float
                and 0.0 < loss[0] < np.inf and type(loss[1]) is int and 0 <= loss[1] < 2**20):
            raise ValueError(f"loss of the stored solve must be a scale and a count; it is {loss!r}")
        return loss

    cdef object stored_vectors(self, stored, bint needed, bint curved):
        """Return the vectors of a snapshot and its Jacobian; None before the first evaluation."""
        vectors, jacobian = field(stored, "vectors"), field(stored, "jacobian")
        if vectors is None:
            if needed or jacobian is not None:
                raise ValueError("vectors of the stored solve must contain the residual; they are missing")
            return None
        if type(vectors) is not tuple or len(vectors) != 2:
            raise ValueError("vectors of the stored solve must be a pair; they are not")
        m = vectors[0].size if isinstance(vectors[0], np.ndarray) else -1
        if m < 1 or not self.fun.python and m != self.fun.table.m:
            raise ValueError(
                f"the residual of the stored solve has {m} entries; the problem has "
                f"{self.n if self.fun.python else self.fun.table.m}"
                f"{' at least' if self.fun.python else ''}")
        vectors = tuple(vector(part, "vectors", (m,)) for part in vectors)
        if not curved:
            if jacobian is not None:
                raise ValueError("the stored solve has a Jacobian, which its strategy does not use")
            return vectors, None
        if type(jacobian) is not tuple or len(jacobian) != 2:
            raise ValueError("jacobian of the stored solve must be a pair; it is not")
        return vectors, (vector(jacobian[0], "jacobian", (self.n, max(m, self.n))),
                         vector(jacobian[1], "jacobian", (self.n,)))

    cdef int restore_vectors(self, vectors, jacobian) except -1:
        cdef const double[::1] f = vectors[0]
        cdef const double[::1] previous = vectors[1]
        cdef const double[::1] u0
        cdef size_t size = <size_t>f.shape[0] * sizeof(double)
        self.fun.table.m = f.shape[0]
        self.allocate(f.shape[0])
        memcpy(self.d.f, &f[0], size)
        if self.d.previous != NULL:
            memcpy(self.d.previous, &previous[0], size)
        if self.kernel is not None and loss_rows(&self.kernel.table, self.m, self.d.f) < 0:
            reraise()
        if jacobian is not None:
            self.buffer[...], u0 = jacobian
            memcpy(self.d.u0, &u0[0], <size_t>self.n * sizeof(double))
        return 0
