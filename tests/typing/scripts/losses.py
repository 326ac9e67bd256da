"""A user's script: losses."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)

losses = lmoo.losses
for loss in (losses.huber, losses.soft_l1, losses.cauchy, losses.arctan, losses.tukey):
    solver = lmoo.Solver(loss=loss, f_scale="mad")
    result = solver.solve(lmoo.CurveProblem(lmoo.Expression("a*exp(-b*t)"), T, Y), [1, 1])
    print(result.loss_weights)
