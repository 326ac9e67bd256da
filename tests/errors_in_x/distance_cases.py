"""Curves with errors in x, and fits of them by ODRPACK."""

import warnings

import numpy as np
import pytest

import lmoo

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    odr = pytest.importorskip("scipy.odr")

# Pearson (1901) with the weights of York (1966).
PEARSON_T = np.array([0, 0.9, 1.8, 2.6, 3.3, 4.4, 5.2, 6.1, 6.5, 7.4])
PEARSON_Y = np.array([5.9, 5.4, 4.4, 4.6, 3.5, 3.7, 2.8, 2.8, 2.4, 1.5])
YORK_T = 1 / np.sqrt(np.array([1000, 1000, 500, 800, 200, 80, 60, 20, 1.8, 1]))
YORK_Y = 1 / np.sqrt(np.array([1, 1.8, 4, 8, 20, 20, 70, 70, 100, 500]))


def line(t, a, b):
    return a + b * t


def guide(t, b1, b2, b3):
    """The example of explicit orthogonal distance regression in the User's guide of ODRPACK."""
    return b1 + b2 * (np.exp(b3 * t) - 1.0) ** 2


GUIDE_T = np.array([0, 0, 5, 7, 7.5, 10, 16, 26, 30, 34, 34.5, 100.0])
GUIDE_Y = np.array(
    [1265, 1263.6, 1258, 1254, 1253, 1249.8, 1237, 1218, 1220.6, 1213.8, 1215.5, 1212]
)


def made(f, x, t, sigma_x, sigma, seed):
    """Return data with errors in both variables."""
    rng = np.random.default_rng(seed)
    y = f(t, *x) + sigma * rng.normal(size=t.shape[-1])
    return f, t + sigma_x * rng.normal(size=t.shape), y, sigma_x, sigma, np.asarray(x) * 1.1


def exponential(t, a, b, c):
    return a * np.exp(-b * t) + c


def peak(t, a, m, w, c):
    return a * np.exp(-(((t - m) / w) ** 2)) + c


def growth(t, a, b, c):
    return a / (1 + np.exp(b - c * t))


def saturation(t, v, k):
    return v * t / (k + t)


def wave(t, a, w, p):
    return a * np.sin(w * t + p)


def power(t, a, b):
    return a * t**b


def parabola(t, a, b, c):
    return a + b * t + c * t**2


def plane(t, a, b, c):
    return a + b * t[0] + c * t[0] * t[1]


def surface(t, a, b):
    return a * np.exp(-b * (t[0] ** 2 + t[1] ** 2))


PAIRS = np.stack([np.linspace(0, 4, 30), np.cos(np.linspace(0, 9, 30))])

PROBLEMS = {
    "York": (line, PEARSON_T, PEARSON_Y, YORK_T, YORK_Y, [5.0, -0.5]),
    "exponential": made(exponential, [3.0, 0.8, 0.5], np.linspace(0, 5, 25), 0.05, 0.03, 1),
    "peak": made(peak, [4.0, 1.0, 0.8, 0.3], np.linspace(-2, 4, 40), 0.04, 0.05, 2),
    "growth": made(growth, [10.0, 3.0, 1.2], np.linspace(0, 6, 20), 0.1, 0.1, 3),
    "saturation": made(saturation, [5.0, 1.5], np.linspace(0.5, 9, 18), 0.1, 0.05, 4),
    "wave": made(wave, [2.0, 1.3, 0.4], np.linspace(0, 8, 30), 0.03, 0.1, 5),
    "power": made(power, [2.0, 1.7], np.linspace(1, 6, 15), 0.05, 0.3, 6),
    "parabola": made(parabola, [1.0, -2.0, 0.5], np.linspace(-3, 5, 22), 0.1, 0.1, 7),
    "plane": made(plane, [1.0, 2.0, -1.0], PAIRS, 0.05, 0.1, 8),
    "surface": made(surface, [3.0, 0.4], PAIRS / 2, 0.03, 0.02, 9),
}


def odrpack(f, t, y, sigma_x, sigma, x0, **options):
    """Return the values and the standard errors of ODRPACK, and its sum of squares."""
    if sigma_x is not None and np.ndim(sigma_x) == 0 and t.ndim > 1:
        sigma_x = np.full(t.shape, sigma_x)
    data = odr.RealData(t, y, sx=sigma_x, sy=sigma, **options)
    run = odr.ODR(data, odr.Model(lambda b, t: f(t, *b)), x0, sstol=1e-16, partol=1e-16, maxit=500)
    run.set_job(fit_type=0, deriv=1)
    out = run.run()
    return out.beta, out.sd_beta, out.sum_square, out.xplus


def by_hand(f, t, y, sigma, roots, x0):
    """Return the result of the whole problem, with the points as parameters."""
    k, m, n = roots.shape[1], y.size, len(x0)
    points = np.atleast_2d(t)

    def residual(x):
        u = x[n:].reshape(m, k)
        where = points + np.einsum("ijl,il->ji", roots, u)
        return np.concatenate([(f(where if t.ndim > 1 else where[0], *x[:n]) - y) / sigma, x[n:]])

    return lmoo.Solver().solve(lmoo.FunctionProblem(residual), [*x0, *np.zeros(m * k)])


def untraced(t, a, tau, c):
    return np.tile(a * np.exp(-np.asarray(t) / tau) + c, 1)


def untraced_in_units(s, u, x0=(1.0, 1.0, 0.0)):
    """Return the fit of an exponential with t in 1 / s and y in 1 / u of its units."""
    rng = np.random.default_rng(0)
    t = np.linspace(0, 5, 40)
    y = 2.0 * np.exp(-t / 1.5) + 0.3 + 0.05 * rng.normal(size=40)
    t = t + 0.1 * rng.normal(size=40)
    problem = lmoo.CurveProblem(untraced, t * s, y * u, 0.05 * u, sigma_x=0.1 * s)
    return lmoo.Solver().solve(problem, np.array(x0) * [u, s, u])
