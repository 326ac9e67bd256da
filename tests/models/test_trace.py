"""`trace`: what can be traced, what cannot and with which message, and residual functions."""

from __future__ import annotations

import cmath
import functools
import math
import pickle
import threading
import time
from typing import Any

import numpy as np
import pytest
import scipy.special
from numpy import exp, sqrt
from scipy.special import erf, voigt_profile, wofz

import lmoo
from lmoo import TraceError
from lmoo.models import Model

T = np.linspace(0.1, 3.0, 13)
SCALE, WEIGHTS, TABLE, COUNT = 2.5, [1.0, 2.0], np.array([0.5, 1.5]), {"calls": 0}

# ============================================================================ what can be traced


def default(t, a, b=0.5):
    return a * exp(-b * t) + SCALE


def branches_of_constants(t, a, b, kind="exp"):
    if kind == "exp":
        return a * np.exp(-b * t)
    return a * t + b


def by_masks(t, a, b):
    y = np.zeros_like(t)
    early = t < 1.0
    y[early] = a * t[early]
    y[~early] = a + b * (t[~early] - 1.0)
    y[early & (t > 0.5)] += b
    return y


def by_pieces(t, a, b):
    return np.piecewise(t, [t < 1.0, t >= 2.0], [lambda u: a * u, b, lambda u: a + b * u])


def by_pieces_that_overlap(t, a, b):
    return np.piecewise(t, [t < 2.0, t < 1.0], [a, lambda u: b * u])


def by_select(t, a, b):
    return np.select([t < 1.0, t < 2.0], [a * t, b], default=a - b)


def in_place(t, a, b):
    y = a * t
    z = y
    y += b
    y *= 2.0
    y -= t
    y /= 3.0
    y **= 2
    return y + z


def resonance(w, a, q, w0):
    z = a / (1.0 - (w / w0) ** 2 + 1j * w / (w0 * q))
    return np.abs(z) + z.real + np.imag(z) + np.angle(z) + (z * z.conj()).real


def complex_functions(t, a, b):
    z = a * t + 1j * b
    parts = [np.exp(z), np.log(z), np.sqrt(z), np.sin(z), np.cos(z), np.tanh(z), np.tan(z)]
    parts += [np.sinh(z), np.cosh(z), z**3, z**-2, z**0.5, 1 / z, z / (1 + z), np.square(z)]
    return sum(p.real * (k + 1) + p.imag for k, p in enumerate(parts))


def voigt(t, a, center, sigma, gamma):
    z = (t - center + 1j * gamma) / (sigma * sqrt(2))
    return a * wofz(z).real + voigt_profile(t - center, sigma, gamma) + wofz(z).imag


def specials(t, a, b):
    s = scipy.special
    return (
        erf(a * t) + s.erfc(b * t) + s.gamma(a + t) + s.gammaln(b + t) + s.j0(a * t) + s.j1(b * t)
        + s.expit(a - t) + s.i0(a * t) + s.i1(t) + s.psi(a + t) + s.erfcx(b * t) + s.ndtr(t - a)
        + s.expm1(-t * b) + s.exp10(b * t)
    )  # fmt: skip


def ufuncs(t, a, b):
    return (
        np.hypot(a, t) + np.arctan2(t, a) + np.maximum(a * t, b) + np.fmin(t, b) + np.clip(t, b, a)
        + np.sign(t - b) + np.floor(a * t) + np.mod(t, b) + t % b + t // b
        + np.heaviside(t - 1, 0.5)
        + np.logaddexp(a * t, b) + np.deg2rad(t) + np.sinc(t * b) + np.cbrt(t) + np.log1p(t * a)
        + np.square(t) + np.reciprocal(t) + np.power(t, b) + np.float_power(t, 2) + np.abs(t - a)
        + np.fabs(t - b) + np.copysign(a, t - 1) + np.where((t > 1) & (t < 2) | (t == 3), a, b)
        + np.where(np.isfinite(t) & ~np.isnan(t), 1, 0) + np.i0(t) + abs(b - t) + (t > 1) * a
        + np.logical_or(t < 1, t > 2) + (1 - (t < a)) + t.clip(0.5, 2) + np.rint(a * t) + round(b)
    )  # fmt: skip


