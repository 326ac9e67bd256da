"""
A first fit
===========

A decay with a background: simulated measurements, with a standard deviation of 0.05 for each
point, which is known. The model is a text, and no starting values are needed.
"""

import numpy as np

import lmoo

rng = np.random.default_rng(1)
t = np.linspace(0, 4, 40)
y = 2.5 * np.exp(-1.3 * t) + 0.5 + 0.05 * rng.normal(size=40)

text = "amplitude*exp(-rate*t) + offset"
result = lmoo.fit(text, t, y, sigma=0.05, absolute_sigma=True)
print(result.params)

# %%
# The plot has the data with their standard deviations, the fit, its bands and the residuals.
above, below = result.plot()
label = above.set_ylabel("signal"), below.set_xlabel("time / s")

# %%
# :doc:`/quickstart` continues with this fit.
