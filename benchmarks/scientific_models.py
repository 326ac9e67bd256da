"""Model functions of many sciences, written in the styles of their analysis scripts.

`MODELS` has an entry (function, t, parameters) for each.  They are of other fields and other styles
than those of natural_models.py: classes with settings, dictionaries of constants, checks of
arguments, decorators, guarded divisions, arrays that are filled by masks, normalised curves,
integrals over grids, special functions.
"""

import dataclasses
import functools
import math
import typing
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import scipy.constants as const
import scipy.special as sc
from numpy import cos, exp, log, pi, sin, sqrt
from scipy.special import erf, erfc, expit

MODELS: list[tuple[Any, Any, tuple[float, ...]]] = []


def model(t: Any, *parameters: float) -> Any:
    """Return a decorator that adds a function to `MODELS`."""

    def added(f: Any) -> Any:
        MODELS.append((f, t, parameters))
        return f

    return added


T = np.linspace(0.0, 10.0, 41)
POSITIVE = np.linspace(0.2, 8.0, 40)
LOGS = np.geomspace(1e-3, 1e3, 37)
CENTRED = np.linspace(-4.0, 4.0, 41)

# ---- spectroscopy --------------------------------------------------------------------------------


@model(CENTRED, 2.0, 0.3, 1.1, 0.4)
def pseudo_voigt(x, area, center, fwhm, eta):
    sigma = fwhm / (2 * np.sqrt(2 * np.log(2)))
    gamma = fwhm / 2
    g = np.exp(-((x - center) ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
    lorentz = gamma / np.pi / ((x - center) ** 2 + gamma**2)
    return area * (eta * lorentz + (1 - eta) * g)


@model(np.linspace(280, 296, 50), 9.0, 284.8, 1.2, 4.0, 286.5, 1.5, 0.2)
def xps_with_shirley(energy, *p):
    peaks = [p[i : i + 3] for i in range(0, len(p) - 1, 3)]
    total = sum(h * np.exp(-4 * np.log(2) * (energy - c) ** 2 / w**2) for h, c, w in peaks)
    step = sum(h / (1 + np.exp((c - energy) / (w / 2))) for h, c, w in peaks)
    return total + p[-1] * step


@model(np.linspace(1.2, 3.0, 40), 5.0, 1.6, 0.1)
def tauc_edge(energy, a, gap, tail):
    alpha = np.zeros_like(energy)
    above = energy > gap
    alpha[above] = a * np.sqrt(energy[above] - gap) / energy[above]
    alpha[~above] = a * tail * np.exp((energy[~above] - gap) / tail)
    return alpha


@model(np.linspace(2000, 2300, 60), 1.0, 2143.0, 1.93, 298.0)
def rotational_envelope(nu, scale, nu0, rot, temp):
    c2 = const.h * const.c * 100 / const.k
    total = np.zeros_like(nu)
    for J in range(12):
        pop = (2 * J + 1) * np.exp(-c2 * rot * J * (J + 1) / temp)
        total += scale * pop * np.exp(-(((nu - nu0 - 2 * rot * (J + 1)) / 3.0) ** 2))
        if J > 0:
            total += scale * pop * np.exp(-(((nu - nu0 + 2 * rot * J) / 3.0) ** 2))
    return total


@model(np.linspace(-8.0, 8.0, 60), 1.0, 0.1, 1.2, 0.6, 0.3, 0.05)
def moessbauer_doublet(v, depth, isomer, quadrupole, width, asym, slope):
    def line(v0, a):
        return a / (1 + ((v - v0) / (width / 2)) ** 2)

    left, right = isomer - quadrupole / 2, isomer + quadrupole / 2
    return 1 + slope * v - line(left, depth * (1 + asym)) - line(right, depth * (1 - asym))


@model(np.linspace(0.5, 3.0, 50), 1.2, 1.5, 0.2, 0.3)
def lorentz_oscillator_reflectivity(w, wp, w0, gamma, eps):
    epsilon = 1 + eps + wp**2 / (w0**2 - w**2 - 1j * gamma * w)
    n = np.sqrt(epsilon)
    r = (n - 1) / (n + 1)
    return np.abs(r) ** 2


@model(np.linspace(335, 350, 60), 3.0, 342.0, 0.05, 2.0, 0.1)
def fano(e, sigma, e0, gamma, q, rho):
    eps = 2 * (e - e0) / gamma
    return sigma * (rho * (q + eps) ** 2 / (1 + eps**2) + 1 - rho)


@model(np.linspace(300, 700, 50), 1.0, 450.0, 30.0, 0.4)
def lognormal_band(wavelength, height, peak, width, skew):
    arg = 1 + 2 * skew * (wavelength - peak) / width
    safe = np.where(arg > 0, arg, 1.0)
    return np.where(arg > 0, height * np.exp(-np.log(2) * (np.log(safe) / skew) ** 2), 0.0)


# ---- scattering ----------------------------------------------------------------------------------

Q = np.geomspace(0.01, 0.5, 50)


@model(Q, 10.0, 30.0, 0.05)
def sphere_form_factor(q, scale, radius, background):
    qr = q * radius
    amp = 3 * (np.sin(qr) - qr * np.cos(qr)) / qr**3
    return scale * amp**2 + background


@model(Q, 5.0, 40.0, 3.0, 0.01)
def guinier_porod(q: np.ndarray, G: float, Rg: float, d: float, bkg: float) -> np.ndarray:
    q1 = np.sqrt(3 * d / 2) / Rg
    D = G * np.exp(-(q1**2) * Rg**2 / 3) * q1**d
    return np.where(q <= q1, G * np.exp(-(q**2) * Rg**2 / 3), D / q**d) + bkg


@model(Q, 5.0, 60.0, 0.02)
def debye_chain(q, i0, rg, bg):
    x = (q * rg) ** 2
    return i0 * 2 * (np.exp(-x) + x - 1) / x**2 + bg


class CoreShell:
    """Core-shell spheres; the densities are fixed."""

    def __init__(self, core: float, shell: float, solvent: float) -> None:
        self.core, self.shell, self.solvent = core, shell, solvent

    @staticmethod
    def bessel(x):
        return 3 * sc.spherical_jn(1, x) / x

    def __call__(self, q, scale, radius, thickness):
        outer = radius + thickness
        vc, vs = 4 / 3 * np.pi * radius**3, 4 / 3 * np.pi * outer**3
        f = vc * (self.core - self.shell) * self.bessel(q * radius)
        f = f + vs * (self.shell - self.solvent) * self.bessel(q * outer)
        return scale * 1e-4 * f**2 / vs


MODELS.append((CoreShell(4.0, 1.0, 6.3), Q, (1.0, 20.0, 5.0)))


@model(Q, 2.0, 50.0, 15.0)
def cylinder_orientation_average(q, scale, length, radius):
    nodes, weights = np.polynomial.legendre.leggauss(24)
    mu = 0.5 * (nodes + 1)
    sinc = np.sinc(q[:, None] * length * mu / (2 * np.pi))
    arg = q[:, None] * radius * np.sqrt(1 - mu**2)
    disc = 2 * sc.j1(arg) / arg
    return scale * np.sum(0.5 * weights * (sinc * disc) ** 2, axis=1)


@model(np.linspace(0.02, 0.3, 60), 1.0, 0.018, 250.0, 8.0)
def kiessig_fringes(q, scale, qc, thickness, rough):
    kz = q / 2
    inside = np.sqrt(kz**2 - (qc / 2) ** 2 + 0j)
    fresnel = (kz - inside) / (kz + inside)
    back = 0.3 * np.exp(2j * inside * thickness)
    damped = np.exp(-2 * kz * inside.real * rough**2)
    return scale * np.abs((fresnel * damped + back) / (1 + fresnel * damped * back)) ** 2


@model(np.linspace(20, 60, 80), 100.0, 3.52, 0.3, 5.0)
def powder_cubic(two_theta, scale, a, width, background):
    wavelength = 1.5406
    total = np.full_like(two_theta, background)
    for h, k, m in [(1, 1, 1), (2, 0, 0), (2, 2, 0)]:
        d = a / np.sqrt(h**2 + k**2 + m**2)
        center = 2 * np.degrees(np.arcsin(wavelength / (2 * d)))
        total = total + scale / (1 + ((two_theta - center) / width) ** 2)
    return total


@model(np.linspace(-1.0, 1.0, 51), 1.0, 0.05, 0.3, 0.1)
def quasielastic(omega, elastic, sigma, gamma, background):
    z = (omega + 1j * gamma) / (sigma * np.sqrt(2))
    voigt = np.real(sc.wofz(z)) / (sigma * np.sqrt(2 * np.pi))
    gauss = np.exp(-0.5 * (omega / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    return elastic * gauss + (1 - elastic) * voigt + background


# ---- pharmacokinetics and enzymes ----------------------------------------------------------------

DOSE = {"amount": 100.0, "interval": 12.0, "count": 3}


@model(np.linspace(0.0, 36.0, 50), 0.3, 1.5, 20.0, 0.8)
def repeated_doses(t, ke, ka, volume, bioavailability):
    conc = np.zeros_like(t)
    for n in range(DOSE["count"]):
        tau = t - n * DOSE["interval"]
        factor = bioavailability * DOSE["amount"] * ka / (volume * (ka - ke))
        conc += np.where(tau > 0, factor * (np.exp(-ke * tau) - np.exp(-ka * tau)), 0.0)
    return conc


@model(T, 10.0, 0.9, 0.3, 0.2)
def two_compartments(t, c0, k12, k21, k10):
    s = k12 + k21 + k10
    root = np.sqrt(s**2 - 4 * k21 * k10)
    alpha, beta = (s + root) / 2, (s - root) / 2
    a = c0 * (alpha - k21) / (alpha - beta)
    b = c0 * (k21 - beta) / (alpha - beta)
    return a * np.exp(-alpha * t) + b * np.exp(-beta * t)


@model(T, 20.0, 5.0, 2.0)
def infusion(t, rate, clearance, stop):
    k = clearance / 10.0
    during = rate / clearance * (1 - np.exp(-k * t))
    at_stop = rate / clearance * (1 - np.exp(-k * stop))
    return np.where(t <= stop, during, at_stop * np.exp(-k * (t - stop)))


@model(LOGS, 1.2, 0.8, 5.0)
def tight_binding(inhibitor, v0, enzyme, ki):
    """Morrison's equation."""
    b = enzyme + inhibitor + ki
    return v0 * (1 - (b - np.sqrt(b**2 - 4 * enzyme * inhibitor)) / (2 * enzyme))


@model(POSITIVE, 10.0, 2.0, 0.5, 4.0)
def substrate_inhibition(s, vmax, km, n, ki, *, minimum=1e-12):
    s = np.maximum(s, minimum)
    return vmax * s**n / (km**n + s**n * (1 + s / ki))


@model(T, 2.0, 1.0, 0.8)
def progress_curve(t, s0, km, vmax):
    """Integrated Michaelis-Menten kinetics."""
    arg = s0 / km * np.exp((s0 - vmax * t) / km)
    return s0 - km * sc.lambertw(arg).real


@model(LOGS, 0.05, 0.98, 1.5, 1.2, 0.7)
def five_parameter_logistic(dose, bottom, top, ec50, hill, asymmetry):
    with np.errstate(over="ignore", divide="ignore"):
        ratio = (dose / ec50) ** hill
        return bottom + (top - bottom) / (1 + 1 / ratio) ** asymmetry


@model(LOGS, 100.0, 0.4, 20.0, 0.5, 0.9)
def biphasic_response(x, top, frac, ec1, ec2, h):
    def hill(ec):
        return 1.0 / (1.0 + (ec / x) ** h)

    return top * (frac * hill(ec1) + (1 - frac) * hill(ec2))


@model(T, 1.0, 2.0, 0.3)
def transit_compartments(t, dose, n, ktr):
    t = np.maximum(t, 1e-9)
    return dose * np.exp(n * np.log(ktr * t) - ktr * t - sc.gammaln(n + 1))


@model(POSITIVE, 3.0, 2.0, 1.4)
def erlang_delay(t, dose, shape, rate):
    return dose * sc.gammainc(shape, rate * t)


# ---- electrochemistry and semiconductors ---------------------------------------------------------

THERMAL = const.k * 298.15 / const.e


@model(np.linspace(-0.15, 0.15, 31), 1e-3, 0.5, 0.4)
def butler_volmer(eta, i0, alpha_a, alpha_c):
    f = const.physical_constants["Faraday constant"][0] / (const.R * 298.15)
    return i0 * (np.exp(alpha_a * f * eta) - np.exp(-alpha_c * f * eta))


@model(np.geomspace(0.1, 1e5, 40), 10.0, 100.0, 1e-5, 0.85)
def randles_cpe_modulus(freq, rs, rct, q, n):
    w = 2 * np.pi * freq
    z = rs + 1 / (1 / rct + q * (1j * w) ** n)
    return np.abs(z)


@model(np.geomspace(0.01, 1e4, 40), 10.0, 100.0, 1e-4, 20.0)
def warburg_phase(freq, rs, rct, cdl, sigma):
    w = 2 * np.pi * freq
    zw = sigma * (1 - 1j) / np.sqrt(w)
    z = rs + 1 / (1j * w * cdl + 1 / (rct + zw))
    return np.angle(z, deg=True)


@model(np.linspace(0.0, 0.62, 40), 3.0, 1e-9, 1.3, 0.02)
def solar_cell(v, iph, i0, n, rs):
    nvt = n * THERMAL
    w = sc.lambertw(i0 * rs / nvt * np.exp((v + rs * (iph + i0)) / nvt))
    return iph + i0 - nvt / rs * np.real(w)


@model(np.linspace(0.0, 0.7, 40), 1e-10, 1.4, 0.5)
def diode_newton(v, i_s, n, r):
    """Return the current of a diode in series with a resistor, by Newton's method."""
    current = i_s * np.expm1(v / (n * THERMAL) * 0.5)
    for _ in range(8):
        arg = (v - r * current) / (n * THERMAL)
        residual = i_s * np.expm1(arg) - current
        slope = -i_s * r / (n * THERMAL) * np.exp(arg) - 1
        current = current - residual / slope
    return current


@model(np.linspace(0.0, 3.0, 31), 2e-3, 0.7, 0.05)
def mosfet(vgs, k, vth, lam):
    overdrive = np.clip(vgs - vth, 0, None)
    vds = 1.0
    linear = k * (overdrive - vds / 2) * vds
    saturated = k / 2 * overdrive**2
    return np.where(vds < overdrive, linear, saturated) * (1 + lam * vds)


@model(np.linspace(250.0, 450.0, 30), 1e19, 1.1, 0.3)
def intrinsic_carriers(T, n0, gap, alpha):
    kb = const.value("Boltzmann constant in eV/K")
    eg = gap - alpha * 1e-3 * T**2 / (T + 300)
    return n0 * 1e-19 * (T / 300) ** 1.5 * np.exp(-eg / (2 * kb * T) + eg / (2 * kb * 300))


@model(np.linspace(-0.5, 0.5, 51), 1.0, 0.1, 0.06, 0.02)
def redox_peak(E, ip, e0, w, base):
    u = (E - e0) / w
    return base + ip * 4 * np.exp(u) / (1 + np.exp(u)) ** 2


# ---- rheology ------------------------------------------------------------------------------------


@model(LOGS, 100.0, 0.1, 2.0, 0.4)
def carreau(rate, eta0, etainf, lam, n, a=2):
    return etainf + (eta0 - etainf) * (1 + (lam * rate) ** a) ** ((n - 1) / a)


@model(LOGS, 5.0, 2.0, 0.5)
def herschel_bulkley(rate, tau0, k, n, m=10.0):
    assert np.all(rate > 0), f"shear rates must be positive, got {rate.min()}"
    return tau0 * (1 - np.exp(-m * rate)) + k * rate**n


@model(LOGS, 2.0, 0.1, 1.0, 3.0, 0.5, 50.0)
def generalized_maxwell(omega, *params):
    g = np.array(params[0::2])
    tau = np.array(params[1::2])
    wt = omega[:, np.newaxis] * tau
    return (g * wt**2 / (1 + wt**2)).sum(axis=1)


@model(LOGS, 1.0, 0.5, 0.3, 2.0)
def fractional_maxwell_loss(w, v, alpha, beta, g):
    z1, z2 = v * (1j * w) ** alpha, g * (1j * w) ** beta
    return (z1 * z2 / (z1 + z2)).imag


@model(LOGS, 10.0, 1.0, 0.7, 0.8)
def havriliak_negami(w, delta, tau, a, b):
    return -(delta / (1 + (1j * w * tau) ** a) ** b).imag


@model(np.linspace(300, 400, 30), 3.0, 600.0, 250.0)
def vft(T, a, b, t0):
    if np.any(T <= 200):
        raise ValueError(f"temperature below range: {T!r}")
    return a + b / (T - t0)


# ---- astronomy -----------------------------------------------------------------------------------


@model(np.linspace(0.5, 30.0, 40), 150.0, 3.0, 60.0, 8.0)
def rotation_curve(r, vh, rc, vd, rd):
    halo2 = vh**2 * (1 - rc / r * np.arctan(r / rc))
    y = r / (2 * rd)
    disc2 = (vd * 4) ** 2 * y**2 * (sc.i0(y) * sc.k0(y) - sc.i1(y) * sc.k1(y))
    return np.sqrt(halo2 + disc2)


@model(np.linspace(0.01, 2.0, 30), 70.0, 0.3)
def luminosity_distance(z, h0, om):
    """Flat LCDM by Gauss-Legendre quadrature for each redshift."""
    x, w = np.polynomial.legendre.leggauss(16)
    zz = 0.5 * z[:, None] * (x + 1)
    integrand = 1 / np.sqrt(om * (1 + zz) ** 3 + 1 - om)
    dc = 0.5 * z * np.sum(w * integrand, axis=1)
    return const.c / 1e3 / h0 * (1 + z) * dc


@model(np.linspace(0.01, 2.0, 30), 70.0, 0.3)
def distance_on_a_grid(z, h0, om):
    grid = np.linspace(0, 1, 101)
    zz = np.outer(z, grid)
    integral = np.trapezoid(1 / np.sqrt(om * (1 + zz) ** 3 + (1 - om)), grid, axis=1) * z
    return 299792.458 / h0 * (1 + z) * integral


@model(np.linspace(-0.2, 0.2, 80), 0.1, 0.02, 0.09, 0.003)
def box_transit(phase, depth, t0, half, ingress):
    x = np.abs(phase - t0)
    flux = np.ones_like(phase)
    flux[x < half] = 1 - depth
    edge = (x >= half) & (x < half + ingress * 10)
    flux[edge] = 1 - depth * (1 - (x[edge] - half) / (ingress * 10))
    return flux


@model(np.linspace(-30, 30, 60), 1.0, 2.0, 25.0, 0.4, 0.1)
def microlensing(t, f_source, t0, te, u0, blend):
    u2 = u0**2 + ((t - t0) / te) ** 2
    u = np.sqrt(u2)
    return f_source * (u2 + 2) / (u * np.sqrt(u2 + 4)) + blend


@model(np.linspace(0, 1, 50), 12.0, 0.3, 0.4, 3.0)
def radial_velocity(phase, k, e, omega, gamma):
    """Kepler's equation by a fixed number of iterations."""
    m = 2 * np.pi * phase
    ecc = m + e * np.sin(m)
    for _ in range(10):
        ecc = ecc - (ecc - e * np.sin(ecc) - m) / (1 - e * np.cos(ecc))
    nu = 2 * np.arctan2(np.sqrt(1 + e) * np.sin(ecc / 2), np.sqrt(1 - e) * np.cos(ecc / 2))
    return k * (np.cos(nu + omega) + e * np.cos(omega)) + gamma


@model(np.linspace(0.1, 20, 40), 10.0, 3.0, 4.0)
def sersic(r, ie, re, n):
    bn = 2 * n - 1 / 3 + 4 / (405 * n) + 46 / (25515 * n**2)
    return ie * np.exp(-bn * ((r / re) ** (1 / n) - 1))


@model(np.linspace(-20, 60, 60), 5.0, 0.0, 8.0, 25.0)
def supernova(t, a, t0, rise, fall):
    return a * np.exp(-(t - t0) / fall) / (1 + np.exp(-(t - t0) / rise))


@model(np.linspace(0.3, 3.0, 40), 1.0, 5800.0)
def planck_normalised(wavelength, scale, temperature):
    x = const.h * const.c / (wavelength * 1e-6 * const.k * temperature)
    radiance = 1 / (wavelength**5 * np.expm1(x))
    return scale * radiance / radiance.max()


@model(np.geomspace(1e-2, 1e2, 40), 5.0, 1.0, -0.5, 2.2)
def band_function(E, norm, e0, alpha, beta_):
    beta = -beta_
    split = (alpha - beta) * e0
    low = E**alpha * np.exp(-E / e0)
    high = E**beta * np.exp(beta - alpha) * split ** (alpha - beta)
    return norm * np.where(split > E, low, high)


# ---- magnetic resonance and fluorescence ---------------------------------------------------------


@model(np.array([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 8.0]), 100.0, 0.9, 1.3)
def inversion_recovery_magnitude(ti, m0, eff, t1):
    return np.abs(m0 * (1 - 2 * eff * np.exp(-ti / t1)))


@model(np.deg2rad(np.arange(2.0, 40.0, 2.0)), 1000.0, 1.1)
def spoiled_gradient_echo(flip, m0, t1, *, tr=0.015):
    e1 = np.exp(-tr / t1)
    return m0 * np.sin(flip) * (1 - e1) / (1 - e1 * np.cos(flip))


@model(T, 10.0, 0.5, 1.0)
def rician_decay(te, s0, r2, sigma):
    signal = s0 * np.exp(-r2 * te)
    return np.sqrt(signal**2 + sigma**2)


@model(np.linspace(0.0, 3000.0, 20), 1.0, 0.1, 8e-3, 8e-4)
def ivim(b, s0, f, dstar, d):
    return s0 * (f * np.exp(-b * dstar) + (1 - f) * np.exp(-b * d))


@model(np.linspace(0.0, 3.0, 20), 1.0, 1.5, 0.8)
def kurtosis(b, s0, D, K):
    return np.exp(np.log(s0) - b * D + b**2 * D**2 * K / 6)


@model(np.geomspace(1e6, 1e9, 20), 5e9, 1e-8)
def bpp_relaxation(freq, c, tau):
    omega = 2 * np.pi * freq

    def density(w):
        return tau / (1 + (w * tau) ** 2)

    return c * (density(omega) + 4 * density(2 * omega)) / 1e2


@model(np.linspace(-1.0, 12.0, 60), 5.0, 2.0, 0.3, 0.2)
def lifetime_gaussian_irf(t, a, tau, sigma, t0):
    arg = (sigma / tau - (t - t0) / sigma) / sqrt(2)
    return a / 2 * exp(sigma**2 / (2 * tau**2) - (t - t0) / tau) * erfc(arg)


IRF = np.exp(-0.5 * ((np.arange(15) - 5) / 1.5) ** 2)
IRF /= IRF.sum()


@model(T, 5.0, 2.0, 0.1)
def lifetime_measured_irf(t, a, tau, bg):
    decay = a * np.exp(-t / tau)
    return np.convolve(decay, IRF)[: len(t)] + bg


@model(np.geomspace(1e-3, 1e2, 30), 5.0, 0.3, 5.0)
def fcs_3d(tau, n, td, kappa):
    return 1 / n / ((1 + tau / td) * np.sqrt(1 + tau / (kappa**2 * td)))


@model(np.linspace(1.0, 12.0, 24), 1.0, 5.5)
def fret(r, scale, r0):
    return scale / (1 + (r / r0) ** 6)


@model(np.linspace(0.0, 5.0, 50), 1.0, 0.7, 4.0, 0.2, 10.0)
def stern_volmer_rabi(t, a, gamma, omega, phase, n):
    envelope = np.exp(-gamma * t)
    return a * (1 - envelope * np.cos(omega * t + phase)) / (1 + n * 0.01)


# ---- magnetism and solids ------------------------------------------------------------------------


def coth(x):
    return 1 / np.tanh(x)


@model(np.linspace(0.1, 9.0, 30), 3.0, 2.5, 2.0)
def brillouin(b, ms, j, temperature):
    x = const.physical_constants["Bohr magneton"][0] * 2 * j * b / (const.k * temperature)
    a = (2 * j + 1) / (2 * j)
    return ms * (a * coth(a * x) - coth(x / (2 * j)) / (2 * j))


@model(np.linspace(-5.0, 5.0, 41), 2.0, 1.5)
def langevin(h, ms, a):
    x = a * h
    small = np.abs(x) < 1e-3
    safe = np.where(small, 1.0, x)
    return ms * np.where(small, x / 3 - x**3 / 45, 1 / np.tanh(safe) - 1 / safe)


@model(np.linspace(5.0, 300.0, 40), 3.0, -12.0, 0.001)
def curie_weiss(T, C, theta, chi0):
    return chi0 + C / (T - theta)


@model(np.linspace(2.0, 300.0, 50), 0.375, 60.0, 0.02)
def bleaney_bowers(T, c, j, rho):
    singlet = 2 * c / (T * (3 + np.exp(j / T))) * 2
    return singlet * (1 - rho) + rho * c / T


QUAD_X, QUAD_W = np.polynomial.legendre.leggauss(40)


@model(np.linspace(10.0, 400.0, 30), 24.9, 350.0)
def debye_heat(T, c0, theta):
    """Return the integral of Debye's model."""
    upper = theta / T
    x = 0.5 * upper[:, None] * (QUAD_X[None, :] + 1)
    integrand = x**4 * np.exp(x) / np.expm1(x) ** 2
    return 3 * c0 * upper**-3 * 0.5 * upper * (integrand @ QUAD_W)


@model(np.linspace(10.0, 400.0, 30), 24.9, 200.0, 1e-3)
def einstein_heat(T, c, theta, gamma):
    x = theta / T
    return c * x**2 * np.exp(x) / (np.exp(x) - 1) ** 2 + gamma * T


@model(np.linspace(4.0, 300.0, 30), 1.0, 0.05, 200.0)
def bloch_grueneisen(T, rho0, a, theta):
    s = np.linspace(1e-6, 1, 200)
    u = (theta / T)[:, None] * s
    f = u**5 / (np.expm1(u) * (1 - np.exp(-u)))
    return rho0 + a * (T / theta) ** 5 * np.trapezoid(f, u, axis=1)


@model(np.linspace(0.5, 20.0, 30), 1.5, 9.3)
def bcs_gap(T, gap0, tc):
    reduced = np.clip(1 - T / tc, 0, None)
    return gap0 * np.tanh(1.74 * np.sqrt(np.where(reduced > 0, reduced * tc / T, 0.0)))


@model(np.linspace(0.9, 1.4, 30), 100.0, 4.5, 1.0)
def birch_murnaghan(v, b0, b1, v0):
    eta = (v0 / v) ** (2 / 3)
    return 1.5 * b0 * (eta**3.5 - eta**2.5) * (1 + 0.75 * (b1 - 4) * (eta - 1))


# ---- ecology, epidemiology, queues ---------------------------------------------------------------


@model(T, 10.0, 200.0, 0.9, 1.5)
def richards(t, n0, K, r, theta):
    return K / (1 + ((K / n0) ** theta - 1) * np.exp(-r * theta * t)) ** (1 / theta)


@model(np.linspace(0.0, 40.0, 30), 1.1, 0.2, 0.05)
def holling3(n, a, h, c):
    return a * n**2 / (1 + c * n + a * h * n**2)


@model(np.arange(1.0, 31.0), 5.0, 0.3, 1.1)
def ricker_recruitment(s, a, b, sigma):
    return a * s * np.exp(-b * s / 10.0) * math.exp(sigma**2 / 2)


@model(np.arange(40.0), 10.0, 0.4, 0.15)
def sir_euler(day, i0, beta, gamma):
    """Infected by Euler steps of one day."""
    n = 1000.0
    s, i = n - i0, i0
    out = []
    for _ in range(len(day)):
        out.append(i)
        new = beta * s * i / n
        s, i = s - new, i + new - gamma * i
    return np.array(out)


@model(np.arange(30.0), 100.0, 0.2, 3.0)
def weekly_cases(day, total, growth, mid):
    week = 1 + 0.3 * np.cos(2 * np.pi * (day % 7) / 7)
    return total * growth * week / (4 * np.cosh(growth * (day - 5 * mid) / 2) ** 2)


@model(np.linspace(0.1, 0.9, 20), 5.0, 1.3)
def queue_wait(rho, service, scv):
    if np.isscalar(rho):
        rho = np.array([rho])
    return service * rho / (1 - rho) * (1 + scv) / 2


@model(np.arange(1.0, 20.0), 8.0, 0.7)
def species_accumulation(n, s, z):
    return s * (1 - (1 - z / 2) ** n)


@model(np.arange(0.0, 25.0), 6.0, 100.0)
def poisson_counts(k, mu, total):
    return total * np.exp(k * np.log(mu) - mu - sc.gammaln(k + 1))


@model(np.arange(0.0, 25.0), 3.0, 0.4, 100.0)
def negative_binomial(k, r, p, total):
    logp = sc.gammaln(k + r) - sc.gammaln(r) - sc.gammaln(k + 1)
    return total * np.exp(logp + r * np.log(p) + k * np.log1p(-p))


# ---- geophysics, optics, acoustics ---------------------------------------------------------------


@model(np.geomspace(0.5, 500.0, 30), 2.0, 0.3, 1e-2)
def theis(t, rate, transmissivity, storage):
    u = 10.0**2 * storage / (4 * transmissivity * t)
    return rate / (4 * np.pi * transmissivity) * sc.exp1(u)


@model(np.linspace(0.0, 100.0, 40), 5.0, 30.0, 2.0, 1.0)
def fault_slip(x, slip, center, depth, offset):
    return slip / np.pi * np.arctan((x - center) / depth) + offset


@model(np.linspace(0.1, 30.0, 40), 2.0, 3.0, 1.0)
def omori(t, K, c, p):
    return K * (t + c) ** -p


@model(np.linspace(0.0, 500.0, 40), 2.0, 0.4, 120.0, 25.0)
def spherical_variogram(h, nugget, slope, rng, sill):
    ratio = np.minimum(h / rng, 1.0)
    return nugget + sill * (1.5 * ratio - 0.5 * ratio**3) + slope * 1e-3 * h


@model(np.linspace(0.05, 6.0, 40), 1.0, 2.0, 1.5)
def matern(h, sigma2, scale, nu):
    x = np.sqrt(2 * nu) * h / scale
    return sigma2 * 2 ** (1 - nu) / sc.gamma(nu) * x**nu * sc.kv(nu, x)


@model(np.linspace(0.35, 2.0, 40), 1.04, 0.23, 1.01, 0.006, 0.02, 103.0)
def sellmeier(lam, b1, b2, b3, c1, c2, c3):
    l2 = lam**2
    n2 = 1 + sum(b * l2 / (l2 - c) for b, c in zip((b1, b2, b3), (c1, c2, c3), strict=True))
    return np.sqrt(n2)


@model(np.linspace(0.0, np.pi / 2 - 0.05, 40), 1.0, 1.5)
def fresnel_rp(theta, scale, n):
    ct = np.cos(theta)
    st = np.sqrt(1 - (np.sin(theta) / n) ** 2)
    return scale * ((n * ct - st) / (n * ct + st)) ** 2


@model(np.linspace(1540.0, 1560.0, 80), 0.9, 0.6, 1.2)
def etalon(lam, peak, reflectivity, length):
    delta = 4 * np.pi * 1.5 * length * 1e5 / lam
    finesse = 4 * reflectivity / (1 - reflectivity) ** 2
    return peak / (1 + finesse * np.sin(delta / 2) ** 2)


@model(np.linspace(-10.0, 10.0, 61), 4.0, 0.8, 0.3)
def airy_disc(x, i0, scale, center):
    v = scale * (x - center)
    v = np.where(np.abs(v) < 1e-9, 1e-9, v)
    return i0 * (2 * sc.j1(v) / v) ** 2


@model(np.linspace(-3.0, 3.0, 61), 2.0, 0.5, 1.2)
def slit_fresnel(x, i0, half, scale):
    s1, c1 = sc.fresnel(scale * (x + half))
    s2, c2 = sc.fresnel(scale * (x - half))
    return i0 / 2 * ((c1 - c2) ** 2 + (s1 - s2) ** 2)


@model(np.linspace(-20.0, 20.0, 61), 1.0, 5.0, 0.3)
def gaussian_beam_gouy(z, w0, zr, z0):
    return w0 * np.hypot(1, (z - z0) / zr) + 0.01 * np.arctan2(z - z0, zr)


@model(np.geomspace(50.0, 5000.0, 40), 1.0, 440.0, 0.05)
def resonator_db(f, gain, f0, damping):
    r = f / f0
    return 20 * np.log10(gain / np.sqrt((1 - r**2) ** 2 + (2 * damping * r) ** 2))


@model(np.linspace(0.0, 1.0, 60), 1.0, 6.0, 0.1)
def schroeder_decay(t, a, rate, noise):
    energy = a * np.exp(-rate * t) + noise * 0.01
    tail = np.cumsum(energy[::-1])[::-1]
    return 10 * np.log10(tail / tail[0])


# ---- styles --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """Constants of an experiment."""

    gain: float = 1.2
    offsets: tuple[float, ...] = (0.1, 0.2)
    powers: dict[str, float] = field(default_factory=lambda: {"n": 1.5})


SETTINGS = Settings()


@model(POSITIVE, 2.0, 0.5)
def by_settings(t, a, b):
    return SETTINGS.gain * a * t ** SETTINGS.powers["n"] * exp(-b * t) + sum(SETTINGS.offsets)


@dataclass
class Peak:
    """A peak whose parameters are given by their names."""

    center: Any
    width: Any
    height: Any = 1.0

    def __call__(self, x):
        return self.height * np.exp(-(((x - self.center) / self.width) ** 2))


@model(CENTRED, -1.0, 0.8, 1.0, 1.5, 0.7, 2.0)
def by_peak_objects(x, c1, w1, h1, c2, w2, h2):
    peaks = [Peak(c1, w1, h1), Peak(c2, w2, height=h2)]
    return sum(peak(x) for peak in peaks)


class Parameters(typing.NamedTuple):
    """Named parameters."""

    amplitude: float
    rate: float
    offset: float


@model(T, 2.0, 0.4, 0.1)
def by_named_tuple(t, *p):
    p = Parameters(*p)
    return p.amplitude * np.exp(-p.rate * t) + p.offset


def checked(function):
    """Return a function that checks the shape of its value."""

    @functools.wraps(function)
    def wrapper(x, *args, **kwargs):
        x = np.atleast_1d(np.asarray(x, dtype=float))
        result = function(x, *args, **kwargs)
        if result.shape != x.shape:
            raise ValueError(f"{function.__name__} returned {result.shape} for {x.shape}")
        return result

    return wrapper


@model(T, 2.0, 0.4)
@checked
def by_a_decorator(x, a, b):
    return a * x / (b + x)


def njit(function=None, **options):
    """Return the function: numba is not installed."""
    return function if function is not None else lambda f: f


@model(T, 2.0, 0.4)
@njit(cache=True)
def by_an_optional_compiler(x, a, b):
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        out[i] = a * np.exp(-b * x[i])
    return out


@model(T, 2.0, 0.4)
def by_a_loop_over_points(x, a, b):
    out = np.zeros(len(x))
    for i, xi in enumerate(x):
        out[i] = a * math.exp(-b * xi)
    return out


@model(T, 2.0, 0.4, 5.0)
def by_appending(x, a, b, x0):
    result = []
    for xi in x:
        if xi < x0:
            result.append(a * xi)
        else:
            result.append(a * x0 + b * (xi - x0))
    return np.array(result)


@model(T, 2.0, 0.4)
def by_comprehension(x, a, b):
    return np.array([a * xi / (b + xi) for xi in x])


@model(T, 2.0, 0.4, 0.1)
def by_walrus(t, a, b, c):
    return a * (decay := np.exp(-b * t)) + c * decay**2


@model(T, 2.0, 0.4)
def by_match(t, a, b, kind="exp"):
    match kind:
        case "exp":
            return a * np.exp(-b * t)
        case "power":
            return a * (1 + t) ** -b
        case _:
            raise ValueError(kind)


@model(T, 2.0, 0.4)
def by_try(t, a, b):
    try:
        n = len(t)
    except TypeError:
        n = 1
        t = np.array([t])
    return a * np.exp(-b * t) + 0 * n


@model(T, 2.0, 0.4)
def by_scalar_test(t, a, b):
    scalar = np.isscalar(t) or np.ndim(t) == 0
    t = np.atleast_1d(t).astype(float)
    out = a * (1 - np.exp(-b * t))
    return out[0] if scalar else out


@model(T, 2.0, 0.4, 0.1)
def by_dictionary(t, *values):
    p = dict(zip(("a", "b", "c"), values, strict=True))
    p["rate"] = p["b"] ** 2
    return p["a"] * np.exp(-p["rate"] * t) + p["c"]


@model(T, 1.0, -0.5, 0.1, 0.05)
def by_horner(t, *coefficients):
    return reduce(lambda acc, c: acc * t + c, reversed(coefficients))


@model(CENTRED, 1.0, 0.3, -0.2, 0.1)
def by_chebyshev(t, *c):
    return np.polynomial.chebyshev.chebval(t / 4.0, c)


@model(CENTRED, 1.0, 0.3, -0.2)
def by_legendre(t, a, b, c):
    x = t / 4.0
    return sum(p * sc.eval_legendre(n, x) for n, p in enumerate((a, b, c)))


@model(T, 1.0, 0.3, -0.2)
def by_design_matrix(t, *p):
    basis = np.column_stack([np.ones_like(t), np.cos(t), np.sin(t)])
    return basis @ np.array(p)


@model(T, 1.0, 0.3)
def by_einsum(t, a, b):
    parts = np.array([a * np.exp(-t), b * np.sin(t)])
    return np.einsum("k,kt->t", np.array([1.0, 2.0]), parts)


@model(T, 3.0, 1.0, 2.0)
def normalised_to_area(t, area, center, width):
    shape = np.exp(-0.5 * ((t - center) / width) ** 2)
    return area * shape / np.trapezoid(shape, t)


@model(T, 3.0, 0.4, 0.1)
def relative_to_first(t, a, b, c):
    y = a * np.exp(-b * t) + c
    return y / y[0]


@model(T, 3.0, 0.4, 0.1)
def without_mean(t, a, b, c):
    y = a * np.sin(b * t) + c * t
    return y - np.mean(y)


@model(T, 3.0, 0.4)
def softmax_weights(t, a, b):
    z = b * t
    w = np.exp(z - z.max())
    return a * w / w.sum()


@model(T, 1.0, 0.4)
def cumulative_dose(t, a, b):
    rate = a * np.exp(-b * t)
    return np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(t))])


KNOTS = np.linspace(0, 10, 6)


@model(T, 0.1, 0.5, 0.3, 0.8, 0.6, 0.2)
def table_of_parameters(t, *values):
    return np.interp(t, KNOTS, values)


SPECTRUM_X = np.linspace(0, 12, 101)
SPECTRUM_Y = np.exp(-((SPECTRUM_X - 5) ** 2)) + 0.3 * np.exp(-((SPECTRUM_X - 8) ** 2) / 0.5)


@model(T, 2.0, 0.3, 0.1)
def shifted_reference(x, scale, shift, background):
    return scale * np.interp(x - shift, SPECTRUM_X, SPECTRUM_Y) + background


@model(T, 2.0, 1.2, 3.0, 4.0)
def piecewise_lambda(t, a, b, k1, k2):
    return np.piecewise(
        t,
        [t < k1, (t >= k1) & (t < k1 + k2)],
        [lambda u: a * u, lambda u: a * k1 + b * (u - k1), lambda u: a * k1 + b * k2],
    )


@model(T, 1.5, 2.0, 0.6)
def convolved_by_broadcasting(t, a, tau, sigma):
    s = np.linspace(-3, 3, 31)
    kernel = np.exp(-(s**2) / 2)
    kernel = kernel / kernel.sum()
    shifted = t[:, None] - sigma * s[None, :]
    return (a * np.where(shifted > 0, np.exp(-np.maximum(shifted, 0) / tau), 0.0)) @ kernel


def make_multi_exponential(n):
    """Return a model with n terms."""

    def multi(t, *p):
        if len(p) != 2 * n:
            raise ValueError(f"expected {2 * n} parameters, got {len(p)}")
        amplitudes, rates = np.split(np.asarray(p), 2)
        return np.exp(-np.outer(t, rates)) @ amplitudes

    return multi


MODELS.append((make_multi_exponential(2), T, (2.0, 1.0, 0.3, 1.5)))
MODELS.append((lambda x, *p: p[0] * expit((x - p[1]) / p[2]), T, (2.0, 5.0, 0.7)))


class Wrapper:
    """f(t, p) with one vector of parameters, called with separate ones."""

    def __init__(self, f: Any) -> None:
        self.f = f

    def __call__(self, t, *p):
        return self.f(t, np.array(p))


def vector_model(t, p):
    a, b, c = p
    return a * np.exp(-b * t) + c * p[0]


MODELS.append((Wrapper(vector_model), T, (2.0, 0.5, 0.1)))


class Experiment:
    """An experiment with a base class, properties and units."""

    unit = 1e-3

    def __init__(self, temperature: float = 300.0) -> None:
        self._temperature = temperature

    @property
    def beta(self) -> float:
        return 1.0 / (8.314e-3 * self._temperature)

    def rate(self, barrier):
        return 1e3 * math.exp(-barrier * self.beta)

    def model(self, t, a, barrier):
        return a * np.exp(-self.rate(barrier) * t * self.unit * 10)


class Hot(Experiment):
    """The same at a higher temperature."""

    def __init__(self) -> None:
        super().__init__(temperature=350.0)

    def model(self, t, a, barrier):
        return 1.1 * super().model(t, a, barrier)


MODELS.append((Experiment().model, T, (2.0, 5.0)))
MODELS.append((Hot().model, T, (2.0, 6.0)))


@model(T, 2.0, 0.5, 0.4)
def complex_residues(t, a, b, w):
    poles = [complex(-0.3, 1.0), complex(-0.5, 2.0)]
    total = 0
    for k, pole in enumerate(poles):
        total = total + (a + 1j * w * k) * np.exp(pole * b * t)
    return total.real


@model(
    np.vstack([np.tile(np.arange(6.0), 6), np.repeat(np.arange(6.0), 6)]), 5.0, 2.3, 2.8, 1.2, 0.1
)
def image_spot(xy, a, x0, y0, s, bg):
    x, y = xy
    return a * np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * s**2)) + bg


