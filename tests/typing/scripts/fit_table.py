"""A user's script: a table, by the names of its columns."""

import numpy as np

import lmoo

T = np.linspace(0.0, 4.0, 20)
TABLE = {"time": T, "counts": 2.5 * np.exp(-1.3 * T), "err": np.full(20, 0.01)}

result = lmoo.fit(
    "a*exp(-b*time) + c",
    data=TABLE,
    y="counts",
    sigma="err",
    absolute_sigma=True,
    bounds={"b": (0, None)},
    fixed={"c": 0.0},
    priors={"a": (2.5, 0.1)},
    derived={"tau": "1/b"},
)
if result:
    print(result["tau"].value, result.predict({"time": [1.0]}), result.absolute_sigma)
