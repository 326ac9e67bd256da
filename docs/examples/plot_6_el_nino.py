"""
El Niño: periods of cycles
==========================

NIST's data set ``ENSO``: monthly averages of the difference of atmospheric pressure between Easter
Island and Darwin, with an annual cycle and two slower cycles, whose periods ``b4`` and ``b7`` are
parameters, in months.
"""

import numpy as np

import lmoo

data = lmoo.datasets.nist("ENSO")


def enso(t, b1, b2, b3, b4, b5, b6, b7, b8, b9):
    year, slow, slower = (2 * np.pi * t / period for period in (12, b7, b4))
    return (
        b1
        + b2 * np.cos(year)
        + b3 * np.sin(year)
        + b5 * np.cos(slower)
        + b6 * np.sin(slower)
        + b8 * np.cos(slow)
        + b9 * np.sin(slow)
    )


problem = lmoo.CurveProblem(enso, data.x, data.y)
result = lmoo.Solver().solve(problem, data.starts[0], history=True)
print("NIST's solution:", np.allclose(result.x, data.certified, rtol=1e-7))
print("NIST's standard errors:", np.allclose(result.stderr, data.standard_errors, rtol=1e-5))

above, below = result.plot()
limits = above.set_ylim(-1, 27)  # room for the legend
label = above.set_ylabel("pressure"), below.set_xlabel("month")

# %%
# The residuals are large, and the periods are correlated with the phases. Gauss-Newton steps
# contract by a constant factor here, and the solver extrapolates them (:ref:`default-step`).
# Moré's steps alone take more than 1.5 times as many evaluations.
plain = lmoo.Solver(step=lmoo.More(accelerate=False)).solve(problem, data.starts[0])
print(plain.nfev > 1.5 * result.nfev)

# %%
# The cost reaches its rounding error long before x does, and the solver continues until x is
# accurate (:ref:`stopping`).
error = np.abs(result.history.x / data.certified - 1).max(axis=1)
rounded = result.history.cost < (1 + 1e-14) * result.cost
print(f"largest relative error of x there: {error[rounded][0]:.0e}, at the end: {error[-1]:.0e}")
ax = result.plot_convergence()

# %%
# Linear intervals are too short by 15 % here: far from the solution the sum of squares grows less
# than the parabola on both sides.
print(result.nonlinearity())
k = result.parameter_names.index("b4")
for method in ("linear", "profile"):
    lower, upper = result.confidence_interval(method=method)[k]
    print(f"{method:<8}{lower:.2f} .. {upper:.2f}")
ax = result.plot_profile("b4")
