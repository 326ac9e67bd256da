"""A user's script: datasets."""

import numpy as np

import lmoo
from lmoo.datasets import nist, nist_names

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)

for name in nist_names()[:2]:
    data = nist(name)
    x, ier = lmoo.leastsq(data.residual, data.starts[1])
    print(name, ier)
