"""Joint problems, and the same problems with the dense linear model."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 15)


def decay(t, a, tau, c):
    return a * np.exp(-t / tau) + c


def line(t, slope, tau):
    return slope * t / tau


class Oscillation(lmoo.Problem):
    """A problem in Python with derivatives of its own."""

    parameter_names = ("tau", "size")

    def __init__(self, y):
        self.y = y

    def residual(self, x):
        return x[1] * np.cos(T / x[0]) - self.y

    def jacobian(self, x):
        return np.stack([x[1] * np.sin(T / x[0]) * T / x[0] ** 2, np.cos(T / x[0])], axis=1)


def curves(count, seed=0, noise=0.01, trace="auto", **options):
    """Return curves of different lengths with one tau."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(count):
        t = np.linspace(0.0, 4.0, 8 + 3 * k)
        y = decay(t, rng.uniform(1, 3), 1.5, rng.uniform(-0.5, 0.5)) + noise * rng.normal(
            size=t.size
        )
        parts.append(lmoo.CurveProblem(decay, t, y, trace=trace, **options))
    return parts


def exact_jacobian(joint):
    """Return a function for the Jacobian of a joint problem of decays."""

    def jacobian(x):
        rows = []
        for part, index in zip(joint.problems, joint.indices, strict=True):
            (a, tau, _), t = x[index], part.t
            falling = np.exp(-t / tau)
            block = np.zeros((t.size, x.size))
            block[:, index] = np.stack([falling, a * t / tau**2 * falling, np.ones_like(t)], axis=1)
            rows.append(block)
        return np.concatenate(rows)

    return jacobian


def by_hand(joint, x0, solver=None, exact=False):
    """Return the result of the same residual with the dense linear model."""
    problem = lmoo.FunctionProblem(
        joint.residual,
        exact_jacobian(joint) if exact else None,
        parameter_names=joint.parameter_names,
        bounds=joint.bounds,
        fixed=joint.fixed,
    )
    return (solver or lmoo.Solver()).solve(problem, x0)


def same(result, expected, relative=1e-9):
    """Compare two results in values and errors."""
    assert result.success
    assert expected.success
    scale = np.maximum(
        np.abs(expected.x), np.where(np.isfinite(expected.stderr), expected.stderr, 1)
    )
    scale[scale == 0.0] = 1.0
    np.testing.assert_allclose(result.x / scale, expected.x / scale, rtol=0, atol=relative)
    np.testing.assert_allclose(result.cost, expected.cost, rtol=relative)
    assert result.observations == expected.observations
    assert result.degrees_of_freedom == expected.degrees_of_freedom
    assert result.rank == expected.rank
    # Those of the dense one follow from differences.
    np.testing.assert_allclose(result.stderr, expected.stderr, rtol=2e-5)
    finite = np.isfinite(expected.covariance()).all(axis=0)
    assert np.array_equal(np.isfinite(result.covariance()).all(axis=0), finite)
    sizes = np.where(expected.stderr[finite] > 0, expected.stderr[finite], 1.0)
    np.testing.assert_allclose(
        result.covariance()[np.ix_(finite, finite)] / np.outer(sizes, sizes),
        expected.covariance()[np.ix_(finite, finite)] / np.outer(sizes, sizes),
        atol=4e-5,
    )
    assert np.array_equal(result.active_mask, expected.active_mask)
    assert np.array_equal(result.fixed, expected.fixed)


def huber_of_squares(z):
    """Huber's loss as a function of the user's."""
    root = np.sqrt(np.maximum(z, 1.0))
    outside = z > 1.0
    return np.stack(
        [
            np.where(outside, 2 * root - 1, z),
            np.where(outside, 1 / root, 1.0),
            np.where(outside, -0.5 / root**3, 0.0),
        ]
    )


def falling(t, a, tau):
    return a * np.exp(-t / tau)
