"""A star on a background, by a function of two variables in lmoo."""

import numpy as np

import lmoo

rng = np.random.default_rng(5)
row, column = np.mgrid[0:25, 0:30]
image = 50 * np.exp(-((column - 14.2) ** 2) / (2 * 2.0**2) - (row - 11.7) ** 2 / (2 * 3.0**2))
image += 7.0 + rng.normal(size=image.shape)


def star(at, height, x, y, width, background):
    column, row = at
    far = ((column - x) / width) ** 2 + ((row - y) / (1.5 * width)) ** 2
    return height * np.exp(-far / 2) + background


result = lmoo.fit(
    star, (column, row), image, [40, 15, 12, 2.5, 5],
    bounds={"height": (0, None), "width": (0.1, 10)},
)  # fmt: skip
values = dict(zip(result.parameter_names, result.x, strict=True))
errors = dict(zip(result.parameter_names, result.stderr, strict=True))
