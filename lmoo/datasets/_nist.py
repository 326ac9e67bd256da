"""The 27 nonlinear regression problems of NIST's Statistical Reference Datasets.

The figures in ``nist.json`` are NIST's, digit for digit; as a work of the US
government they are in the public domain. Source: NIST StRD,
https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml.
"""

import json
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from lmoo.datasets._nist_models import MODELS, Model

_Scalar = TypeVar("_Scalar", np.float64, np.complex128)


# Compared by identity (eq=False): arrays have no single truth value for a field-wise ==.
@dataclass(frozen=True, eq=False, kw_only=True)
class NistDataset:
    """One NIST StRD nonlinear regression problem: data, model and certified solution.

    It is returned by `nist`. With m observations and p parameters the problem is to
    find the ``b`` that minimises the sum of squares of ``residual(b)``. It can be
    passed to a solver, as it has the methods `residual` and `jacobian`. All arrays
    are read-only.

    Attributes
    ----------
    name : str
        NIST's name of the data set.
    difficulty : {"lower", "average", "higher"}
        NIST's level of difficulty.
    description : str
        Topic and source, on one line.
    formula : str
        The model, such as ``"y = b1 * (1 - exp(-b2 * x))"``.
    x : ndarray of float64, shape (m,)
        Predictor; for Nelson, which has two of them, shape (m, 2).
    y : ndarray of float64, shape (m,)
        Response as NIST gives it.
    starts : ndarray of float64, shape (2, p)
        NIST's starting values: row 0, its start 1, is meant to be far from the
        solution; row 1, its start 2, to be near it.
    certified : ndarray of float64, shape (p,)
        Certified least squares estimate of the parameters, to 11 digits.
    standard_errors : ndarray of float64, shape (p,)
        Certified standard deviations of the estimates, to 11 digits.
    residual_sum_of_squares : float
        Certified sum of squared residuals.
    residual_standard_deviation : float
        Certified ``sqrt(residual_sum_of_squares / degrees_of_freedom)``.
    degrees_of_freedom : int
        m - p.

    References
    ----------
    NIST StRD, https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml

    Examples
    --------
    >>> from lmoo.datasets import nist
    >>> problem = nist("Misra1a")
    >>> problem.formula
    'y = b1 * (1 - exp(-b2 * x))'
    >>> r = problem.residual(problem.certified)
    >>> print(f"{r @ r:.9f} {problem.residual_sum_of_squares:.9f}")
    0.124551389 0.124551389
    >>> problem.jacobian(problem.starts[0]).shape
    (14, 2)
    """

    name: str
    difficulty: Literal["lower", "average", "higher"]
    description: str
    formula: str
    x: npt.NDArray[np.float64] = field(repr=False)
    y: npt.NDArray[np.float64] = field(repr=False)
    starts: npt.NDArray[np.float64]
    certified: npt.NDArray[np.float64]
    standard_errors: npt.NDArray[np.float64]
    residual_sum_of_squares: float
    residual_standard_deviation: float
    degrees_of_freedom: int

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the p parameters: ``("b1", "b2", ...)``."""
        return tuple(f"b{k}" for k in range(1, self.certified.size + 1))

    # Cached, as every evaluation of the residual uses it.
    @cached_property
    def response(self) -> npt.NDArray[np.float64]:
        """The response of the model, shape (m,): ``log(y)`` for Nelson, else ``y``."""
        return _frozen(self._model.response(self.y))

    def model(self, b: npt.NDArray[_Scalar]) -> npt.NDArray[_Scalar]:
        """Predict `response` from the parameters.

        Far from the solution the prediction may overflow or be undefined; the
        elements concerned are then inf or nan, without a warning.

        Parameters
        ----------
        b : ndarray of float64 or complex128, shape (p,)
            Parameters. The models are analytic in them, so that a complex ``b``
            gives complex-step derivatives.

        Returns
        -------
        ndarray of float64 or complex128, shape (m,)
            Predicted response, complex if ``b`` is.

        Raises
        ------
        ValueError
            If ``b`` does not have shape (p,).

        Examples
        --------
        >>> problem = nist("DanWood")
        >>> problem.model(problem.certified).round(2)
        array([2.17, 3.41, 3.58, 4.33, 4.85, 5.7 ])
        """
        point = self._point(b)
        with np.errstate(all="ignore"):
            prediction: npt.NDArray[_Scalar] = self._model.value(self.x, *point)
        return prediction

    def residual(self, b: npt.NDArray[_Scalar]) -> npt.NDArray[_Scalar]:
        """Return the prediction minus the response, ``model(b) - response``; see `model`.

        Examples
        --------
        >>> problem = nist("DanWood")
        >>> r = problem.residual(problem.certified)
        >>> r.shape, round(float(r @ r), 9)
        ((6,), 0.004317308)
        """
        with np.errstate(all="ignore"):
            return self.model(b) - self.response

    def jacobian(self, b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the analytic derivatives of `residual`.

        Parameters
        ----------
        b : ndarray of float64, shape (p,)
            Parameters.

        Returns
        -------
        ndarray of float64, shape (m, p), C-contiguous
            Element (i, j) is the derivative of residual i by parameter j; inf or
            nan, without a warning, where it overflows or is undefined.

        Raises
        ------
        ValueError
            If ``b`` does not have shape (p,) or is complex.

        Examples
        --------
        >>> problem = nist("DanWood")
        >>> problem.jacobian(problem.certified).shape
        (6, 2)
        """
        point = self._point(b)
        if np.iscomplexobj(point):
            raise ValueError(f"b must be real to differentiate; got dtype {point.dtype}")
        derivative = np.empty((self.y.size, point.size))
        with np.errstate(all="ignore"):
            for j, column in enumerate(self._model.jacobian(self.x, *point)):
                derivative[:, j] = column
        return derivative

    @property
    def _model(self) -> Model:
        return MODELS[self.name]

    def _point(self, b: npt.ArrayLike) -> npt.NDArray[Any]:
        """Check the shape of ``b`` and convert it to float64, or to complex128 if it is complex."""
        point = np.asarray(b)
        if point.shape != self.certified.shape:
            raise ValueError(
                f"b must have shape {self.certified.shape}, one value for each of the parameters "
                f"of {self.name}; got shape {point.shape}"
            )
        return point.astype(np.complex128 if np.iscomplexobj(point) else np.float64, copy=False)


