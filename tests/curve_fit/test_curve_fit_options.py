"""`curve_fit`: jac, tolerances, limits and the keywords of scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from curve_fit_cases import COVARIANCE, SIGMA, T, Y, check, decay, slopes
from ids import stable

import lmoo
from lmoo import curve_fit
from lmoo.scipy_api.options import curve_solver

# ---------------------------------------------------------------------------------- derivatives


@pytest.mark.parametrize("jac", [slopes, "2-point", "3-point", "cs", None])
@pytest.mark.parametrize("method", [None, "lm", "trf", "dogbox"])
def test_derivatives(jac: Any, method: Any) -> None:
    check(curve_fit(decay, T, Y, jac=jac, method=method))


@pytest.mark.parametrize("sigma", [None, 0.1, SIGMA, COVARIANCE], ids=["none", "1", "1-D", "2-D"])
def test_jac_is_divided_by_sigma(sigma: Any) -> None:
    one = curve_fit(decay, T, Y, sigma=sigma, jac=slopes)
    two = curve_fit(decay, T, Y, sigma=sigma)
    np.testing.assert_allclose(one[0], two[0], rtol=1e-8)
    np.testing.assert_allclose(one[1], two[1], rtol=1e-5)


def test_jac_gets_the_points_and_the_parameters() -> None:
    calls: list[Any] = []

    def watched(t: Any, a: float, b: float, c: float) -> Any:
        calls.append((t, a, b, c))
        return slopes(t, a, b, c)

    *_, infodict, _, _ = curve_fit(decay, list(T), Y, jac=watched, full_output=True)
    assert infodict["njev"] == len(calls)
    np.testing.assert_array_equal(calls[0][0], T)
    assert calls[0][1:] == (1.0, 1.0, 1.0)


def test_jac_may_return_a_list() -> None:
    check(curve_fit(decay, T, Y, jac=lambda t, *p: slopes(t, *p).tolist()))


# --------------------------------------------------------------------------------------- options


def solver(**options: Any) -> lmoo.Solver:
    jac = options.pop("jac", None)
    return curve_solver(3, None, jac, callable(jac), options)


def test_without_options_it_is_the_solver() -> None:
    assert solver() == lmoo.Solver(jacobian=lmoo.ForwardDifference())
    assert solver(jac=slopes) == lmoo.Solver()
    assert solver() is solver()


def test_options_reach_the_solver() -> None:
    found = solver(ftol=1e-3, xtol=1e-4, gtol=1e-5, maxfev=77, factor=5, diag=[1, 2, 3])
    assert (found.ftol, found.xtol, found.gtol) == (1e-3, 1e-4, 1e-5)
    assert (found.maxfev, found.factor, found.diag) == (77, 5, (1.0, 2.0, 3.0))
    assert solver(x_scale=[1, 2, 4]).diag == (1.0, 0.5, 0.25)
    assert solver(x_scale=2).diag == (0.5, 0.5, 0.5)
    assert solver(x_scale="jac").diag is None
    assert solver(max_nfev=12).maxfev == 12
    assert solver(ftol=None, xtol=None).ftol == 0.0


def test_options_of_the_differences() -> None:
    def step(**options: Any) -> Any:
        return solver(**options).jacobian

    assert step(epsfcn=1e-6) == lmoo.ForwardDifference(1e-6)
    assert step(epsfcn=0.0) == lmoo.ForwardDifference(2.0**-52)
    assert step(jac="3-point", epsfcn=1e-6) == lmoo.CentralDifference(1e-6)
    assert step(jac="3-point") == lmoo.CentralDifference()
    assert step(jac="cs") == lmoo.ComplexStep()
    assert step(diff_step=1e-3).epsfcn == pytest.approx(1e-6)
    assert step(jac="3-point", diff_step=1e-3).epsfcn == pytest.approx(1e-9)
    assert step(jac=slopes, epsfcn=1e-6) is None


def test_forward_differences_are_enough_for_coarse_tolerances() -> None:
    assert not solver(ftol=1e-8, xtol=1e-8).jacobian.refine
    assert solver(ftol=1e-8).jacobian.refine
    assert solver(ftol=1e-8, xtol=1e-12).jacobian.refine
    assert solver(ftol=None, xtol=1e-8).jacobian.refine


@pytest.mark.parametrize("options", [{"ftol": 1e-6, "xtol": 1e-6}, {"gtol": 1e-5}, {"xtol": 1e-3}])
def test_given_tolerances_stop_sooner(options: Any) -> None:
    exact = curve_fit(decay, T, Y, full_output=True, trace=False)
    soon = curve_fit(decay, T, Y, full_output=True, trace=False, **options)
    traced = curve_fit(decay, T, Y, full_output=True, **options)
    assert traced[2]["nfev"] < soon[2]["nfev"]
    assert soon[2]["nfev"] < exact[2]["nfev"]
    np.testing.assert_allclose(soon[0], exact[0], rtol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "linear"},
        {"verbose": 0},
        {"f_scale": 2.0},
        {"tr_solver": None},
        {"tr_options": {}},
        {"col_deriv": False},
        {"x_scale": "jac"},
        {"factor": 100},
        {"diag": np.array([1.0, 2.0, 3.0])},
        {"epsfcn": 1e-15},
    ],
    ids=stable,
)
def test_options_that_change_nothing_in_the_result(options: Any) -> None:
    check(curve_fit(decay, T, Y, **options))


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"foo": 1}, TypeError, r"^curve_fit\(\) got an unexpected keyword argument 'foo'$"),
        ({"Dfun": slopes}, TypeError, r"unexpected keyword argument 'Dfun'$"),
        ({"args": (1,)}, ValueError, r"^'args' is not a supported keyword argument"),
        ({"kwargs": {}}, ValueError, r"^'kwargs' is not a supported keyword argument"),
        ({"loss": "soft_l2"}, ValueError, r"^loss must be one of 'linear', .*; it is 'soft_l2'"),
        ({"loss": 2}, TypeError, r"^loss must be a name, a Loss or a callable"),
        ({"loss": "huber", "f_scale": 0.0}, ValueError, r"^f_scale must be positive"),
        ({"verbose": 2}, ValueError, r"^verbose must be 0; it is 2"),
        ({"col_deriv": True}, ValueError, r"^col_deriv must be False"),
        ({"tr_solver": "lsmr"}, ValueError, r"^tr_solver must be None"),
        ({"jac_sparsity": 1}, ValueError, r"^jac_sparsity must be None"),
        ({"callback": print}, ValueError, r"^callback must be None"),
        ({"workers": 2}, ValueError, r"^workers must be None"),
        ({"maxfev": 9, "max_nfev": 9}, TypeError, r"^curve_fit\(\) takes one of maxfev and max_nf"),
        ({"diag": [1, 1, 1], "x_scale": 1}, TypeError, r"takes one of diag and x_scale"),
        ({"epsfcn": 1e-9, "diff_step": 1e-3}, TypeError, r"takes one of epsfcn and diff_step"),
        ({"maxfev": 1.5}, TypeError, r"^maxfev must be an integer"),
        ({"max_nfev": 0}, ValueError, r"^maxfev must be at least 1"),
        ({"ftol": -1.0}, ValueError, r"^ftol must not be negative"),
        ({"xtol": "small"}, TypeError, r"^xtol must be a real number"),
        ({"factor": 0.0}, ValueError, r"^factor must be positive"),
        ({"diag": [1, 1]}, ValueError, r"^diag must have one entry per parameter, 3"),
        ({"x_scale": [1, 0, 1]}, ValueError, r"^x_scale must be positive"),
        ({"x_scale": [1, 1]}, ValueError, r"^x_scale must be a number or have one entry per para"),
        ({"x_scale": {"a": 1}}, ValueError, r"^x_scale must have a value for each parameter"),
        ({"x_scale": {"z": 1}}, ValueError, r"^x_scale must have names of"),
        ({"x_scale": "big"}, TypeError, r"^x_scale must be real numbers"),
        ({"diff_step": [1e-3] * 3}, TypeError, r"^diff_step must be a real number"),
        ({"diff_step": 2.0}, ValueError, r"^diff_step must be between"),
        ({"epsfcn": 2.0}, ValueError, r"^epsfcn must be between 0 and 1"),
    ],
    ids=stable,
)
def test_options_that_are_refused(options: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        curve_fit(decay, T, Y, **options)


@pytest.mark.parametrize("value", [np.eye(3), np.zeros(1), [[1.0], [2.0, 3.0]]], ids=stable)
def test_a_pattern_of_the_jacobian_is_refused_by_name(value: Any) -> None:
    t = np.linspace(0.0, 4.0, 20)
    with pytest.raises(ValueError, match=r"^jac_sparsity must be None; it is "):
        curve_fit(decay, t, decay(t, 2.5, 1.3, 0.5), jac_sparsity=value)
