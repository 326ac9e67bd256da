"""Robust losses, which limit the contribution of outliers, points far from the curve, to the cost.

With a loss the cost is ``1/2 sum(C**2 rho((f_i / C)**2))``, where C is ``f_scale``: about the
largest residual of a good point.  The names and formulas are those of
``scipy.optimize.least_squares``; "tukey" is added.  `Solver`, `curve_fit`, `curve_fit_many`,
`solve_many`, `least_squares` and the command line take one by its name, as one of these objects, or
as a callable.

Examples
--------
>>> import lmoo
>>> lmoo.losses.huber([0.0, 1.0, 4.0])
array([[ 0.    ,  1.    ,  3.    ],
       [ 1.    ,  1.    ,  0.5   ],
       [ 0.    ,  0.    , -0.0625]])
"""

from lmoo.losses.loss import LOSSES, Loss, compiled_loss

__all__ = ["Loss", "arctan", "cauchy", "compiled_loss", "huber", "linear", "soft_l1", "tukey"]

linear = LOSSES["linear"]
huber = LOSSES["huber"]
soft_l1 = LOSSES["soft_l1"]
cauchy = LOSSES["cauchy"]
arctan = LOSSES["arctan"]
tukey = LOSSES["tukey"]