def nist_names() -> tuple[str, ...]:
    """Return the names of the NIST StRD nonlinear regression problems.

    Returns
    -------
    tuple of str
        The 27 names, ordered by NIST's level of difficulty (lower, average,
        higher), then by name.

    Examples
    --------
    >>> from lmoo.datasets import nist_names
    >>> len(nist_names())
    27
    >>> nist_names()[:3]
    ('Chwirut1', 'Chwirut2', 'DanWood')
    """
    return tuple(_records())


def nist(name: str) -> NistDataset:
    """Return one of the NIST StRD nonlinear regression problems.

    Parameters
    ----------
    name : str
        One of `nist_names`, in upper or lower case or a mixture.

    Returns
    -------
    NistDataset
        The problem. It is immutable; all calls return the same object.

    Raises
    ------
    ValueError
        If there is no problem of that name.

    Examples
    --------
    >>> from lmoo.datasets import nist
    >>> problem = nist("boxbod")
    >>> problem.name, problem.difficulty, problem.x.shape
    ('BoxBOD', 'higher', (6,))
    >>> problem.starts
    array([[  1.  ,   1.  ],
           [100.  ,   0.75]])
    """
    wanted = str(name).casefold()
    for known in nist_names():
        if known.casefold() == wanted:
            return _dataset(known)
    raise ValueError(f"name must be one of {', '.join(nist_names())}; got {name!r}")


@cache
def _dataset(name: str) -> NistDataset:
    record = _records()[name]
    return NistDataset(
        name=name,
        difficulty=record["difficulty"],
        description=record["description"],
        formula=record["formula"],
        x=_frozen(record["x"]),
        y=_frozen(record["y"]),
        starts=_frozen([record["start1"], record["start2"]]),
        certified=_frozen(record["certified"]),
        standard_errors=_frozen(record["standard_errors"]),
        residual_sum_of_squares=record["residual_sum_of_squares"],
        residual_standard_deviation=record["residual_standard_deviation"],
        degrees_of_freedom=record["degrees_of_freedom"],
    )


# Read on first use, so that importing lmoo costs no file access.
@cache
def _records() -> dict[str, dict[str, Any]]:
    """Read ``nist.json``: the problems by name, in the order of `nist_names`."""
    text = resources.files("lmoo.datasets").joinpath("nist.json").read_text(encoding="utf-8")
    problems: dict[str, dict[str, Any]] = json.loads(text)["problems"]
    return problems


def _frozen(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return a read-only float64 array; a float64 array is not copied."""
    array = np.asarray(values, dtype=np.float64)
    array.flags.writeable = False
    return array
