"""A user's script: expression."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9.0 * T)

model = lmoo.Expression("a*exp(-b*t)")
text: str = model.text
print(text, model(T, 2.0, 1.0))