def with_lists(t, a, b, c):
    total = []
    for factor, shift in zip([a, b, c], [*WEIGHTS, 0.5], strict=True):
        total.append(factor * np.exp(-((t - shift) ** 2)))
    powers = np.array([a, b, c])
    return sum(total) + powers[::-1][0] + powers.sum() + np.dot(powers, [1, 2, 3]) + powers.prod()


def with_tables(t, a, b):
    return np.polyval([a, b, 1.0], t) + TABLE[1] * a + (TABLE * b)[0] + sum(TABLE * a)


def with_shapes(t, a, b):
    y = np.full_like(np.asarray(t), a) + b * np.ones_like(t) + np.zeros_like(t)
    return np.ravel(y).astype(float) + t.copy() + np.atleast_1d(t) + t[:] * b + t.T


def with_silence(t, a, b):
    with np.errstate(all="ignore"):
        return np.log(a * t) * b


def with_helpers(t, a, b):
    def inner(u, k=2.0):
        return k * default(u, a, b)

    return inner(t) + (lambda u: u * b)(t) + helper(t)


def helper(t):
    return np.sqrt(t) / math.sqrt(SCALE) + math.pi


def two_variables(point, a, b):
    u, v = point
    return a * u + b * v * point[0] + len(point)


class Instrument:
    def __init__(self, width):
        self.width = width

    def response(self, t, a):
        return a * np.exp(-t / self.width) + self.offset(t)

    def offset(self, t):
        return 0.1 * t

    @property
    def twice(self):
        return 2 * self.width

    def with_property(self, t, a):
        return a * t * self.twice

    def __call__(self, t, a):
        return self.response(t, a) * 2


def decorated(function):
    @functools.wraps(function)
    def wrapper(t, *p):
        return 2.0 * function(t, *p)

    return wrapper


def made(rate):
    return lambda t, a: a * np.exp(-rate * t)


FOLLOWED = [
    default, branches_of_constants, by_masks, by_pieces, by_pieces_that_overlap, by_select,
    in_place, resonance, complex_functions, voigt, specials, ufuncs, with_lists, with_tables,
    with_shapes,
    with_silence, with_helpers, Instrument(2.0).response, Instrument(2.0).with_property,
    Instrument(3.0), decorated(default), made(0.7),
    functools.partial(branches_of_constants, kind=""), functools.partial(default, b=2.0),
]  # fmt: skip


def name_of(f: Any) -> str:
    return getattr(f, "__name__", type(f).__name__)


def start(f: Any, n: int) -> tuple[float, ...]:
    return (1.3, 0.8, 0.6, 0.4)[:n]


@pytest.mark.parametrize("f", FOLLOWED, ids=name_of)
def test_a_model_computes_what_its_function_does(f: Any) -> None:
    if f is branches_of_constants or getattr(f, "keywords", {}).get("kind") == "":
        model = lmoo.trace(f, 2)
    else:
        model = lmoo.trace(f)
    x = start(f, len(model.parameter_names))
    expected = f(T.copy(), *[np.float64(p) for p in x])
    np.testing.assert_allclose(model(T, *x), np.broadcast_to(expected, T.shape), rtol=3e-12)
    assert pickle.loads(pickle.dumps(model)) == model
    # Derivatives, by differences with a step of Richardson's; not at corners.
    J = model.jacobian(T, *x)
    for j, h in enumerate(1e-4 * np.eye(len(x))):
        d = [(model(T, *(x + s * h)) - model(T, *(x - s * h))) / (2e-4 * s) for s in (1, 2)]
        expected = (4 * d[0] - d[1]) / 3
        ok = np.abs(d[0] - d[1]) < 1e-3 * (1 + np.abs(d[0]))
        assert ok.sum() >= 9
        np.testing.assert_allclose(J[ok, j], expected[ok], rtol=1e-6, atol=1e-6)


def test_several_variables() -> None:
    model = lmoo.trace(two_variables, variables=2)
    assert model.variables == ("point0", "point1")
    np.testing.assert_allclose(model((T, T**2), 2.0, 3.0), two_variables((T, T**2), 2.0, 3.0))
    assert lmoo.trace(two_variables, variables=("u", "v")).variables == ("u", "v")


