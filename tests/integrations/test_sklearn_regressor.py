"""`CurveRegressor` is an estimator of scikit-learn."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")

from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import MaxAbsScaler  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

import lmoo  # noqa: E402
from lmoo.integrations.sklearn import CurveRegressor  # noqa: E402

RNG = np.random.default_rng(5)
T = np.linspace(0.0, 4.0, 40)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + RNG.normal(0, 0.01, 40)


def model(t: Any, a: float, b: float, c: float) -> Any:
    return a * np.exp(-b * t) + c


def test_the_checks_of_scikit_learn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(CurveRegressor())
    assert {found["status"] for found in results} <= {"passed", "skipped"}
    assert len(results) > 30


@pytest.mark.parametrize("given", ["a*exp(-b*t) + c", "a*exp(-b*x0) + c", model])
def test_it_is_the_fit_of_lmoo(given: Any) -> None:
    curve = CurveRegressor(given).fit(T[:, None], Y)
    result = lmoo.fit("a*exp(-b*t) + c", T, Y)
    np.testing.assert_allclose(curve.params_, result.x, rtol=1e-6)
    np.testing.assert_allclose(curve.stderr_, result.stderr, rtol=1e-4)
    assert curve.parameter_names_ == ("a", "b", "c")
    np.testing.assert_allclose(curve.predict(T[:3, None]), model(T[:3], *curve.params_))
    assert curve.converged_


def test_several_features_by_name() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"time": T, "dose": RNG.uniform(1, 2, 40)})
    y = 3.0 * frame["dose"] * np.exp(-0.7 * frame["time"])
    curve = CurveRegressor("k*dose*exp(-r*time)").fit(frame, y)
    assert curve.params_ == pytest.approx([3.0, 0.7])
    by_number = CurveRegressor("k*x1*exp(-r*x0)").fit(frame.to_numpy(), y)
    assert by_number.params_ == pytest.approx([3.0, 0.7])
    function = CurveRegressor(lambda x, k, r: k * x[1] * np.exp(-r * x[0]), p0=[1, 1])
    assert function.fit(frame, y).params_ == pytest.approx([3.0, 0.7])


def test_weights_bounds_losses() -> None:
    X = T[:, None]
    y = Y.copy()
    y[10] += 3.0
    weight = np.ones(40)
    weight[10] = 0.0
    plain = CurveRegressor(model).fit(np.delete(X, 10, 0), np.delete(Y, 10)).params_
    assert CurveRegressor(model).fit(X, y, weight).params_ == pytest.approx(plain)
    robust = CurveRegressor(model, loss="huber", f_scale="mad").fit(X, y).params_
    assert robust == pytest.approx(plain, abs=0.05)
    bounded = CurveRegressor(model, bounds={"b": (0, 1)}, fixed={"c": 0.4}).fit(X, Y)
    assert bounded.params_[1:].tolist() == [1.0, 0.4]


def test_in_pipelines_and_searches() -> None:
    X = T[:, None]
    order = RNG.permutation(40)
    pipeline = make_pipeline(MaxAbsScaler(), CurveRegressor("a*exp(-b*t) + c"))
    assert cross_val_score(pipeline, X[order], Y[order], cv=4).min() > 0.99
    models = ["a + b*t", "a*exp(-b*t) + c"]
    search = GridSearchCV(CurveRegressor(), {"model": models}, cv=4).fit(X[order], Y[order])
    assert search.best_params_ == {"model": models[1]}


def test_pickles() -> None:
    curve = CurveRegressor("a*exp(-b*t) + c").fit(T[:, None], Y)
    again = pickle.loads(pickle.dumps(curve))
    assert np.array_equal(again.predict(T[:, None]), curve.predict(T[:, None]))


def test_no_minimum_is_a_warning() -> None:
    def flat(t: Any, a: float) -> Any:
        return 0 * t + 0 * a

    with pytest.warns(ConvergenceWarning, match="no minimum was found"):
        curve = CurveRegressor(flat, p0=[1.0]).fit(T[:, None], Y)
    assert not curve.converged_


def test_too_few_samples() -> None:
    with pytest.raises(ValueError, match=r"3 parameters and needs as many samples; n_samples=2"):
        CurveRegressor(model).fit(T[:2, None], Y[:2])
