r"""
Radioactive decay: counts and their weights
===========================================

Counts of a decay, 40 s each, above a background: simulated, for a half-life of 153.1 s, which is
that of :sup:`137m`\ Ba, and a background of 9 counts. The standard deviation of a count is its
root, so sigma is known, which ``absolute_sigma=True`` says.
"""

import numpy as np

import lmoo


def decay(t, initial, half_life, background):
    return initial * 2.0 ** (-t / half_life) + background


def show(result):
    intervals = result.confidence_interval(method="profile")
    for name, value, (lower, upper) in zip(
        result.parameter_names, result.x, intervals, strict=True
    ):
        print(f"{name:<11}{value:9.4g}  from{lower:9.4g}  to{upper:9.4g}")


t = np.arange(0.0, 1800.0, 40.0)
n = np.random.default_rng(137).poisson(decay(t, 1500, 153.1, 9)).astype(float)
result = lmoo.fit(decay, t, n, sigma=np.sqrt(n), absolute_sigma=True)
show(result)

above, below = result.plot(prediction=False)
above.set_yscale("log")  # which shows the background too
label = above.set_ylabel("counts in 40 s"), below.set_xlabel("t / s")

# %%
# If model and standard deviations are right, the reduced chi-square is about 1, with the standard
# deviation :math:`\sqrt{2 / (m - n)}`.
expected = np.sqrt(2 / result.degrees_of_freedom)
print(f"{result.reduced_chi_square:.2f}, where 1 +- {expected:.2f} was expected")

# %%
# These standard deviations cause a bias: a count that is low by chance gets a small standard
# deviation and a large weight, so the fitted curve is too low, by about one count. It is visible
# in the background. The standard deviation is the root of the expected count, which the fit
# estimates. Repeated fits with the fitted values converge to the maximum likelihood estimate for
# Poisson's distribution:
for _ in range(5):
    sigma = np.sqrt(decay(t, *result.x))
    result = lmoo.fit(decay, t, n, result.x, sigma, absolute_sigma=True)
show(result)
