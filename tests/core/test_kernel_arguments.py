"""Arguments that the kernels refuse."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from case_tables import each

from lmoo._core import kernels

GOOD: dict[str, dict[str, Any]] = {
    "qrfac": {"a": np.ones((3, 2)), "f": np.ones(3)},
    "fold": {"a": np.ones((3, 2)), "f": np.ones(3)},
    "qrsolv": {"r": np.eye(2), "ipvt": [0, 1], "diag": np.ones(2), "qtb": np.ones(2)},
    "lmpar": {
        "r": np.eye(2), "ipvt": [0, 1], "diag": np.ones(2), "qtb": np.ones(2),
        "delta": 1.0, "par": 0.0,
    },
    "covariance": {"r": np.eye(2), "ipvt": [0, 1]},
}  # fmt: skip

FACTORS = ("qrsolv", "lmpar", "covariance")
BAD: list[tuple[str, str, Any]] = [
    *(
        (function, "a", value)
        for function in ("qrfac", "fold")
        for value in (np.ones((3, 4)), np.ones((3, 0)), np.ones(3), 1.0, np.ones((3, 2, 1)))
    ),
    *(
        (function, "f", value)
        for function in ("qrfac", "fold")
        for value in (np.ones(2), np.ones(4), [], np.ones((3, 1)))
    ),
    *(
        (function, "r", value)
        for function in FACTORS
        for value in (np.eye(3), np.ones((2, 3)), np.ones(2))
    ),
    *(
        (function, "ipvt", value)
        for function in FACTORS
        for value in ([0, 0], [1, 2], [-1, 0], [0], [0, 1, 2], [0.5, 1.5])
    ),
    *(
        (function, name, value)
        for function in ("qrsolv", "lmpar")
        for name in ("diag", "qtb")
        for value in (np.ones(1), np.ones(3), [])
    ),
    *(("lmpar", "delta", value) for value in (0.0, -1.0, math.nan)),
    *(("lmpar", "par", value) for value in (-1.0, math.nan)),
]


def test_the_good_arguments_are_good() -> None:
    for function, arguments in GOOD.items():
        assert getattr(kernels, function)(**arguments) is not None


@each(
    ("function", "name", "value"),
    BAD,
    ids=[f"{function}-{name}-{k}" for k, (function, name, _) in enumerate(BAD)],
)
def test_bad_arguments_are_named(function: str, name: str, value: Any) -> None:
    # One letter is found in any message: it has to begin with that.
    pattern = rf"\b{name}\b" if len(name) > 1 else f"^{name} must "
    with pytest.raises(ValueError, match=pattern):
        getattr(kernels, function)(**(GOOD[function] | {name: value}))


@pytest.mark.parametrize(
    ("x", "error", "match"),
    [
        pytest.param(np.ones((2, 2)), ValueError, "number of dimensions", id="2-D"),
        pytest.param(np.arange(3), ValueError, "dtype mismatch", id="integers"),
        pytest.param(np.ones(6)[::2], ValueError, "not C-contiguous", id="strided"),
        pytest.param([1.0], TypeError, "not 'list'", id="list"),
        pytest.param(None, TypeError, "must not be None", id="None"),
    ],
)
def test_enorm_takes_contiguous_float64_vectors_only(
    x: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        kernels.enorm(x)


@pytest.mark.parametrize("n", [0, -1, -5])
def test_block_rows_of_no_columns(n: int) -> None:
    # In a process of its own, as a division by zero in C ends the process.
    code = (
        f"from lmoo._core.kernels import block_rows\n"
        f"try: block_rows({n})\nexcept ValueError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"n must be at least 1; it is {n}\n", "")
    assert done.returncode == 0