def test_complex_models_are_pairs() -> None:
    def impedance(w, r, c, s):
        return r / (1 + 1j * w * r * c) + s * np.tanh(np.sqrt(1j * w)) / np.sqrt(1j * w)

    model = lmoo.trace(impedance)
    np.testing.assert_allclose(model(T, 2.0, 0.5, 0.3), impedance(T, 2.0, 0.5, 0.3), rtol=1e-13)
    assert isinstance(model.real, Model)
    assert model.jacobian(T, 2.0, 0.5, 0.3).shape == (T.size, 3)
    assert lmoo.trace(impedance, prefix="z_").parameter_names == ("z_r", "z_c", "z_s")
    assert model == lmoo.trace(impedance)
    assert len({model, lmoo.trace(impedance)}) == 1
    assert "tanh" not in repr(model)
    far = np.array([1e6, 1e-3])
    np.testing.assert_allclose(model(far, 2.0, 0.5, 0.3), impedance(far, 2.0, 0.5, 0.3), rtol=1e-12)


def test_names() -> None:
    model = lmoo.trace(default)
    assert (model.parameter_names, model.variables) == (("a", "b"), ("t",))
    assert lmoo.trace(default, 1).parameter_names == ("a",)
    assert lmoo.trace(lambda t, *p: p[0] * t + p[1], 2).parameter_names == ("x0", "x1")
    assert lmoo.trace(default, ("u", "v"), "x").variables == ("x",)
    assert lmoo.trace(Instrument(2.0).response).variables == ("t",)
    assert lmoo.trace(lambda a, t: a * t).parameter_names == ("t",)
    assert lmoo.trace(default, prefix="p_").parameter_names == ("p_a", "p_b")
    assert list(lmoo.trace(default, prefix="p_").components) == ["p"]
    assert list((lmoo.trace(default) + 1.0).components) == ["default", "1"]
    for arguments, match in {
        ((lambda t, *p: t,), "parameters must be given, their number or their names"),
        ((default, ("a", "a")), "parameters must differ from each other"),
        ((default, ("2",)), "parameters must be names; one is '2'"),
        ((default, -1), "parameters must be at least 0; it is -1"),
        ((default, None, 0), "variables must be at least 1; it is 0"),
        ((default, None, "a"), "'a' cannot be both a variable and a parameter"),
    }:
        with pytest.raises(ValueError, match=match):
            lmoo.trace(*arguments)
    with pytest.raises(TypeError, match="f must be callable; it is 3"):
        lmoo.trace(3)


def test_functions_of_lmoo_are_recorded() -> None:
    model = lmoo.trace(lambda t, a: a * lmoo.models.exp(-t) + lmoo.models.hypot(a, t))
    assert str(model) == "a*exp(-t) + hypot(a, t)"


# ============================================================================ what cannot


def branch(t, a):
    if a > 0:
        return a * t
    return t


def boolean(t, a):
    return a * t and t


def to_float(t, a):
    return math.exp(a) * t


def to_int(t, a):
    return a * t * int(a)


def repeated(t, a):
    return sum(a * t for _ in range(a))


def indexed(t, a):
    return a * (t - t[0])


def assigned(t, a):
    y = a * t
    y[0] = 0.0
    return y


def argument_changed(t, a):
    t -= a
    return t


def reduced(t, a):
    return a * t / np.max(t)


def reduced_by_method(t, a):
    return a * t / t.sum()


def reduced_by_ufunc(t, a):
    return a * np.add.accumulate(t)


def converted(t, a):
    return a * np.asarray(t, dtype=float)


def looped(t, a):
    return [a * u for u in t]


def interpolated(t, a):
    return a * np.interp(t, [0, 1], [2, 3])


def counted(t, a):
    return a * t / len(t)


def into_buffer(t, a):
    return np.multiply(a, t, out=BUFFER)


BUFFER = np.zeros(T.size)


def random(t, a):
    return a * t + np.random.normal(size=t.size)  # noqa: NPY002


def random_generator(t, a):
    return a * t + RNG.normal()