@model(T, 2.0, 0.5)
def with_units(t, a, b):
    hour, day = const.hour, const.day
    return a * np.exp(-b * (t * hour) / day * 10) * const.milli * 1e3


@model(T, 2.0, 0.7)
def rayleigh_or_erf(t, a, s):
    return a * (erf(t / (s * sqrt(2))) - sqrt(2 / pi) * t / s * exp(-(t**2) / (2 * s**2)))


@model(POSITIVE, 2.0, 0.7, 0.3)
def damped_bessel(r, a, k, d):
    return a * sc.jn(0, k * r) * exp(-d * r) + sin(k) * cos(d) / log(10 + r)


@model(T, 2.0, 3.0, 1.5)
def beta_profile(t, a, p, q):
    x = np.clip(t / 10.5, 1e-6, 1 - 1e-6)
    return a * x ** (p - 1) * (1 - x) ** (q - 1) / sc.beta(p, q)


@model(np.linspace(0.0, 1.0, 30), 2.0, 0.5)
def pendulum_period(k, a, b):
    return a * sc.ellipk(b * k**2)


@model(T, 2.0, 0.8)
def dawson_profile(t, a, w):
    return a * sc.dawsn(t / w)


@model(np.linspace(0.02, 0.98, 30), 2.0, 0.8)
def probit_line(p, mu, sigma):
    return mu + sigma * sc.ndtri(p)


@model(T, 2.0, 0.5, 1.0)
def replaced(t, a, b, c):
    settings = dataclasses.replace(SETTINGS, gain=2.0)
    return settings.gain * a * np.exp(-b * t) + c
