"""A damped oscillation, by lmoo."""

import numpy as np

import lmoo

rng = np.random.default_rng(1)
t = np.linspace(0, 10, 80)
y = 2.0 * np.exp(-0.3 * t) * np.sin(3.0 * t + 0.4) + 0.05 * rng.normal(size=80)

formula = "amplitude*exp(-damping*t)*sin(frequency*t + phase)"
result = lmoo.fit(formula, t, y, [1, 0.1, 2.9, 0])
if not result.success:
    raise RuntimeError(result.message)
values = dict(zip(result.parameter_names, result.x, strict=True))
errors = dict(zip(result.parameter_names, result.stderr, strict=True))
