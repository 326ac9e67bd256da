"""Names and arguments that type checkers must refuse: one a line."""

import numpy as np

import lmoo
import lmoo.models

T = np.linspace(0.0, 1.0, 9)

lmoo.nothere
lmoo.curvefit
lmoo.solver.Solver.nothere
lmoo.models.Gausian
lmoo.models.nothere
lmoo.Solver(nothere=1)
lmoo.curve_fit()
lmoo.leastsq(3, [1.0])
lmoo.Solver(loss="hubr")
lmoo.Solver(bounds="a > 0")
lmoo.Solver(bounds={"a": 3.0})
lmoo.Solver(fixed=3.0)
lmoo.Solver(ties={"a": 2.0})
lmoo.Solver(f_scale="median")
lmoo.Solver(separable="always")
lmoo.Solver().solve(3.0, [1.0])
lmoo.fit("a*t", T, T, nan_policy="drop")
lmoo.fit("a*t", T, T, bounds={"a": "positive"})
lmoo.fit("a*t", T, T, absolute_sigma="yes")
lmoo.fit("a*t", T, T, loss=3)
lmoo.fit("a*t", T, T).confidence_interval(method="bootstrap")
lmoo.fit("a*t", T, T).predict(T, interval="both")
lmoo.CurveProblem(3, T, T)
lmoo.CurveProblem(np.exp, T, T, trace="never")
lmoo.curve_fit(np.exp, T, T, method="newton")
lmoo.curve_fit_many(np.exp, T, T, errors="ignore")
