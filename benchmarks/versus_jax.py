"""Time compiled models beside JAX, jitted on the CPU: values, and values with derivatives.

    pip install jax
    python benchmarks/versus_jax.py

Both run in double precision on one thread, on the same points; the function that is traced is
written once, for numpy or jax.numpy.  JAX's derivatives are those of ``jacfwd``; values and
derivatives are of one call.  Its results are waited for, not copied.  The figures are JAX's times
divided by lmoo's.  Bar: 3 at m = 1000.
"""

import os

# Before JAX is imported.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from common import alternate, versions

from lmoo.models.compiled import program_of
from lmoo.models.program import Program
from lmoo.models.tracing.trace import trace

SIZES = (20, 1000, 100_000)


def gaussian(xp: Any) -> Callable[..., Any]:
    return lambda t, a, b, s, c: a * xp.exp(-0.5 * ((t - b) / s) ** 2) + c


def lorentzian(xp: Any) -> Callable[..., Any]:
    return lambda t, a, b, w, c: a / (1.0 + ((t - b) / w) ** 2) + c


def biexponential(xp: Any) -> Callable[..., Any]:
    return lambda t, a, b, c, d, e: a * xp.exp(-b * t) + c * xp.exp(-d * t) + e


CASES = {
    "Gaussian": (gaussian, [2.0, 0.3, 0.7, 0.1]),
    "Lorentzian": (lorentzian, [2.0, 0.3, 0.7, 0.1]),
    "biexponential": (biexponential, [2.0, 2.0, 1.0, 0.2, 0.1]),
}


def functions(make: Any, n: int) -> tuple[Program, Any, Any]:
    """Return the traced program, and JAX's functions of values and of values with derivatives."""
    names = [f"x{j}" for j in range(n)]
    program = program_of(trace(make(np), names))
    f = make(jnp)

    def value(t: Any, x: Any) -> Any:
        return f(t, *x)

    derivatives = jax.jacfwd(value, argnums=1)
    return program, jax.jit(value), jax.jit(lambda t, x: (value(t, x), derivatives(t, x)))


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    print(versions(), f"jax {jax.__version__}", sys.platform)
    print(f"{'':16}{'':26}" + "".join(f"{f'm = {m}':>12}" for m in SIZES))
    for name, (make, x) in CASES.items():
        program, value, both = functions(make, len(x))
        for kind in ("values", "values and derivatives"):
            row = []
            for m in SIZES:
                t = np.linspace(0.0, 5.0, m)
                parameters, theirs = np.array(x), (jnp.asarray(t), jnp.asarray(x))
                if kind == "values":
                    ours = lambda: program.values(t, parameters)  # noqa: B023, E731
                    jitted = lambda: value(*theirs).block_until_ready()  # noqa: B023, E731
                    np.testing.assert_allclose(ours(), jitted(), rtol=1e-12)
                else:
                    ours = lambda: program.both(t, parameters)  # noqa: B023, E731
                    jitted = lambda: jax.block_until_ready(both(*theirs))  # noqa: B023, E731
                    np.testing.assert_allclose(ours()[1], jitted()[1], atol=1e-12)
                row.append(1.0 / alternate(ours, jitted, max(1, 200_000 // m // 10)))
            print(f"{name:16}{kind:26}" + "".join(f"{ratio:12.1f}" for ratio in row))


if __name__ == "__main__":
    main()
