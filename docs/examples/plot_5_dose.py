"""
Dose and response: a parameter at its bound
===========================================

The response at nine doses, in percent, three times each, simulated with the seed shown and with
noise of standard deviation 4. A negative response is impossible, so ``bottom`` has a bound. The
model is `lmoo.models.Logistic4`, which has derivatives and guesses starting values.
"""

import matplotlib.pyplot as plt
import numpy as np

import lmoo

model = lmoo.models.Logistic4()
dose = np.repeat(10.0 ** np.arange(-2.0, 2.5, 0.5), 3)
noise = 4.0 * np.random.default_rng(21).standard_normal(dose.size)
response = model(dose, 100.0, 1.2, 2.0, 0.0) + noise

free = lmoo.fit(model, dose, response)
print("without bounds:", free["bottom"])
result = lmoo.fit(model, dose, response, bounds={"bottom": (0, None)})
print(result)

# %%
# For a logarithmic axis, set the scale before plotting: the points of the curve are then
# equidistant on it.
figure, (above, below) = plt.subplots(
    2, 1, sharex=True, height_ratios=[3, 1], figsize=(8, 6), layout="constrained"
)
above.set_xscale("log")
axes = result.plot((above, below))
label = above.set_ylabel("response / %"), below.set_xlabel("dose")

# %%
# The standard errors of the other parameters are those for ``bottom`` fixed at 0. Profiles let
# ``bottom`` vary within its bounds:
for method in ("linear", "profile"):
    print(method)
    intervals = result.confidence_interval(method=method)
    for name, (lower, upper) in zip(result.parameter_names, intervals, strict=True):
        print(f"  {name:<8} from{lower:9.4g}  to{upper:9.4g}")
ax = result.plot_profile("bottom")

# %%
# More on this: :doc:`/bounds`.
