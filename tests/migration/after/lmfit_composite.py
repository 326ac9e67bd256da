"""Two peaks of the same width on a line, by a sum of models of lmoo with ties."""

import numpy as np

import lmoo

rng = np.random.default_rng(4)
x = np.linspace(0, 10, 201)
y = 4 * np.exp(-((x - 3.5) ** 2) / (2 * 0.6**2)) + 2 * np.exp(-((x - 6.0) ** 2) / (2 * 0.6**2))
y += 1.0 + 0.1 * x + 0.05 * rng.normal(size=x.size)

peak = lmoo.Expression("amplitude/(sigma*sqrt(2*pi))*exp(-(t - center)**2/(2*sigma**2))")
line = lmoo.Expression("intercept + slope*t", prefix="line_")
result = lmoo.fit(
    peak.prefixed("one_") + peak.prefixed("two_") + line, x, y,
    {"one_center": 3.2, "one_sigma": 0.8, "two_center": 6.2},
    ties={"two_sigma": "one_sigma"},
    bounds={"one_amplitude": (0, None), "two_amplitude": (0, None)},
    derived={"ratio": "one_amplitude/two_amplitude"},
)  # fmt: skip
names = [*result.parameter_names, "ratio"]
values = {name: result[name].value for name in names}
errors = {name: result[name].stderr for name in names}
values["largest_of_one"] = result.components(x)["one"].max()
