"""Model functions as scientists write them, each with points and parameters.

`MODELS` has an entry (function, t, parameters) for each.  They are written in the ways that are met
in analysis scripts: loops over peaks, sums of stacked arrays, helpers, classes, partial functions,
scipy.special, branches, integrals.
"""

import math
from collections import namedtuple
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import numpy as np
import scipy.constants
import scipy.integrate
import scipy.interpolate
import scipy.special
import scipy.stats
from numpy import exp, sqrt
from scipy.special import erf, erfc, expit, gammaln, voigt_profile, wofz

T = np.linspace(0.05, 6.0, 60)
X = np.linspace(-5.0, 5.0, 80)
W = np.logspace(-1.0, 3.0, 50)
MODELS: list[tuple[Any, Any, tuple[float, ...]]] = []


def model(t: Any, *parameters: float) -> Any:
    """Return a decorator that adds a function to `MODELS`."""

    def added(f: Any) -> Any:
        MODELS.append((f, t, parameters))
        return f

    return added


# ---- sums of parts ------------------------------------------------------------------------------


@model(X, 2.0, -1.0, 0.8, 1.5, 1.2, 0.6, 0.3)
def peaks_in_a_loop(x, *params):
    y = np.zeros_like(x)
    for i in range(0, len(params) - 1, 3):
        amp, cen, wid = params[i : i + 3]
        y = y + amp * np.exp(-(((x - cen) / wid) ** 2))
    return y + params[-1]


@model(X, 2.0, -1.0, 0.8, 1.5, 1.2, 0.6)
def peaks_added_in_place(x, *params):
    y = np.zeros_like(x)
    for i in range(0, len(params), 3):
        y += params[i] * np.exp(-((x - params[i + 1]) ** 2) / (2 * params[i + 2] ** 2))
    return y


@model(X, 2.0, -1.0, 0.8, 1.5, 1.2, 0.6)
def peaks_of_reshaped_parameters(x, *params):
    y = np.zeros(x.shape)
    for a, c, w in np.reshape(params, (-1, 3)):
        y += a / (1 + ((x - c) / w) ** 2)
    return y


@model(X, 2.0, -1.0, 0.8, 1.5, 1.2, 0.6)
def sum_of_a_list(x, *p):
    return np.sum([p[i] * np.exp(-(((x - p[i + 1]) / p[i + 2]) ** 2)) for i in (0, 3)], axis=0)


@model(X, 2.0, -1.0, 0.8, 1.5, 1.2, 0.6)
def sum_of_a_generator(x, *p):
    return sum(p[i] / (1 + ((x - p[i + 1]) / p[i + 2]) ** 2) for i in range(0, len(p), 3))


@model(X, 2.0, -1.0, 0.8, 1.5, 1.2, 0.6)
def sum_by_broadcasting(x, *p):
    a, c, w = np.array(p).reshape(-1, 3).T
    return np.sum(a * np.exp(-(((x[:, None] - c) / w) ** 2)), axis=1)


@model(X, 2.0, -1.0, 0.8, 1.5, 1.2, 0.6)
def sum_by_broadcasting_rows(x, a1, c1, w1, a2, c2, w2):
    amp, cen, wid = np.array([[a1, a2], [c1, c2], [w1, w2]])
    return (amp[:, None] * np.exp(-(((x - cen[:, np.newaxis]) / wid[:, np.newaxis]) ** 2))).sum(
        axis=0
    )


@model(T, 2.0, 1.0, -0.5, 0.2)
def design_matrix(t, *c):
    return np.vander(t, 4) @ np.array(c)


@model(T, 2.0, 1.0, -0.5)
def array_times_vector(t, a, b, c):
    return np.array([np.ones_like(t), t, np.sin(t)]).T @ np.array([a, b, c])


@model(T, 2.0, 1.0, -0.5)
def column_stack(t, a, b, c):
    return np.dot(np.column_stack([np.ones_like(t), np.cos(t), np.sin(t)]), [a, b, c])


