"""The NIST StRD problems: figures, models and derivatives against NIST's certified values."""

import dataclasses
import doctest
import os
import subprocess
import sys
from decimal import Decimal, localcontext

import numpy as np
import pytest
from case_tables import each

from lmoo.datasets import NistDataset, _nist, nist, nist_names

# Level, observations and parameters as the headers of NIST's files state them.
FACTS = {
    "Chwirut1": ("lower", 214, 3),
    "Chwirut2": ("lower", 54, 3),
    "DanWood": ("lower", 6, 2),
    "Gauss1": ("lower", 250, 8),
    "Gauss2": ("lower", 250, 8),
    "Lanczos3": ("lower", 24, 6),
    "Misra1a": ("lower", 14, 2),
    "Misra1b": ("lower", 14, 2),
    "ENSO": ("average", 168, 9),
    "Gauss3": ("average", 250, 8),
    "Hahn1": ("average", 236, 7),
    "Kirby2": ("average", 151, 5),
    "Lanczos1": ("average", 24, 6),
    "Lanczos2": ("average", 24, 6),
    "MGH17": ("average", 33, 5),
    "Misra1c": ("average", 14, 2),
    "Misra1d": ("average", 14, 2),
    "Nelson": ("average", 128, 3),
    "Roszman1": ("average", 25, 4),
    "Bennett5": ("higher", 154, 3),
    "BoxBOD": ("higher", 6, 2),
    "Eckerle4": ("higher", 35, 3),
    "MGH09": ("higher", 11, 4),
    "MGH10": ("higher", 16, 3),
    "Rat42": ("higher", 9, 3),
    "Rat43": ("higher", 15, 4),
    "Thurber": ("higher", 37, 7),
}


EVERY_PROBLEM = each("problem", map(nist, FACTS), ids=FACTS)


def special_points(problem: NistDataset) -> list[np.ndarray]:
    return [*problem.starts, problem.certified]


def complex_step_jacobian(problem: NistDataset, b: np.ndarray) -> np.ndarray:
    # No subtraction takes place, so the step may be so small that it costs no accuracy.
    step = 1e-100
    directions = 1j * step * np.eye(b.size)
    return np.stack([problem.residual(b + d).imag / step for d in directions], axis=1)


# --- the table -----------------------------------------------------------------------------


def test_names_are_ordered_by_difficulty_then_name():
    assert nist_names() == tuple(FACTS)


@EVERY_PROBLEM
def test_size_and_level(problem):
    level, m, p = FACTS[problem.name]
    assert problem.difficulty == level
    assert problem.y.shape == problem.response.shape == (m,)
    assert problem.x.shape == ((m, 2) if problem.name == "Nelson" else (m,))
    assert problem.starts.shape == (2, p)
    assert problem.certified.shape == problem.standard_errors.shape == (p,)
    assert problem.parameter_names == tuple(f"b{k + 1}" for k in range(p))


@EVERY_PROBLEM
def test_degrees_of_freedom_agree_with_the_certified_spread(problem):
    _, m, p = FACTS[problem.name]
    assert problem.degrees_of_freedom == m - p
    # The certified figures themselves tell which degrees of freedom are meant: this is what
    # shows the 9 in Rat43's file to be a slip for 11.
    deviation = np.sqrt(problem.residual_sum_of_squares / problem.degrees_of_freedom)
    assert deviation == pytest.approx(problem.residual_standard_deviation, rel=1e-10, abs=0)


@EVERY_PROBLEM
def test_arrays_are_float64_and_read_only(problem):
    arrays = [
        problem.x,
        problem.y,
        problem.response,
        problem.starts,
        problem.certified,
        problem.standard_errors,
    ]
    for array in arrays:
        assert array.dtype == np.float64
        assert np.isfinite(array).all()
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0


@EVERY_PROBLEM
def test_text_is_one_line_each(problem):
    for text in (problem.description, problem.formula):
        assert text
        assert "\n" not in text
    assert problem.name in repr(problem)


def test_starts_as_nist_gives_them():
    assert nist("MGH10").starts.tolist() == [[2, 400000, 25000], [0.02, 4000, 250]]
    assert nist("Nelson").starts.tolist() == [[2, 0.0001, -0.01], [2.5, 0.000000005, -0.05]]
    assert nist("Rat43").starts.tolist() == [[100, 10, 1, 1], [700, 5, 0.75, 1.3]]


