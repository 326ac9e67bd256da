"""Functions with the signatures of scipy.optimize: `leastsq` and `curve_fit`."""