@model(T, 2.0, 1.0, -0.5)
def vstack(t, a, b, c):
    return np.dot([a, b, c], np.vstack([t**2, t, np.ones(len(t))]))


@model(T, 2.0, 1.0, 0.5, 0.2, 0.3)
def fourier_series(t, w, *c):
    y = c[0]
    for k in range(1, len(c)):
        y = y + c[k] * np.cos(k * w * t)
    return y


@model(T, 2.0, 1.0, 0.5, -0.2)
def polyval(t, *c):
    return np.polyval(c, t)


@model(T, 2.0, 1.0, 0.5, -0.2)
def polyval_of_polynomial(t, a, b, c, d):
    return np.polynomial.polynomial.polyval(t, [a, b, c, d])


@model(T, 2.0, 1.0, 0.5)
def poly1d(t, a, b, c):
    return np.poly1d([a, b, c])(t)


@model(X / 5, 2.0, 1.0, 0.5)
def legendre(x, a, b, c):
    return np.polynomial.legendre.legval(x, [a, b, c])


@model(X / 5, 2.0, 1.0, 0.5)
def chebyshev(x, *c):
    return np.polynomial.chebyshev.chebval(x, c)


@model(T, 2.0, 1.0, 0.5, 0.2)
def reduced(t, *p):
    return reduce(lambda y, c: y * t + c, p)


@model(T, 2.0, 1.0, 0.5, 0.2)
def enumerated(t, *p):
    return sum(c * t**k for k, c in enumerate(p))


# ---- elementary functions ----------------------------------------------------------------------


@model(T, 2.0, 1.3, 0.5)
def decay(t, a, b, c):
    return a * np.exp(-b * t) + c


@model(T, 2.0, 1.3)
def math_of_parameters(t, a, b):
    return math.sqrt(a) * np.exp(-t / math.exp(b)) * math.pi


@model(X, 2.0, 0.3, 1.2, 0.8)
def heaviside(x, a, b, left, right):
    return a * np.heaviside(x - b, 0.5) + left * np.heaviside(b - x, 0.5) * x + right


@model(X, 2.0, 0.3, 1.2)
def sinc_squared(x, a, c, w):
    return a * np.sinc((x - c) / w) ** 2


@model(X, 2.0, 0.3, 1.2, 0.7)
def nested_where(x, a, c, left, right):
    z = np.where(x < c, (x - c) / left, np.where(x < c + 1, (x - c) / right, 1 / right))
    return a * np.exp(-0.5 * z**2)


@model(X, 2.0, 0.3, 1.2, 0.7)
def boolean_factors(x, a, c, left, right):
    return (x < c) * a * exp(-(((x - c) / left) ** 2)) + (x >= c) * a * exp(
        -(((x - c) / right) ** 2)
    )


@model(T, 2.2, 1.0, 0.5, -0.3)
def piecewise_lambdas(t, t0, y0, k1, k2):
    return np.piecewise(
        t, [t < t0], [lambda t: k1 * t + y0 - k1 * t0, lambda t: k2 * t + y0 - k2 * t0]
    )


@model(T, 2.2, 1.0, 0.5)
def select_of_three(t, a, b, c):
    return np.select([t < 2, t < 4], [a * t, b * t + 2 * (a - b)], c)


@model(T, 2.2, 1.0, 0.5)
def masked_assignment(t, t0, a, b):
    y = np.zeros_like(t)
    late = t > t0
    y[late] = a * (1 - np.exp(-(t[late] - t0) / b))
    return y


@model(T, 2.2, 1.0, 0.5)
def assignment_by_where(t, t0, a, b):
    y = np.full(t.shape, b)
    y[np.where(t > t0)] = a
    return y + t


@model(T, 2.2, 1.0, 3)
def clipped_ramp(t, lo, a, hi):
    return a * np.clip(t, lo, hi) + np.maximum(0.0, t - hi)


