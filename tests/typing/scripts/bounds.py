"""A user's script: bounds."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)

solver = lmoo.Solver(bounds={"b": (0, 2)}, fixed={"a": 2.5})
problem = lmoo.CurveProblem(lmoo.Expression("a*exp(-b*t)"), T, Y)
print(solver.solve(problem, [2.5, 1]).x)
