"""Pictures of a fit, with matplotlib: ``pip install lmoo[plot]``.

Each function draws into the axes that it is given, or makes a figure, and returns the axes; the
methods of `Result` of the same names call them.
"""

from lmoo.results.plotting import plot, plot_contour, plot_convergence, plot_profile

__all__ = ["plot", "plot_contour", "plot_convergence", "plot_profile"]