@model(X, 2.0, 0.3, 1.2)
def integer_powers(x, a, b, c):
    return a * x**3 - b * x**2 + c * x**-2 + (a * x) ** 4


@model(T, 2.0, 0.6, 1.5)
def hill(x, vmax, k, n):
    return vmax * x**n / (k**n + x**n)


@model(T, 2.0, 0.6, 1.5, 0.1)
def four_parameter_logistic(x, a, b, c, d):
    return d + (a - d) / (1.0 + (x / c) ** b)


@model(np.linspace(250.0, 400.0, 40), 1e5, 3.2e4)
def arrhenius(temperature, a, energy):
    return a * np.exp(-energy / (scipy.constants.R * temperature))


@model(np.linspace(1e-7, 3e-6, 50), 1e-20, 5000.0)
def planck(wavelength, scale, temperature):
    h, c, k = scipy.constants.h, scipy.constants.c, scipy.constants.k
    return scale * 2 * h * c**2 / wavelength**5 / (np.expm1(h * c / (wavelength * k * temperature)))


@model(T, 2.0, 0.4, 3.0, 0.2)
def damped_oscillation(t, a, tau, omega, phi):
    return a * np.exp(-t * tau) * np.cos(omega * t + phi)


@model(T, 1.5, 0.4)
def log_of_base_ten(t, a, b):
    return a * np.log10(t) + np.log2(1 + b * t) + np.logaddexp(a, b * t)


@model(np.linspace(0, 360, 40), 2.0, 30.0, 0.5)
def degrees(angle, a, phase, c):
    return a * np.cos(np.deg2rad(angle - phase)) ** 2 + c


@model(T, 2.0, 0.6)
def power_of_numpy(t, a, b):
    return a * np.power(t, b) + np.sqrt(np.square(t) + b**2)


@model(T, 1.5, 0.3)
def vectorized(t, a, b):
    return np.vectorize(lambda u: a * math.exp(-b * u) if u > 1 else a * u)(t)


# ---- special functions -------------------------------------------------------------------------


@model(X, 2.0, 0.3, 0.8, 0.1)
def error_function_step(x, a, c, w, offset):
    return a / 2 * (1 + erf((x - c) / (w * sqrt(2)))) + offset


@model(T, 2.0, 1.0, 0.3, 0.5)
def exponentially_modified_gaussian(t, a, mu, sigma, lam):
    return (
        a * lam / 2 * exp(lam / 2 * (2 * mu + lam * sigma**2 - 2 * t))
        * erfc((mu + lam * sigma**2 - t) / (sqrt(2) * sigma))
    )  # fmt: skip


@model(X, 2.0, 0.3, 0.8, 0.4)
def voigt_by_wofz(x, a, c, sigma, gamma):
    z = ((x - c) + 1j * gamma) / (sigma * np.sqrt(2))
    return a * np.real(wofz(z)) / (sigma * np.sqrt(2 * np.pi))


@model(X, 2.0, 0.3, 0.8, 0.4)
def voigt_by_profile(x, a, c, sigma, gamma):
    return a * voigt_profile(x - c, sigma, gamma)


@model(X, 2.0, 0.3, 0.8, 4.0)
def skewed_gaussian(x, a, c, w, alpha):
    z = (x - c) / w
    return a * exp(-(z**2) / 2) * (1 + scipy.special.erf(alpha * z / sqrt(2)))


@model(X, 2.0, 0.3, 0.8)
def logistic(x, a, c, w):
    return a * expit((x - c) / w)


@model(np.arange(0.0, 20.0), 100.0, 5.0)
def poisson(k, a, mu):
    return a * exp(k * np.log(mu) - mu - gammaln(k + 1))


@model(np.arange(0.0, 20.0), 100.0, 5.0)
def poisson_by_factorial(k, a, mu):
    return a * mu**k * exp(-mu) / scipy.special.factorial(k)


