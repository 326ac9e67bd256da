"""A user's script: losses."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)

for loss in ("huber", "soft_l1", "cauchy", "arctan", "tukey"):
    solver = lmoo.Solver(loss=loss, f_scale="mad")
    result = solver.solve(lmoo.CurveProblem(lmoo.Expression("a*exp(-b*t)"), T, Y), [1, 1])
    print(result.loss_weights)
