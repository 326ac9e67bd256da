"""The operations of graphs, and the checks of a graph."""

from collections.abc import Sequence
from typing import Any

Step = tuple[str, tuple[int, ...], float | int | None]

ARITHMETIC = frozenset({"add", "subtract", "multiply", "divide"})
LEAVES = ("parameter", "variable", "constant")
_UNARY = """
    negative absolute sign sqrt cbrt square reciprocal exp exp2 expm1 log log2 log10 log1p sin
    cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh floor ceil trunc rint
    logical_not isnan isfinite sinc erf erfc erfcx gamma gammaln digamma trigamma expit i0 i1 j0
    j1 lambertw exp1 expi k0 k1 k0e k1e i0e i1e ellipk ellipe ndtri erfinv spence
"""
_BINARY = """
    power minimum maximum fmin fmax mod remainder fmod floor_divide arctan2 hypot copysign
    heaviside less less_equal greater greater_equal equal not_equal logical_and logical_or
    logical_xor wofz_real wofz_imag add subtract multiply divide
    gammainc gammaincc jv yv iv kv
"""
# Operations whose values may jump if their arguments change by a rounding error.
_JUMPS = """
    ceil equal floor floor_divide fmod greater greater_equal heaviside less less_equal
    logical_and logical_not logical_or logical_xor mod not_equal remainder rint sign trunc where
"""
ARITY = {
    **dict.fromkeys(_UNARY.split(), 1),
    **dict.fromkeys(_BINARY.split(), 2),
    "where": 3,
}
JUMPS = frozenset(_JUMPS.split())


def has_jumps(steps: Sequence[Step]) -> bool:
    """Return whether a graph has steps whose values jump."""
    return any(step[0] in JUMPS for step in steps)


def shared_divisors(steps: Sequence[Step]) -> list[bool]:
    """Return for each step whether it divides more than one numerator."""
    numerators: dict[int, set[int]] = {}
    known: dict[Any, int] = {}
    kinds: list[int] = []  # Equal steps have equal numbers.
    for name, arguments, value in steps:
        text = None if value is None else float(value).hex()
        key = (name, tuple([kinds[a] for a in arguments]), text)
        kinds.append(known.setdefault(key, len(known)))
        if name == "divide":
            numerators.setdefault(kinds[arguments[1]], set()).add(kinds[arguments[0]])
        elif name == "reciprocal":
            numerators.setdefault(kinds[arguments[0]], set()).add(-1)
    return [len(numerators.get(kind, ())) > 1 for kind in kinds]


def check(steps: Sequence[Any], outputs: Sequence[int], n: int, variables: int) -> None:
    """Raise ValueError if a graph is invalid."""
    for i, (name, arguments, value) in enumerate(steps):
        if name in LEAVES:
            if name != "constant" and not 0 <= value < (n if name == "parameter" else variables):
                raise ValueError(f"step {i} must be one of the {name}s; it is {name} {value}")
            continue
        if name not in ARITY:
            raise ValueError(f"step {i} has the unknown operation {name!r}")
        if len(arguments) != ARITY[name] or not all(0 <= a < i for a in arguments):
            raise ValueError(
                f"step {i}, {name}, must have {ARITY[name]} earlier steps as arguments; it has "
                f"{arguments}"
            )
    for output in outputs:
        if not 0 <= output < len(steps):
            raise ValueError(f"an output must be a step, of {len(steps)}; it is {output}")