@model(T, 3.0, 2.0, 0.7)
def gamma_distribution(t, a, k, theta):
    return a * t ** (k - 1) * exp(-t / theta) / (scipy.special.gamma(k) * theta**k)


@model(X, 2.0, 1.5, 0.1)
def airy_pattern(x, a, w, c):
    z = w * (x + 1e-9)
    return a * (2 * scipy.special.j1(z) / z) ** 2 + c


@model(X, 2.0, 1.5)
def bessel_of_order(x, a, w):
    return a * scipy.special.jv(0, w * x) ** 2 + scipy.special.jv(1, x)


@model(X, 2.0, 0.4, 0.9)
def normal_density(x, a, mu, sigma):
    return a * scipy.stats.norm.pdf(x, mu, sigma)


@model(X, 2.0, 0.4, 0.9)
def normal_distribution(x, a, mu, sigma):
    return a * scipy.stats.norm.cdf(x, loc=mu, scale=sigma)


@model(T, 2.0, 1.5, 0.9)
def lognormal_density(x, a, s, scale):
    return a * scipy.stats.lognorm.pdf(x, s, scale=scale)


@model(T, 2.0, 2.5, 1.2)
def incomplete_gamma(t, a, k, theta):
    return a * scipy.special.gammainc(k, t / theta)


# ---- complex numbers ---------------------------------------------------------------------------


@model(W, 10.0, 100.0, 1e-3)
def impedance_size(w, rs, rp, c):
    z = rs + rp / (1 + 1j * w * rp * c)
    return np.abs(z)


@model(W, 10.0, 100.0, 1e-3, 0.8)
def impedance_stacked(w, rs, rp, q, n):
    z = rs + 1 / (1 / rp + q * (1j * w) ** n)
    return np.concatenate([z.real, z.imag])


@model(W, 10.0, 100.0, 1e-3)
def impedance_hstack(w, rs, rp, c):
    z = rs + rp / (1 + 1j * w * rp * c)
    return np.hstack((np.real(z), np.imag(z)))


@model(W, 10.0, 100.0, 1e-3)
def phase_in_degrees(w, rs, rp, c):
    return np.angle(rs + rp / (1 + 1j * w * rp * c), deg=True)


@model(W, 2.0, 5.0, 0.3)
def complex_lorentzian(w, a, w0, gamma):
    return a / (w0**2 - w**2 - 1j * gamma * w)


@model(X, 2.0, 0.3, 0.8, 1.5)
def fano(x, a, c, w, q):
    e = 2 * (x - c) / w
    return a * np.abs((q + e) / (e - 1j)) ** 2 / (1 + q**2)


@model(W, 2.0, 5.0, 0.3)
def havriliak_negami_loss(w, a, tau, alpha):
    return -(a / (1 + (1j * w * tau) ** alpha)).imag


# ---- objects, helpers and other parts of Python ------------------------------------------------


def gaussian(x, a, c, w):
    return a * np.exp(-(((x - c) / w) ** 2))


def lorentzian(x, a, c, w):
    return a / (1 + ((x - c) / w) ** 2)


@model(X, 2.0, -1.0, 0.8, 1.5, 1.2, 0.6)
def helpers(x, a1, c1, w1, a2, c2, w2):
    return gaussian(x, a1, c1, w1) + lorentzian(x, a2, c2, w2)


SHAPES = {"gauss": gaussian, "lorentz": lorentzian}


@model(X, 2.0, -1.0, 0.8, 1.5, 1.2, 0.6)
def helpers_in_a_dictionary(x, *p):
    return SHAPES["gauss"](x, *p[:3]) + SHAPES["lorentz"](x, *p[3:])


@model(X, 2.0, -1.0, 0.8)
def parameters_in_a_dictionary(x, a, c, w):
    p = {"a": a, "c": c, "w": w}
    return gaussian(x, **p) + p["a"]


