"""A user's script: problems with shared parameters."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)


def decay(t: np.ndarray, a: float, rate: float) -> np.ndarray:
    return np.asarray(a * np.exp(-rate * t))


parts = [
    lmoo.CurveProblem(decay, T, decay(T, a, 0.7), sigma=0.1, absolute_sigma=True) for a in (1, 2)
]
problem = lmoo.JointProblem(parts, shared=["rate"], bounds={"rate": (0.0, 5.0)})
result: lmoo.Result = lmoo.Solver().solve(problem, {"rate": 1.0, "a": [1.0, 1.0]})
part: lmoo.PartResult = result.part(1)
print(part.predict([1.0], interval="confidence"), result.covariance_of(["rate"]))