RNG = np.random.default_rng(1)


def timed(t, a):
    return a * t + time.time()


def printing(t, a):
    print(a)
    return a * t


def counting(t, a):
    COUNT["calls"] += 1
    return a * t


def global_state(t, a):
    global STATE
    STATE = a
    return a * t


STATE = None


def typed(t, a):
    return a * t if isinstance(t, np.ndarray) else a


def catching(t, a):
    try:
        return a * float(t)
    except TypeError:
        return a * t


def array_constant(t, a):
    return a * t * np.arange(3.0)


def constant_result(t, a):
    return np.ones(3)


def unknown_function(t, a):
    return scipy.special.kv(1, a * t)


def solved(t, a):
    import scipy.integrate

    return scipy.integrate.odeint(lambda y, s: -a * y, 1.0, t)[:, 0]


def caught_inside(t, a):
    return hidden(t, a)


@np.vectorize
def hidden(t, a):
    return a * t


def selected(t, a):
    return a * t[t > 1]


def default_list(t, a, seen=[]):  # noqa: B006
    seen.append(1)
    return a * t


def closure_state():
    calls = 0

    def f(t, a):
        nonlocal calls
        calls += 1
        return a * t

    return f


class Stateful:
    def __init__(self):
        self.calls = 0

    def f(self, t, a):
        self.calls += 1
        return a * t


def generator(t, a):
    yield a * t


REFUSED = [
    (branch, "a branch is taken by a value", "if a > 0:"),
    (boolean, "a branch is taken by a value", "return a * t and t"),
    (to_float, "a number is made .* of a value that is not known", "return math.exp(a) * t"),
    (to_int, "an integer is made of a value", "return a * t * int(a)"),
    (repeated, "an integer is made of a value", "return sum("),
    (indexed, "points are picked out by their places", "return a * (t - t[0])"),
    (assigned, "an array is changed at some points by their places", "y[0] = 0.0"),
    (argument_changed, "an argument of the function is changed in place", "t -= a"),
    (reduced, "np.max is not a function of single points", "return a * t / np.max(t)"),
    (reduced_by_method, r"\.sum\(\) joins points", "return a * t / t.sum()"),
    (reduced_by_ufunc, "np.add.accumulate joins points", "return a * np.add.accumulate(t)"),
    (converted, "an array of numbers is made of a value", "return a * np.asarray(t, dtype=float)"),
    (looped, "a loop over the points", "return [a * u for u in t]"),
    (interpolated, "np.interp is not a function of single points", "return a * np.interp"),
    (counted, "the number of points is not known", "return a * t / len(t)"),
    (into_buffer, r"a function of numpy writes into an array \(out=\)", "return np.multiply"),
    (random, "np.random.normal is used", "return a * t + np.random.normal(size=t.size)"),
    (random_generator, "RNG is used, and its effects are unknown", "return a * t + RNG"),
    (timed, "time.time is used, and its effects are unknown", "return a * t + time.time()"),
    (printing, r"print\(\) is called", "print(a)"),
    (counting, "an object is changed in place", 'COUNT["calls"] += 1'),
    (global_state, "the global variable STATE is set", "STATE = a"),
    (typed, r"isinstance\(\) is called", "return a * t if isinstance"),
    (catching, "an exception is caught", "except TypeError:"),
    (array_constant, r"shape \(3,\) is not a single number", "return a * t * np.arange"),
    (constant_result, "the function returns ndarray that does not depend", None),
    (unknown_function, "scipy.special.kv is not a function", "return scipy.special.kv"),
    (solved, "scipy.integrate is imported", "import scipy.integrate"),
    (caught_inside, "hidden is used, and its effects are unknown", "return hidden(t, a)"),
    (selected, "only the points that a condition selects", None),
    (default_list, r"append\(\) changes an object", "seen.append(1)"),
    (closure_state(), "the variable calls of the enclosing function is set", "calls += 1"),
    (Stateful().f, "the attribute calls of an object is set", "self.calls += 1"),
    (generator, "a generator or a coroutine cannot be traced", None),
    (threading.Lock().acquire, "has no code that could be read", None),
    (functools.lru_cache(default), "has no code that could be read", None),
]  # fmt: skip