@model(X, 2.0, -1.0, 0.8)
def parameters_by_name(x, *values):
    p = dict(zip(("a", "c", "w"), values, strict=True))
    return p["a"] * np.exp(-(((x - p["c"]) / p["w"]) ** 2))


@model(X, 2.0, -1.0, 0.8)
def parameters_unpacked(x, *theta):
    a, c, w = theta
    return gaussian(x, a, c, abs(w))


@model(T, 2.0, 0.5)
def default_arguments(t, a, tau, offset=0.1, *, power=1.0):
    return a * np.exp(-((t / tau) ** power)) + offset


Peak = namedtuple("Peak", "a c w")


@model(X, 2.0, -1.0, 0.8)
def named_tuple(x, *p):
    peak = Peak(*p)
    return gaussian(x, peak.a, peak.c, peak.w)


def stretched(t, a, tau, beta, offset):
    return a * np.exp(-((t / tau) ** beta)) + offset


MODELS.append((partial(stretched, offset=0.5), T, (2.0, 0.5, 0.8)))
MODELS.append((lambda t, a, b: a * np.sin(b * t), T, (2.0, 0.5)))


class Decay:
    """A model with settings."""

    background = 0.25

    def __init__(self, rates):
        self.rates = rates

    def evaluate(self, t, *amplitudes):
        total = self.background
        for rate, a in zip(self.rates, amplitudes, strict=True):
            total = total + self.one(t, a, rate)
        return total

    @staticmethod
    def one(t, a, rate):
        return a * np.exp(-rate * t)

    @classmethod
    def shared(cls, t, a, b):
        return a * np.exp(-b * t) + cls.background

    def __call__(self, t, a, b):
        return self.evaluate(t, a, b)


MODELS.append((Decay([0.5, 2.0]).evaluate, T, (1.0, 2.0)))
MODELS.append((Decay([0.5, 2.0]), T, (1.0, 2.0)))
MODELS.append((Decay.shared, T, (1.0, 2.0)))
MODELS.append((Decay.one, T, (1.0, 2.0)))


@dataclass
class Instrument:
    """Settings in a dataclass."""

    width: float
    gain: float = 2.0

    def response(self, x, a, c):
        return self.gain * gaussian(x, a, c, self.width)


MODELS.append((Instrument(0.7).response, X, (2.0, 0.5)))


def with_background(f):
    def wrapped(x, *p):
        return f(x, *p[:-1]) + p[-1]

    return wrapped


MODELS.append((with_background(gaussian), X, (2.0, 0.5, 0.7, 0.1)))


@model((X, X[::-1] ** 2), 2.0, 0.5, 0.7)
def plane(xy, a, b, c):
    x, y = xy
    return a * x + b * y + c


@model(np.stack([X, X[::-1] ** 2]), 2.0, 0.5, 0.7)
def surface(xy, a, b, c):
    return a * np.exp(-b * xy[0] ** 2) * np.cos(c * xy[1])


@model((X, np.cos(X)), 2.0, 0.1, 0.2, 1.0, 2.0, 0.5)
def rotated_gaussian(xy, a, x0, y0, sx, sy, theta):
    x, y = xy
    u = (x - x0) * np.cos(theta) - (y - y0) * np.sin(theta)
    v = (x - x0) * np.sin(theta) + (y - y0) * np.cos(theta)
    return (a * np.exp(-0.5 * ((u / sx) ** 2 + (v / sy) ** 2))).ravel()


@model(X, 2.0, 0.3, 0.8)
def array_arguments(x, *p):
    x = np.asarray(x, dtype=float)
    p = np.asarray(p)
    return p[0] * np.exp(-((x - p[1]) ** 2) / (2 * p[2] ** 2))


@model(T, 2.0, 0.3)
def constants_in_arrays(t, a, b):
    rates = np.array([0.5, 1.0, 2.0])
    y = 0
    for r in rates:
        y = y + a * np.exp(-r * b * t)
    return y / len(rates)


