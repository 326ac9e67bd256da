"""A user's script: results that are stored."""

import json
import pickle

import numpy as np

import lmoo

result = lmoo.fit("a + b*t", np.arange(5.0), np.array([1.1, 2.9, 5.2, 6.8, 9.1]))
text: str = result.to_json(indent=2)
again = lmoo.Result.from_dict(json.loads(text))
twin: lmoo.Result = pickle.loads(pickle.dumps(result))
print(again.x, twin.aic - result.aic, bool(again))
