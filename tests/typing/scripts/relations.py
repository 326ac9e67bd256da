"""A user's script: relations of parameters."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 1.25

model = lmoo.Expression("a*exp(-b*t) + c")
solver = lmoo.Solver(
    ties={"c": "a/2"}, derived={"tau": "1/b"}, constraints=["a <= 4"], loss="soft_l1", f_scale="mad"
)
result = solver.solve(lmoo.CurveProblem(model, T, Y, 0.01), {"a": 2.0, "b": 1.0})
low, high = result.interval("tau", level=0.9, method="linear")
print(low, high, result.params[0].stderr, result.covariance(scaled=False).shape)