@model(T, 2.0, 0.3)
def warnings_off(t, a, b):
    with np.errstate(over="ignore"):
        return a * np.exp(-b * t)


@model(T, 2.0, 0.3)
def relative_to_the_first_point(t, a, b):
    return a * np.exp(-b * (t - t[0]) / t.max())


@model(T, 2.0, 0.3)
def checked(t, a, b):
    assert len(t) > 2
    if np.any(t < 0):
        raise ValueError("negative time")
    return a * np.exp(-b * t)


@model(T, 2.0, 0.3, 0.1)
def typed(t, a, b, c):
    if isinstance(t, list):
        t = np.array(t)
    return a * np.exp(-b * t) + c


@model(T, 2.0, 0.3, 0.1)
def option(t, a, b, c, kind="exponential"):
    if kind == "exponential":
        return a * np.exp(-b * t) + c
    raise NotImplementedError(kind)


# ---- tables, integrals, numerical methods ------------------------------------------------------

TABLE_X, TABLE_Y = np.linspace(0.0, 7.0, 30), np.cos(np.linspace(0.0, 7.0, 30))
SPLINE = scipy.interpolate.CubicSpline(TABLE_X, TABLE_Y)
KERNEL = np.array([0.25, 0.5, 0.25])
NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)


@model(T, 2.0, 0.3, 0.1)
def table_of_points(t, a, b, c):
    return a * np.interp(t, TABLE_X, TABLE_Y) + b * t + c


@model(T, 2.0, 0.9)
def table_of_shifted_points(t, a, b):
    return a * np.interp(b * t, TABLE_X, TABLE_Y)


@model(T, 2.0, 0.3)
def spline_of_points(t, a, c):
    return a * SPLINE(t) + c


@model(T, 2.0, 0.9)
def spline_of_shifted_points(t, a, b):
    return a * SPLINE(b * t)


@model(T, 2.0, 0.6)
def convolved_with_a_kernel(t, a, b):
    return np.convolve(a * np.exp(-b * t), KERNEL, mode="same")


@model(T, 2.0, 0.6)
def quadrature_loop(t, a, b):
    y = 0.0
    for u, w in zip(NODES, WEIGHTS, strict=True):
        y = y + w * np.exp(-b * t * (1 + u / 2))
    return a * y


@model(T, 2.0, 0.6)
def quadrature_by_broadcasting(t, a, b):
    return a * np.sum(WEIGHTS * np.exp(-b * t[:, None] * (1 + NODES / 2)), axis=1)


@model(T, 2.0, 0.6)
def trapezoid_axis(t, a, b):
    u = np.linspace(0, 1, 21)
    return a * np.trapezoid(np.exp(-b * t[:, None] * u[None, :]), u, axis=1)


@model(T, 2.0, 0.6)
def integral_for_each_point(t, a, b):
    return np.array([scipy.integrate.quad(lambda u: a * np.exp(-b * u), 0, end)[0] for end in t])


@model(T, 1.0, 0.6)
def differential_equation(t, y0, k):
    return scipy.integrate.odeint(lambda y, u: -k * y, y0, np.concatenate([[0.0], t]))[1:, 0]


@model(T, 2.0, 0.6)
def cumulative(t, a, b):
    return np.cumsum(a * np.exp(-b * t))


@model(T, 2.0, 0.6)
def normalised(t, a, b):
    y = np.exp(-b * t)
    return a * y / y.max()


@model(X, 2.0, 0.6)
def branch_on_a_sign(x, a, b):
    if b > 0:
        return a * np.exp(-b * np.abs(x))
    return a * np.ones_like(x)


@model(T, 2.0, 0.6)
def iterated(t, a, b):
    y = t
    for _ in range(5):
        y = y - (y - b * np.sin(y) - t) / (1 - b * np.cos(y))
    return a * y


@model(T, 2.0, 0.6)
def by_list_comprehension(t, a, b):
    return np.array([a * math.exp(-b * u) for u in t])
