"""A star on a background, by a 2-D model of astropy with fixed, tied and bounded parameters."""

import numpy as np
from astropy.modeling import fitting, models

rng = np.random.default_rng(5)
row, column = np.mgrid[0:25, 0:30]
image = 50 * np.exp(-((column - 14.2) ** 2) / (2 * 2.0**2) - (row - 11.7) ** 2 / (2 * 3.0**2))
image += 7.0 + rng.normal(size=image.shape)


def wider(model):
    return 1.5 * model[0].x_stddev


star = models.Gaussian2D(
    amplitude=40, x_mean=15, y_mean=12, x_stddev=2.5, y_stddev=3.75, theta=0,
    fixed={"theta": True}, bounds={"amplitude": (0, None), "x_stddev": (0.1, 10)},
)  # fmt: skip
model = star + models.Const2D(amplitude=5)
model.y_stddev_0.tied = wider
fitter = fitting.TRFLSQFitter(calc_uncertainties=True)
fitted = fitter(model, column.ravel(), row.ravel(), image.ravel())  # 2-D: wrong errors
errors = dict(zip(fitted.cov_matrix.param_names, fitted.stds.stds, strict=True))
values = {
    "height": fitted.amplitude_0.value,
    "x": fitted.x_mean_0.value,
    "y": fitted.y_mean_0.value,
    "width": fitted.x_stddev_0.value,
    "background": fitted.amplitude_1.value,
}
astropy_names = ["amplitude_0", "x_mean_0", "y_mean_0", "x_stddev_0", "amplitude_1"]
errors = {name: errors[theirs] for name, theirs in zip(values, astropy_names, strict=True)}
