"""`leastsq` and scipy's: the same counts, points and numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from leastsq_cases import (
    BUMP_START,
    Recorder,
    bump,
    bump_jacobian,
    rate,
    rate_jacobian,
    reflections,
    unused,
)
from samples import (
    START,
    T,
    decay,
    decay_jacobian,
    decay_jacobian_t,
    rosenbrock,
    rosenbrock_jacobian,
)

import lmoo


@dataclass(frozen=True)
class Problem:
    """The same call for both; `noisy` if a rounding of x can be seen in the Jacobian."""

    func: Callable[..., Any]
    x0: Any
    options: dict[str, Any]

    @property
    def noisy(self) -> bool:
        return "Dfun" not in self.options and self.options.get("maxfev") != 1


def problem(label: str, func: Callable[..., Any], x0: Any, **options: Any) -> Any:
    return pytest.param(Problem(func, x0, options), id=label)


A_LINEAR = np.vander(np.linspace(-0.9, 1.0, 10), 3) + np.eye(10, 3)
B_LINEAR = np.sin(np.arange(10.0))


def linear(p: np.ndarray) -> np.ndarray:
    return A_LINEAR @ p - B_LINEAR


def linear_jacobian(p: np.ndarray) -> np.ndarray:
    return A_LINEAR


# Exactly of rank 1, in floating point too: the entries are powers of two. No two columns are left
# that vanish together: at such a tie scipy's own choice of pivot changes from call to call.
A_RANK = np.outer([1.0, 1.0, 1.0, 1.0], [1.0, 2.0])


def deficient(p: np.ndarray) -> np.ndarray:
    return A_RANK @ p - np.array([1.0, 2.0, 3.0, 5.0])


def unused_jacobian(p: np.ndarray) -> np.ndarray:
    return np.column_stack([decay_jacobian(p), np.zeros(T.size)])


def shifted(p: np.ndarray, by: float) -> np.ndarray:
    return decay(p) + by


def shifted_jacobian(p: np.ndarray, by: float) -> np.ndarray:
    return decay_jacobian(p)


SQUARE: dict[str, Any] = {"Dfun": rosenbrock_jacobian}
DECAY: dict[str, Any] = {"Dfun": decay_jacobian}

# No ending here hangs on roundings: those of scipy alone differ with the order of the rows and
# with the alignment of arrays. (A linear problem's does, unless gtol ends it.)
EXACT = [
    problem("exponential", decay, START, **DECAY),
    problem("exponential-col_deriv", decay, START, Dfun=decay_jacobian_t, col_deriv=True),
    problem("exponential-args", shifted, START, args=(0.25,), Dfun=shifted_jacobian),
    problem("exponential-diag", decay, START, diag=[3.0, 0.1], **DECAY),
    problem("exponential-small-factor", decay, START, factor=0.1, **DECAY),
    problem("exponential-tiny-factor-diag", decay, START, factor=0.01, diag=[0.2, 5.0], **DECAY),
    problem("exponential-maxfev", decay, (1.0, 4.0), maxfev=3, **DECAY),
    problem("exponential-loose", decay, START, ftol=1e-3, xtol=1e-3, **DECAY),
    problem("exponential-gtol", decay, START, gtol=1e-2, **DECAY),
    problem("exponential-from-0", decay, (0.0, 0.0), **DECAY),
    problem("bump", bump, BUMP_START, Dfun=bump_jacobian),
    problem("linear", linear, np.ones(3), gtol=1e-10, Dfun=linear_jacobian),
    problem(
        "linear-small-factor", linear, np.ones(3), gtol=1e-10, factor=0.1, Dfun=linear_jacobian
    ),
    problem("rank-deficient", deficient, (1.0, 1.0), Dfun=lambda p: A_RANK),
    problem("rank-deficient-small", deficient, (1.0, 1.0), factor=0.1, Dfun=lambda p: A_RANK),
    problem("unused", unused, (1.0, 1.0, 1.0), Dfun=unused_jacobian),
    problem("n=1", rate, (1.0,), Dfun=rate_jacobian),
    problem("n=1-flat", rate, (1.0,), Dfun=lambda p: rate_jacobian(p).ravel()),
    problem("n=m=1", lambda p: p * p - 2.0, (1.0,), Dfun=lambda p: 2.0 * p[:, None]),
    problem("m=n", rosenbrock, (-1.2, 1.0), **SQUARE),
    problem("m=n-maxfev", rosenbrock, (-1.2, 1.0), maxfev=9, **SQUARE),
    problem("m=n-far", rosenbrock, (-12.0, 10.0), **SQUARE),
    problem("one-step-by-differences", decay, START, maxfev=1),
    problem("one-step-by-differences-epsfcn", bump, BUMP_START, maxfev=1, epsfcn=1e-8),
    problem("one-step-by-differences-from-0", bump, np.zeros(4), maxfev=1),
]
NOISY = [
    problem("differences", decay, START),
    problem("differences-diag", decay, START, diag=[3.0, 0.1]),
    problem("differences-factor", decay, START, factor=0.1, ftol=1e-6),
    problem("differences-epsfcn", decay, START, epsfcn=1e-10),
    problem("differences-maxfev", decay, START, maxfev=6),
    problem("differences-linear", linear, np.ones(3), gtol=1e-6),
    problem("differences-unused", unused, (1.0, 1.0, 1.0)),
    problem("differences-n=1", rate, (1.0,)),
    problem("differences-m=n", rosenbrock, (-1.2, 1.0)),
    problem("differences-float32", lambda p: decay(p).astype(np.float32), START, maxfev=4),
]


@dataclass
class Outcome:
    """All that a caller can see of one solve."""

    x: np.ndarray
    cov_x: np.ndarray | None
    info: dict[str, Any]
    ier: int
    points: list[np.ndarray]
    J: np.ndarray | None


def outcome(leastsq: Callable[..., Any], p: Problem) -> Outcome:
    func, options = Recorder(p.func), dict(p.options)
    jacobian = options.pop("Dfun", None)
    if jacobian is not None:
        options["Dfun"] = jacobian = Recorder(jacobian)
    x, cov_x, info, _, ier = leastsq(func, p.x0, full_output=True, **options)
    J = None
    if jacobian is not None:
        J = np.asarray(jacobian.function(jacobian.points[-1], *options.get("args", ())))
        J = J.T if options.get("col_deriv") else J.reshape(-1, x.size)
    return Outcome(x, cov_x, info, ier, func.points, J)


@pytest.fixture
def pair(scipy_leastsq: Callable[..., Any]) -> Callable[[Problem], tuple[Outcome, Outcome]]:
    return lambda p: (outcome(lmoo.leastsq, p), outcome(scipy_leastsq, p))


def assert_close(ours: Any, theirs: Any, tolerance: float, scale: float | None = None) -> None:
    """Compare relative to the largest entry, or to the scale the entries were computed from."""
    scale = float(np.abs(theirs).max()) if scale is None else scale
    np.testing.assert_allclose(ours, theirs, rtol=0.0, atol=tolerance * scale)


@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_the_counts(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    for key in ("nfev", "njev"):
        assert ours.info.get(key) == theirs.info.get(key)
    assert ours.ier == theirs.ier
    assert len(ours.points) == ours.info["nfev"] == len(theirs.points) - 2
    assert list(ours.info) == list(theirs.info)


# With Dfun, or at x0, roundings stay roundings; by differences one in x is 1e8 times as large in
# the Jacobian, which any other order of summation shows.
@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_x_and_fvec(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    tolerance = 1e-7 if p.noisy else 1e-13
    assert_close(ours.x, theirs.x, tolerance)
    assert_close(ours.info["fvec"], theirs.info["fvec"], tolerance, np.linalg.norm(p_start(p)))


def p_start(p: Problem) -> np.ndarray:
    return np.asarray(p.func(np.array(p.x0, float), *p.options.get("args", ())))


@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_the_points_visited(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    assert_close(ours.points, theirs.points[2:], 1e-5 if p.noisy else 1e-12)


@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_r_and_ipvt(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    n = len(ours.x)
    np.testing.assert_array_equal(ours.info["ipvt"], theirs.info["ipvt"])
    R, expected = (np.triu(o.info["fjac"].T[:n]) for o in (ours, theirs))
    assert_close(R, expected, 1e-6 if p.noisy else 1e-12)


@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_the_householder_vectors(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    n, m = theirs.info["fjac"].shape
    below = np.tri(m, n, -1, dtype=bool)
    R, J = np.triu(theirs.info["fjac"].T[:n]), theirs.J
    QR = reflections(theirs.info["fjac"])[:, :n] @ R
    if J is None or np.abs(QR - J[:, theirs.info["ipvt"]]).max() > 1e-9 * np.abs(J).max():
        below[:n] = False  # lmpar may have written over the first n rows: scipy's own do not fit J
    if not below.any():
        pytest.skip("scipy has none left")
    # The entries are up to 1, whatever the size of R.
    tolerance = 1e-6 if p.noisy else 1e-12
    assert_close(ours.info["fjac"].T[below], theirs.info["fjac"].T[below], tolerance, 1.0)


@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_qtf(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    scale = float(np.linalg.norm(p_start(p)))
    assert_close(ours.info["qtf"], theirs.info["qtf"], 1e-6 if p.noisy else 1e-12, scale)


@pytest.mark.parametrize("p", EXACT + NOISY)
def test_parity_of_cov_x(pair: Any, p: Problem) -> None:
    ours, theirs = pair(p)
    if theirs.cov_x is None:
        assert ours.cov_x is None
    else:
        assert_close(ours.cov_x, theirs.cov_x, 1e-5 if p.noisy else 1e-12)


def test_parity_of_a_hundred_random_problems(scipy_leastsq: Callable[..., Any]) -> None:
    rng = np.random.default_rng(20240229)
    for _ in range(100):
        m, n = int(rng.integers(4, 30)), int(rng.integers(1, 5))
        A, b = rng.normal(size=(m, n)), rng.normal(size=m)
        p = Problem(
            lambda x, A=A, b=b: np.tanh(A @ x) + 0.5 * (A @ x) - b,
            rng.normal(size=n),
            {
                "Dfun": lambda x, A=A: (1.5 - np.tanh(A @ x) ** 2)[:, None] * A,
                "factor": 10.0 ** rng.integers(-2, 3),
                "diag": rng.uniform(0.1, 10.0, n) if rng.random() < 0.5 else None,
            },
        )
        ours, theirs = outcome(lmoo.leastsq, p), outcome(scipy_leastsq, p)
        assert (ours.ier, ours.info["nfev"]) == (theirs.ier, theirs.info["nfev"])
        R, expected = (np.triu(o.info["fjac"].T[:n]) for o in (ours, theirs))
        assert_close(ours.x, theirs.x, 1e-12)
        assert_close(R, expected, 1e-11)