@pytest.mark.parametrize(("f", "reason", "line"), REFUSED, ids=[name_of(f) for f, _, _ in REFUSED])
def test_refused_with_line_and_reason(f: Any, reason: str, line: str | None) -> None:
    with pytest.raises(TraceError, match=reason) as caught:
        lmoo.trace(f, 1)
    error = caught.value
    if line is not None:
        assert error.source is not None
        assert error.source.startswith(line)
        assert error.where is not None
        assert error.where.startswith("test_trace.py:")
        assert str(error) == f"{error.where}: {error.reason}\n  {error.source}"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_no_effect_of_a_refused_function_takes_place(capsys: pytest.CaptureFixture[str]) -> None:
    for f in (printing, counting, global_state, default_list):
        with pytest.raises(TraceError):
            lmoo.trace(f, 1)
    assert capsys.readouterr().out == ""
    assert COUNT == {"calls": 0}
    assert STATE is None
    assert default_list.__defaults__ == ([],)


def test_an_exception_of_the_function_is_the_cause() -> None:
    def failing(t, a):
        return t.missing + cmath.pi if False else {}["key"]

    with pytest.raises(TraceError, match=r"a call with placeholders raised KeyError\('key'\)"):
        lmoo.trace(failing)


# ============================================================================ residual functions


def rosenbrock(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def powell(x):
    a, b, c, d = x
    return [a + 10 * b, sqrt(5) * (c - d), (b - 2 * c) ** 2, sqrt(10) * (a - d) ** 2]


def with_data(x):
    return x[0] * np.exp(-x[1] * T) + x[-1] - np.cos(T)


def norms(x):
    return [np.sum(x**2) - 1, x[:2].prod(), np.dot(x, x), len(x) * x.mean(), np.linalg.norm([1.0])]


@pytest.mark.parametrize(
    ("f", "n"),
    [(rosenbrock, 2), (powell, 4), (with_data, 3), (norms, 3)],
    ids=["rosenbrock", "powell", "with_data", "norms"],
)
def test_residual_functions(f: Any, n: int) -> None:
    problem = lmoo.trace_residual(f, n)
    x = np.array([0.7, -0.4, 1.2, 0.3])[:n]
    np.testing.assert_allclose(problem.residual(x), f(x), rtol=1e-14)
    assert problem.m == len(f(x))
    J = problem.jacobian(x)
    for j in range(n):
        step = 1e-30j * np.eye(n)[j]
        assert J[:, j] == pytest.approx(np.imag(f(x + step)) / 1e-30, rel=1e-13, abs=1e-14)
    again = pickle.loads(pickle.dumps(problem))
    np.testing.assert_array_equal(again.jacobian(x), J)


def test_a_traced_residual_is_solved() -> None:
    problem = lmoo.trace_residual(rosenbrock, 2, parameter_names=("u", "v"))
    result = lmoo.Solver().solve(problem, [-1.2, 1.0])
    np.testing.assert_allclose(result.x, [1.0, 1.0], rtol=1e-12)
    assert result.parameter_names == ("u", "v")
    shifted = lmoo.trace_residual(lambda x, y: x - y, 2, args=(np.array([3.0, 4.0]),))
    np.testing.assert_allclose(shifted.residual([0.0, 0.0]), [-3, -4])


def test_refused_residual_functions() -> None:
    for f, match in {
        (lambda x: x[0] if x[1] > 0 else x[1]): "a branch is taken",
        (lambda x: float(x[0])): "a number is made",
        (lambda x: {}): "returns dict, not a sequence",
        (lambda x: [x[0] * T, x[1]]): "must return one sequence",
        (lambda x: np.array([[x[0], x[1]]])): "not a sequence of numbers",
    }.items():
        with pytest.raises(TraceError, match=match):
            lmoo.trace_residual(f, 2)
    with pytest.raises(ValueError, match="n must be at least 1"):
        lmoo.trace_residual(rosenbrock, 0)
    with pytest.raises(TypeError, match="f must be callable"):
        lmoo.trace_residual(None, 2)  # type: ignore[arg-type]
