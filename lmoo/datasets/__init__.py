"""Test problems with certified solutions.

The 27 nonlinear regression problems of NIST's Statistical Reference Datasets
(StRD), https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml.
"""

from lmoo.datasets._nist import NistDataset, nist, nist_names

__all__ = ["NistDataset", "nist", "nist_names"]
