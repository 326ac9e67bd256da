"""A user's script: check jacobian."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)

problem = lmoo.FunctionProblem(lambda x: x[0] * T - Y, lambda x: T[:, None])
check: lmoo.JacobianCheck = lmoo.check_jacobian(problem, [1.0])
assert check
