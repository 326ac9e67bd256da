"""
A resonator: complex data
=========================

The transmission of a microwave resonator is a complex number at each frequency: amplitude and
phase. Real and imaginary parts are fitted together.
"""

import matplotlib.pyplot as plt
import numpy as np

import lmoo


def transmission(f, f0, quality, depth, phase):
    detuning = 2 * quality * (f - f0) / f0
    return np.exp(1j * phase) * (1 - depth / (1 + 1j * detuning))


rng = np.random.default_rng(5)
f = np.linspace(5.995, 6.005, 121)  # GHz
noise = rng.normal(scale=0.02, size=(2, f.size))
s21 = transmission(f, 6.0002, 4000, 0.8, 0.3) + noise[0] + 1j * noise[1]

start = {"f0": f[np.abs(s21).argmin()], "quality": 2000, "phase": 0}
result = lmoo.fit(transmission, f, s21, start, sigma=0.02)
print(result.params)
print(f"reduced chi-square {result.reduced_chi_square:.2f} of {result.observations} residuals")

# %%
# The resonance is a circle in the complex plane:
model = result.predict(f)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.plot(f, np.abs(s21), ".", f, np.abs(model), "-")
left.set(xlabel="frequency / GHz", ylabel="magnitude")
left.ticklabel_format(useOffset=False)
right.plot(s21.real, s21.imag, ".", model.real, model.imag, "-")
labels = right.set(xlabel="real part", ylabel="imaginary part", aspect="equal")

# %%
# More on complex curves: :ref:`complex-curves`.