@EVERY_PROBLEM
def test_only_nelson_is_fitted_to_the_logarithm(problem):
    if problem.name == "Nelson":
        assert problem.formula.startswith("log(y) = ")
        np.testing.assert_array_equal(problem.response, np.log(problem.y))
    else:
        assert problem.formula.startswith("y = ")
        assert problem.response is problem.y


# --- models --------------------------------------------------------------------------------


@EVERY_PROBLEM
def test_model_is_the_formula(problem):
    names = {f: getattr(np, f) for f in ("exp", "sin", "cos", "arctan", "pi")}
    names |= {"x1": problem.x[:, 0], "x2": problem.x[:, 1]} if problem.x.ndim == 2 else {}
    for b in special_points(problem):
        values = names | {"x": problem.x} | dict(zip(problem.parameter_names, b, strict=True))
        with np.errstate(all="ignore"):
            expected = eval(problem.formula.split(" = ")[1], values)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(problem.model(b), expected, rtol=1e-12, atol=1e-13 * scale)


# Lanczos1 has its own test below: there the rounding of the parameters outweighs it.
@pytest.mark.parametrize("name", [n for n in FACTS if n != "Lanczos1"])
def test_residual_sum_of_squares(name):
    problem = nist(name)
    r = problem.residual(problem.certified)
    # The certified parameters are rounded to 11 digits and the model to 16. To first order
    # neither matters at a minimum; what is left is largest for Lanczos2, whose sum of squares
    # of 2e-11 may change by 6e-10 of itself by the one and by 3e-10 by the other.
    # abs=0: the default of 1e-12 would accept anything for it.
    assert r @ r == pytest.approx(problem.residual_sum_of_squares, rel=1e-9, abs=0)


def lanczos1_residual_in_40_digits(problem: NistDataset) -> np.ndarray:
    # repr gives back the decimal figures of nist.json, which have at most 13 digits.
    arrays = (problem.x, problem.y, problem.certified)
    x, y, b = ([Decimal(repr(v)) for v in array.tolist()] for array in arrays)
    terms = list(zip(b[::2], b[1::2], strict=True))
    with localcontext(prec=40):
        model = [sum(height * (-rate * t).exp() for height, rate in terms) for t in x]
        return np.array([float(f - v) for f, v in zip(model, y, strict=True)])


def test_residual_sum_of_squares_of_lanczos1():
    problem = nist("Lanczos1")
    r, J = problem.residual(problem.certified), problem.jacobian(problem.certified)
    # Residuals of 9e-14: moving every parameter by half a unit of its 11th digit changes the
    # model by up to 3e-11, and the sum of squares from 1.4e-25 to as much as 1e-20.
    half_digit = 0.5 * 10.0 ** (np.floor(np.log10(np.abs(problem.certified))) - 10)
    moved = np.abs(J) @ half_digit
    assert r @ r <= problem.residual_sum_of_squares + moved @ moved
    # In 16 digits, the residuals themselves have two or three.
    exact = lanczos1_residual_in_40_digits(problem)
    np.testing.assert_allclose(r, exact, rtol=0, atol=2e-15)
    # What no move of the parameters can reach is free of their rounding, and is what NIST gives.
    Q, _ = np.linalg.qr(J)
    unreachable = exact - Q @ (Q.T @ exact)
    rss = unreachable @ unreachable
    # abs=0: the default of 1e-12 would accept anything here.
    assert rss == pytest.approx(problem.residual_sum_of_squares, rel=1e-9, abs=0)


@EVERY_PROBLEM
def test_standard_errors(problem):
    J = problem.jacobian(problem.certified)
    # Columns of unit length: what is left of the condition number (up to 6e4, Bennett5) is the
    # problem's own. The certified standard deviation is used, so that Lanczos1 needs no exception.
    length = np.linalg.norm(J, axis=0)
    R = np.linalg.qr(J / length, mode="r")
    errors = problem.residual_standard_deviation * np.linalg.norm(np.linalg.inv(R), axis=1) / length
    np.testing.assert_allclose(errors, problem.standard_errors, rtol=2e-9)


@EVERY_PROBLEM
def test_jacobian_against_complex_step(problem):
    for b in special_points(problem):
        J, expected = problem.jacobian(b), complex_step_jacobian(problem, b)
        assert np.isfinite(J).all()
        # By column, as an element may itself be a difference of terms of the column's size.
        assert (np.abs(J - expected) <= 1e-12 * np.abs(expected).max(axis=0)).all()


@EVERY_PROBLEM
def test_residual_is_model_less_response(problem):
    b = problem.starts[1]
    np.testing.assert_array_equal(problem.residual(b), problem.model(b) - problem.response)


