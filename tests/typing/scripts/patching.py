"""A user's script: patching."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)

with lmoo.patch_scipy():
    pass
lmoo.unpatch_scipy()
include: str = lmoo.get_include()
