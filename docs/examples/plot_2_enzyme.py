r"""
Enzyme kinetics: does a treatment change one parameter or both?
===============================================================

The velocity of an enzymatic reaction, in counts/min\ :sup:`2`, against the concentration of the
substrate, in ppm, with the enzyme treated with Puromycin and untreated: measured by Treloar in
1974, given in [Bates1988]_, appendix 1. The model is that of Michaelis and Menten.
"""

import numpy as np

import lmoo

concentration = np.repeat([0.02, 0.06, 0.11, 0.22, 0.56, 1.10], 2)
treated = np.array([76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200.0])
untreated = np.array([67, 51, 84, 86, 98, 115, 131, 124, 144, 158, 160.0])


def michaelis_menten(t, vmax, k):
    return vmax * t / (k + t)


result = lmoo.fit(michaelis_menten, concentration, treated)
above, below = result.plot()
label = above.set_ylabel("velocity"), below.set_xlabel("concentration / ppm")

# %%
# The interval of k by linear theory, from the standard error, differs from that of the profile,
# from the sum of squares:


def show(result, intervals):
    for name, value, (lower, upper) in zip(
        result.parameter_names, result.x, intervals, strict=True
    ):
        print(f"{name:<11}{value:9.4g}  from{lower:9.4g}  to{upper:9.4g}")


print("linear")
show(result, result.confidence_interval(method="linear"))
print("profile")
show(result, result.confidence_interval(method="profile"))
ax = result.plot_profile("k")

# %%
# The profile bends slightly: the sum of squares grows more slowly towards large k, and the
# interval extends further on this side. The two parameters are correlated:
ax = result.plot_contour("vmax", "k")

# %%
# *Does the treatment change vmax, k, or both?* This question needs one model for all data. Its t
# is a pair of arrays, and two of its parameters are differences; one fit has the second difference
# fixed at 0:

both = (np.append(concentration, concentration[:11]), np.repeat([1.0, 0.0], [12, 11]))


def kinetics(t, vmax, k, more_vmax, more_k):
    substrate, puromycin = t
    return (vmax + more_vmax * puromycin) * substrate / (k + more_k * puromycin + substrate)


joint = lmoo.CurveProblem(kinetics, both, np.append(treated, untreated))
full = lmoo.Solver().solve(joint, [160, 0.05, 50, 0])
show(full, full.confidence_interval(method="profile"))
same = lmoo.Solver(fixed={"more_k": 0.0}).solve(joint, [160, 0.05, 50, 0])
print(f"more_vmax with equal k: {same.x[2]:.1f} +- {same.stderr[2]:.1f}")
print(f"AIC {same.aic:.2f}, and {full.aic:.2f} with more_k")

# %%
# vmax increases; there is no evidence for a change of k. :doc:`/uncertainty` explains the
# intervals, and when linear intervals are misleading.
