"""Plots of a fit, with matplotlib: ``pip install lmoo[plot]``.

Each function draws into the axes given, or into a new figure, and returns the axes.  `Result` has
methods of the same names.
"""

from lmoo.results.convergenceplots import plot_convergence
from lmoo.results.plotting import plot
from lmoo.results.profileplots import plot_contour, plot_profile

__all__ = ["plot", "plot_contour", "plot_convergence", "plot_profile"]
