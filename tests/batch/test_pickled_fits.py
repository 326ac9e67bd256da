"""Fits are pickled, without functions and data that cannot be."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from many_cases import P0, Array, T, curves, decay

import lmoo

FIELDS = ("x", "stderr", "cost", "status", "nit", "chi_square", "reduced_chi_square", "covariance")


def ones(t: Array, y: Array) -> Array:
    return np.ones((len(y), 3))


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "loss": {"solver": lmoo.Solver(loss="huber", f_scale=0.1)},
    "separable": {"solver": lmoo.Solver(separable="auto")},
    "bounds": {"bounds": {"a": (0.0, 10.0)}, "p0": lambda t, y: ones(t, y)},
    "function of p0": {"p0": ones},
    "derived": {"derived": {"tau": "1/b"}},
    "priors": {"priors": {"b": (0.8, 0.1)}, "p0": lambda t, y: ones(t, y)},
    "shared": {"shared": ["b"]},
    "shared and related": {
        "shared": ["b"], "derived": {"tau": "1/b"}, "priors": {"b": (0.8, 0.1)},
    },
}  # fmt: skip


def fitted(f: Any, **options: Any) -> Any:
    return lmoo.curve_fit_many(f, T, curves(6), **{"p0": P0, **options})


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def assert_same(again: Any, fits: Any) -> None:
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(again, name), getattr(fits, name))
    assert type(again) is type(fits)
    assert repr(again) == repr(fits)
    assert again._repr_html_() == fits._repr_html_()
    assert again.evaluation == fits.evaluation
    assert again.parameter_names == fits.parameter_names
    for name in fits.derived_names:
        np.testing.assert_array_equal(again[name].stderr, fits[name].stderr)


@pytest.mark.parametrize("trace", ["auto", False])
@pytest.mark.parametrize("name", OPTIONS)
def test_fits_of_a_lambda_are_pickled(
    name: str, trace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All maps are drawn in the same way; each takes a tenth of a second.
    monkeypatch.setattr("lmoo.batch.page._MAPS", 1)
    fits = fitted(lambda t, a, b, c: decay(t, a, b, c), trace=trace, **OPTIONS[name])
    again = pickled(pickled(fits))
    assert_same(again, fits)
    again.to_html(tmp_path / "page.html")
    if trace is False and not hasattr(fits, "shared"):
        with pytest.raises(ValueError, match="need the model, which could not be pickled"):
            again[2]
        return
    one, expected = again[2], pickled(fits[2])
    assert one.problem is None
    np.testing.assert_array_equal(one.x, expected.x)
    np.testing.assert_allclose(one.standard_errors, expected.standard_errors, rtol=1e-12)
    np.testing.assert_allclose(one.residual, expected.residual, rtol=0, atol=1e-14)
    if one.related is None and not hasattr(fits, "shared"):
        assert "function(t, a, b, c)" in one.report()


@pytest.mark.parametrize("trace", ["auto", False])
@pytest.mark.parametrize("name", OPTIONS)
def test_fits_of_a_function_keep_it(name: str, trace: Any) -> None:
    fits = fitted(decay, trace=trace, **OPTIONS[name])
    again = pickled(fits)
    assert_same(again, fits)
    one, expected = again[2], fits[2]
    assert one.problem is not None
    np.testing.assert_array_equal(one.residual, expected.residual)
    assert one.report() == expected.report()


@pytest.mark.parametrize("name", OPTIONS)
def test_copies_share_the_function(name: str) -> None:
    fits = fitted(lambda t, a, b, c: decay(t, a, b, c), **OPTIONS[name])
    for twin in (copy.copy(fits), copy.deepcopy(fits)):
        assert_same(twin, fits)
        assert twin[1].problem is not None
        np.testing.assert_array_equal(twin[1].x, fits[1].x)


def test_exceptions_that_cannot_be_pickled_become_texts() -> None:
    class RefusedError(Exception):
        pass

    def picky(t: Array, a: Any, b: Any, c: Any) -> Any:
        if a == 1.5:
            raise RefusedError("a")
        if a == 1.25:
            raise KeyError("b")
        return decay(t, a, b, c)

    p0 = np.tile(P0, (6, 1))
    p0[[1, 3], 0] = 1.5, 1.25
    fits = fitted(picky, p0=p0, errors="record", vectorized=False)
    errors = pickled(fits).errors
    assert repr(errors[1]) == repr(lmoo.EvaluationError("RefusedError('a')"))
    assert repr(errors[3]) == repr(KeyError("b"))
    assert copy.copy(fits).errors[1] is fits.errors[1]


@pytest.mark.parametrize("name", ["plain", "derived", "priors", "shared"])
def test_data_of_a_file_are_left_out(name: str) -> None:
    class File:
        y = curves(6)
        shape, dtype = y.shape, y.dtype

        def __getitem__(self, index: Any) -> Any:
            return self.y[index]

    options: dict[str, Any] = {"p0": P0, **OPTIONS[name]}
    fits = lmoo.curve_fit_many(decay, T, File(), **options)
    again = pickled(fits)
    assert_same(again, fits)
    if name == "shared":
        assert again[2].problem is None
    else:
        with pytest.raises(ValueError, match="need the data, which could not be pickled"):
            again[2]


def test_many_problems_of_a_local_class() -> None:
    y = curves(4)

    class Decays(lmoo.BatchProblem):
        def residual(self, x: Array, which: Any) -> Array:
            return np.asarray(decay(T, *x.T[:, :, None]) - y[which])

    fits = lmoo.solve_many(Decays(), np.ones((4, 3)))
    again = pickled(fits)
    assert_same(again, fits)
    with pytest.raises(ValueError, match="need the model"):
        again[0]
