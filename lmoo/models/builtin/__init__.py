"""Built-in models as graphs."""

from lmoo.models.builtin import classic, curves, images, peaks, polynomials, steps
from lmoo.models.builtin.base import BuiltIn
from lmoo.models.builtin.classic import *
from lmoo.models.builtin.curves import *
from lmoo.models.builtin.images import *
from lmoo.models.builtin.peaks import *
from lmoo.models.builtin.polynomials import *
from lmoo.models.builtin.steps import *

__all__ = ["BuiltIn"]
__all__ += classic.__all__
__all__ += curves.__all__
__all__ += images.__all__
__all__ += peaks.__all__
__all__ += polynomials.__all__
__all__ += steps.__all__
