"""Two peaks of the same width on a line, by a composite model of lmfit with expressions."""

import numpy as np
from lmfit.models import GaussianModel, LinearModel

rng = np.random.default_rng(4)
x = np.linspace(0, 10, 201)
y = 4 * np.exp(-((x - 3.5) ** 2) / (2 * 0.6**2)) + 2 * np.exp(-((x - 6.0) ** 2) / (2 * 0.6**2))
y += 1.0 + 0.1 * x + 0.05 * rng.normal(size=x.size)

model = GaussianModel(prefix="one_") + GaussianModel(prefix="two_") + LinearModel(prefix="line_")
params = model.make_params(
    one_amplitude=5, one_center=3.2, one_sigma=0.8, two_amplitude=3, two_center=6.2,
    line_slope=0, line_intercept=1,
)  # fmt: skip
params["two_sigma"].set(expr="one_sigma")
params["one_amplitude"].set(min=0)
params["two_amplitude"].set(min=0)
params.add("ratio", expr="one_amplitude / two_amplitude")
result = model.fit(y, params, x=x)
names = ["one_amplitude", "one_center", "one_sigma", "two_amplitude", "two_center", "two_sigma"]
names += ["line_slope", "line_intercept", "ratio"]
values = {name: result.params[name].value for name in names}
errors = {name: result.params[name].stderr for name in names}
parts = result.eval_components(x=x)
values["largest_of_one"] = parts["one_"].max()
