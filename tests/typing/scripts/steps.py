"""A user's script: steps, and options of the solver."""

import numpy as np

import lmoo

steps: list[lmoo.Step] = [lmoo.More(), lmoo.Nielsen(), lmoo.GeodesicAcceleration()]
for step in steps:
    solver = lmoo.Solver(step=step, maxfev=200, time_limit=10.0, diag=[1.0, 1.0])
    result = solver.solve(
        lmoo.FunctionProblem(lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])),
        [-1.2, 1.0],
        callback=lambda record: record.cost < 1e-12,
        history=True,
    )
    history = result.history
    print(result.nfev, history.cost[-1] if history is not None else None)
