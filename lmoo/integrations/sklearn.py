"""An estimator of scikit-learn that fits a curve."""

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from lmoo._core.arrays import Array
from lmoo.models.expression import Expression
from lmoo.models.expression.tokens import names as names_in
from lmoo.problems.typed import FScale
from lmoo.solver.fitting import fit

__all__ = ["CurveRegressor"]


class CurveRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Fit a nonlinear model by least squares, as an estimator of scikit-learn.

    Parameters
    ----------
    model : str, callable or None, default None
        The text of an `lmoo.Expression`, whose variables are the names of the features of a
        DataFrame, or x0, x1, ..., or t or x for a single feature; a model of `lmoo.models`; or a
        function ``f(x, *parameters)``, in which x is the feature, (m,), or with several features
        the transposed matrix, (k, m).  None: a linear function of the features.
    p0 : array_like or mapping, optional
        Starting values; those that are left out are found, as by `lmoo.fit`.
    bounds : optional
        Bounds of the parameters, as for `lmoo.Solver`.
    fixed : mapping, optional
        Values of fixed parameters.
    loss : str or callable, default "linear"
        One of `lmoo.losses`, by which outliers count less.
    f_scale : float or "mad", default 1.0
        Scale of the loss.

    Attributes
    ----------
    params_ : (n,) array
        The parameters.
    parameter_names_ : tuple of str
        Their names.
    stderr_ : (n,) array
        Standard errors.
    covariance_ : (n, n) array
        Covariance of the parameters.
    converged_ : bool
        Whether a minimum was found.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : array of str
        Names of the features, of a DataFrame.

    Notes
    -----
    Weights of samples divide the variances of y.  With fewer samples than parameters the linear
    function is that of smallest norm, with infinite errors; other models raise ValueError.

    Examples
    --------
    >>> import numpy as np
    >>> from lmoo.integrations.sklearn import CurveRegressor
    >>> X = np.linspace(0, 4, 20)[:, None]
    >>> y = 2.5 * np.exp(-1.3 * X[:, 0]) + 0.5
    >>> curve = CurveRegressor("a*exp(-b*t) + c").fit(X, y)
    >>> curve.parameter_names_, curve.params_.round(6)
    (('a', 'b', 'c'), array([2.5, 1.3, 0.5]))
    >>> round(curve.score(X, y), 6)
    1.0
    """

    def __init__(
        self,
        model: str | Callable[..., Any] | None = None,
        *,
        p0: Any = None,
        bounds: Any = None,
        fixed: Mapping[str, float] | None = None,
        loss: Any = "linear",
        f_scale: FScale = 1.0,
    ) -> None:
        self.model = model
        self.p0 = p0
        self.bounds = bounds
        self.fixed = fixed
        self.loss = loss
        self.f_scale = f_scale

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "CurveRegressor":
        """Fit the model.

        Parameters
        ----------
        X : (m, k) array_like
            Features.
        y : (m,) array_like
            The response.
        sample_weight : (m,) array_like, optional
            Weights of the samples, zero or positive.

        Returns
        -------
        CurveRegressor
            The estimator itself.

        Raises
        ------
        ValueError
            Data that cannot be fitted, or fewer samples than parameters.

        Warns
        -----
        ConvergenceWarning
            No minimum was found.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        sigma = None
        if sample_weight is not None:
            weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
            kept = weight > 0
            X, y, sigma = X[kept], y[kept], 1.0 / np.sqrt(weight[kept])
        model = self._model(X.shape[1])
        y = np.asarray(y, dtype=np.float64)
        count = _count(model)
        if self.model is None and count is not None and len(y) < count:
            return self._smallest(model, X, y, sigma)
        if count is not None and len(y) < count:
            raise ValueError(
                f"the model has {count} parameters and needs as many samples; n_samples={len(y)}"
            )
        result = fit(
            model,
            _variables(X),
            y,
            self.p0,
            sigma,
            bounds=self.bounds,
            fixed=self.fixed,
            loss=self.loss,
            f_scale=self.f_scale,
        )
        if not result.success:
            warnings.warn(
                f"no minimum was found: {result.message}", ConvergenceWarning, stacklevel=2
            )
        self.model_ = model
        self.params_: Array = np.array(result.x)
        self.parameter_names_ = tuple(result.parameter_names)
        self.covariance_: Array = result.covariance()
        self.stderr_: Array = np.sqrt(np.diag(self.covariance_))
        self.converged_ = bool(result.success)
        return self

    def _smallest(self, model: Any, X: Array, y: Array, sigma: Array | None) -> "CurveRegressor":
        """Set the linear solution of smallest norm, as the samples do not determine one."""
        design = np.column_stack([np.ones(len(y)), X])
        weight = np.ones(len(y)) if sigma is None else 1.0 / sigma
        found = np.linalg.lstsq(design * weight[:, None], y * weight, rcond=None)[0]
        self.params_ = np.array(found, dtype=np.float64)
        self.model_, self.parameter_names_ = model, tuple(model.parameter_names)
        self.covariance_ = np.full((design.shape[1],) * 2, np.inf)
        self.stderr_ = np.full(design.shape[1], np.inf)
        self.converged_ = True
        return self

    def predict(self, X: Any) -> Array:
        """Return the values of the model at new features, (m,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        t, params = _variables(X), self.params_.tolist()
        model: Any = self.model_
        values = model(t, *params)
        return np.array(np.broadcast_to(np.asarray(values, dtype=np.float64), (len(X),)))

    def _model(self, features: int) -> Any:
        """Return the model as `lmoo.fit` takes it."""
        if self.model is None:
            names = [f"x{k}" for k in range(features)]
            terms = [f"coef{k}*{name}" for k, name in enumerate(names)]
            return Expression(" + ".join(["intercept", *terms]), variables=names)
        if isinstance(self.model, str):
            return Expression(self.model, variables=self._variable_names(self.model, features))
        return self.model

    def _variable_names(self, text: str, features: int) -> list[str]:
        columns = [str(name) for name in getattr(self, "feature_names_in_", ())]
        used = set(names_in(text))
        if columns and used & set(columns):
            return columns
        if features == 1:
            return [next((name for name in ("t", "x", "x0") if name in used), "t")]
        return [f"x{k}" for k in range(features)]


def _variables(X: Array) -> Any:
    return X[:, 0] if X.shape[1] == 1 else X.T


def _count(model: Any) -> int | None:
    """Return the number of parameters; None if it is unknown."""
    names = getattr(model, "parameter_names", None)
    if names is not None:
        return len(names)
    parameters = list(inspect.signature(model).parameters.values())
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return None if any(p.kind in several for p in parameters) else len(parameters) - 1