@EVERY_PROBLEM
def test_shapes_and_dtypes_of_results(problem):
    b, m = problem.starts[0], problem.y.size
    for method in (problem.model, problem.residual):
        assert method(b).shape == method(b + 0j).shape == (m,)
        assert method(b).dtype == np.float64
        assert method(b + 0j).dtype == np.complex128
        atol = 1e-12 * np.abs(problem.response).max()
        np.testing.assert_allclose(method(b + 0j).real, method(b), rtol=1e-12, atol=atol)
    J = problem.jacobian(b)
    assert J.shape == (m, b.size)
    assert J.dtype == np.float64
    assert J.flags.c_contiguous


@EVERY_PROBLEM
def test_results_belong_to_the_caller(problem):
    b = problem.certified
    for method in (problem.model, problem.residual, problem.jacobian):
        before = method(b).copy()
        method(b)[...] = 0.0
        np.testing.assert_array_equal(method(b), before)


@each("value", [0.0, -1.0, 1e-300, 1e300, -1e300, np.inf, -np.inf, np.nan])
@EVERY_PROBLEM
def test_far_away_gives_no_warning(problem, value):
    # Warnings are errors here, so evaluating is the test.
    b = np.full(problem.certified.shape, value)
    assert problem.model(b).shape == problem.residual(b).shape == problem.y.shape
    assert problem.residual(b + 0j).shape == problem.y.shape
    assert problem.jacobian(b).shape == (problem.y.size, b.size)


@EVERY_PROBLEM
def test_caller_error_state_does_not_matter(problem):
    far = np.full(problem.certified.shape, 1e300)
    expected = problem.residual(far), problem.jacobian(far)
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(problem.residual(far), expected[0])
        np.testing.assert_array_equal(problem.jacobian(far), expected[1])


def test_bennett5_is_undefined_for_a_negative_base():
    problem = nist("Bennett5")
    b = np.array([-2000.0, -9.0, 0.8])
    inside = problem.x > 9.0
    assert inside.any()
    assert not inside.all()
    np.testing.assert_array_equal(np.isfinite(problem.model(b)), inside)
    np.testing.assert_array_equal(np.isfinite(problem.jacobian(b)).all(axis=1), inside)


@pytest.mark.parametrize("name", ["Rat42", "Rat43"])
def test_jacobian_of_a_sigmoid_survives_overflow_of_its_exponential(name):
    problem = nist(name)
    b = problem.certified.copy()
    b[1] = 2000.0
    assert not problem.model(b).any()
    assert not problem.jacobian(b).any()


def test_integers_and_sequences_are_taken_as_parameters():
    problem = nist("BoxBOD")
    expected = problem.model(problem.starts[0])
    np.testing.assert_array_equal(problem.model([1, 1]), expected)
    np.testing.assert_array_equal(problem.model(np.array([1, 1], dtype=np.int8)), expected)


# --- looking up, and bad input -------------------------------------------------------------


def test_case_does_not_matter():
    assert nist("misra1A") is nist("Misra1a") is nist("MISRA1A")


@pytest.mark.parametrize("name", ["Misra1e", "", "Misra1a ", None, 3])
def test_unknown_name(name):
    with pytest.raises(ValueError, match=r"^name must be one of Chwirut1, .*, Thurber; got ") as e:
        nist(name)
    assert str(e.value).endswith(repr(name))


@pytest.mark.parametrize("method", ["model", "residual", "jacobian"])
@pytest.mark.parametrize("b", [[], [1.0], [1.0, 2.0, 3.0], [[1.0, 2.0]], 1.0])
def test_wrong_shape_of_parameters(method, b):
    with pytest.raises(ValueError, match=r"^b must have shape \(2,\).*Misra1a; got shape \("):
        getattr(nist("Misra1a"), method)(np.array(b))


def test_jacobian_refuses_complex_parameters():
    problem = nist("Misra1a")
    with pytest.raises(ValueError, match=r"^b must be real .* got dtype complex128"):
        problem.jacobian(problem.certified + 0j)


def test_immutable():
    problem = nist("Misra1a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.name = "Misra1b"
    assert problem != nist("Misra1b")
    assert len({problem, nist("misra1a")}) == 1


def test_import_does_not_read_the_figures():
    code = "from lmoo.datasets import _nist; print(_nist._records.cache_info().currsize)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "0"


def test_examples_in_the_documentation():
    result = doctest.testmod(_nist)
    assert result.attempted > 0
    assert result.failed == 0
