"""The least-squares test problems of More', Garbow and Hillstrom.

The eighteen functions and 53 runs of the MINPACK test programs, after

    J. J. More', B. S. Garbow, K. E. Hillstrom, "Testing Unconstrained
    Optimization Software", ACM Trans. Math. Softw. 7 (1981), 17-41.

Counts of evaluations are compared between solvers, so the functions should give the
same bits everywhere: operations go in the order of MINPACK's ssqfcn and ssqjac (sums
from left to right, where numpy's own `sum` is pairwise), and exponentials come from the C
library (numpy's differ from one processor to another).

    x0 = CASES[0].start()
    CASES[0].problem.residual(x0), CASES[0].problem.jacobian(x0)
"""

from problems.cases import CASES, MghCase, MghProblem

__all__ = ["CASES", "MghCase", "MghProblem"]
