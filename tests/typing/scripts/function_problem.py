"""A user's script: function problem."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)

problem = lmoo.FunctionProblem(lambda x: x[0] * np.exp(-x[1] * T) - Y)
for solver in (lmoo.Solver(), lmoo.Solver(step=lmoo.Nielsen()), lmoo.Solver(factor=1.0)):
    print(solver.solve(problem, [1, 1]).message)
