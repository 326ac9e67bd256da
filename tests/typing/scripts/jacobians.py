"""A user's script: jacobians."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)

strategies: list[lmoo.Jacobian] = [
    lmoo.ForwardDifference(),
    lmoo.CentralDifference(),
    lmoo.ComplexStep(),
]
for strategy in strategies:
    solver = lmoo.Solver(jacobian=strategy)
    print(solver.solve(lmoo.FunctionProblem(lambda x: x[0] * T - Y), [1.0]).x)
