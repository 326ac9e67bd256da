"""Names that lmoo does not have, which type checkers must refuse: one a line."""

import lmoo
import lmoo.models

lmoo.nothere
lmoo.curvefit
lmoo.solver.Solver.nothere
lmoo.models.Gausian
lmoo.models.nothere
lmoo.Solver(nothere=1)
lmoo.curve_fit()
lmoo.leastsq(3, [1.0])
