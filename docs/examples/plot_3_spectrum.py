r"""
A spectrum: two lines on a background
=====================================

Two overlapping lines, one of Gaussian and one of Lorentzian shape, on a decreasing background. The
counts are simulated with the seed shown. Models of `lmoo.models` are functions, so they can be
added; their offsets are set to 0.
"""

import numpy as np

import lmoo

gaussian, lorentzian = lmoo.models.Gaussian(), lmoo.models.Lorentzian()


def first(t, a1, center1, width1):
    return gaussian(t, a1, center1, width1, 0.0)


def second(t, a2, center2, width2):
    return lorentzian(t, a2, center2, width2, 0.0)


def spectrum(t, a1, center1, width1, a2, center2, width2, floor, slope):
    return first(t, a1, center1, width1) + second(t, a2, center2, width2) + floor + slope * t


energy = np.linspace(0.0, 10.0, 121)
rng = np.random.default_rng(7)
counts = rng.poisson(spectrum(energy, 320, 4.2, 0.6, 200, 5.9, 0.5, 60, -3)).astype(float)

problem = lmoo.CurveProblem(spectrum, energy, counts, sigma=np.sqrt(counts), absolute_sigma=True)
result = lmoo.Solver().solve(problem, x0=[250, 4, 0.5, 250, 6, 0.5, 50, 0])
intervals = result.confidence_interval()
for name, value, (lower, upper) in zip(result.parameter_names, result.x, intervals, strict=True):
    print(f"{name:<8}{value:9.4g}  from{lower:9.4g}  to{upper:9.4g}")

# %%
# The plot, with both lines alone:
above, below = result.plot()
for part, x in ((first, result.x[0:3]), (second, result.x[3:6])):
    line = above.plot(energy, part(energy, *x), "--", linewidth=1.5, label=f"{part.__name__} line")
legend = above.legend(frameon=False)
label = above.set_ylabel("counts"), below.set_xlabel("energy")

# %%
# The quantity of interest may be a function of the parameters. The area of the second line is
# :math:`\pi a_2 w_2`, and its standard error follows from the covariance. A high and narrow line
# fits nearly as well as a low and wide one, so the area is more accurate than its factors suggest:
covariance = result.covariance()[3:6:2, 3:6:2]
area, by = np.pi * result.x[3] * result.x[5], np.pi * result.x[[5, 3]]
error = np.sqrt(by @ covariance @ by)
uncorrelated = np.sqrt(by**2 @ np.diag(covariance))
print(f"{area:.0f} +- {error:.0f}")
print(f"+- {uncorrelated:.0f} without the correlation of {result.correlation[3, 5]:.2f}")

# %%
# ``derived`` computes such quantities during the fit: :doc:`/parameters`.
