"""Problems in compiled code: the same answers, no GIL, return codes, signatures, interrupts."""

import ctypes
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmoo

T = np.linspace(0, 4, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.01 * np.random.default_rng(1).standard_normal(20)
DATA = np.concatenate([T, Y])
START = [1.0, 1.0, 0.0]
SIGNATURE = "int (ptrdiff_t, ptrdiff_t, double *, double *, void *)"
DOUBLES = ctypes.POINTER(ctypes.c_double)
FUNCTION = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_ssize_t, ctypes.c_ssize_t, DOUBLES, DOUBLES, ctypes.c_void_p
)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    target = tmp_path_factory.mktemp("compiled") / "functions.so"
    source = Path(__file__).with_name("compiled_functions.c")
    # One multiplication and one addition each: Python has no fused ones.
    flags = ["-O2", "-ffp-contract=off", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, str(source), "-o", str(target), "-lm"], check=True)
    return ctypes.CDLL(str(target))


def decay(library: ctypes.CDLL, jacobian: bool = False) -> lmoo.CFunctionProblem:
    return lmoo.CFunctionProblem(
        FUNCTION(("decay", library)),
        20,
        3,
        jacobian=FUNCTION(("decay_jacobian", library)) if jacobian else None,
        user_data=DATA,
    )


class Decay(lmoo.Problem):
    """The same in Python, evaluated by the same functions."""

    def __init__(self, library: ctypes.CDLL, jacobian: bool) -> None:
        self.compiled = decay(library, jacobian)
        if jacobian:
            self.jacobian = self.compiled.jacobian  # type: ignore[method-assign]

    def residual(self, x: np.ndarray) -> np.ndarray:
        return self.compiled.residual(x)


@pytest.mark.parametrize("jacobian", [False, True])
def test_a_compiled_solve_is_that_of_the_same_problem_in_python(
    library: ctypes.CDLL, jacobian: bool
) -> None:
    mine = lmoo.Solver().solve(decay(library, jacobian), START)
    other = lmoo.Solver().solve(Decay(library, jacobian), START)
    np.testing.assert_array_equal(mine.x, other.x)
    np.testing.assert_array_equal(mine.residual, other.residual)
    np.testing.assert_array_equal(mine.covariance(), other.covariance())
    assert (mine.status, mine.nfev, mine.njev) == (other.status, other.nfev, other.njev)
    assert mine.success


@pytest.mark.parametrize("jacobian", [False, True])
def test_leastsq_on_a_compiled_problem(library: ctypes.CDLL, jacobian: bool) -> None:
    problem = decay(library, jacobian)
    mine = lmoo.leastsq(problem, START, full_output=True)
    dfun = problem.jacobian if jacobian else None
    other = lmoo.leastsq(problem.residual, START, Dfun=dfun, full_output=True)
    np.testing.assert_array_equal(mine[0], other[0])
    np.testing.assert_array_equal(mine[1], other[1])
    assert mine[2].keys() == other[2].keys()
    for key, value in other[2].items():
        np.testing.assert_array_equal(mine[2][key], value)
    assert mine[3:] == other[3:]
    x, ier = lmoo.leastsq(problem, START)
    np.testing.assert_array_equal(x, mine[0])
    assert ier == mine[4]


STRATEGIES = [
    lmoo.Analytic(),
    lmoo.ColumnMajor(),
    lmoo.ForwardDifference(),
    lmoo.ForwardDifference(typical=1.0, refine=False),
    lmoo.CentralDifference(),
]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
def test_every_strategy_takes_compiled_problems(
    library: ctypes.CDLL, strategy: lmoo.Jacobian
) -> None:
    best = lmoo.Solver().solve(decay(library, True), START).x
    result = lmoo.Solver(jacobian=strategy).solve(decay(library, True), START)
    assert result.success
    np.testing.assert_allclose(result.x, best, rtol=1e-7)


def test_a_strategy_in_python_takes_compiled_problems(library: ctypes.CDLL) -> None:
    class Mine(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
            assert np.array_equal(f, problem.residual(x))
            out[:] = problem.jacobian(x)
            return 2

    result = lmoo.Solver(jacobian=Mine()).solve(decay(library, True), START)
    assert result.success
    assert result.nfev == 1 + result.nit + 2 * result.njev


def test_a_strategy_in_python_that_raises_ends_a_compiled_solve(library: ctypes.CDLL) -> None:
    class Mine(lmoo.Jacobian):
        def evaluate(self, problem: Any, x: Any, f: Any, out: Any) -> int:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        lmoo.Solver(jacobian=Mine()).solve(decay(library), START)


def test_complex_steps_are_refused(library: ctypes.CDLL) -> None:
    with pytest.raises(TypeError, match=r"ComplexStep .* complex x; .* CFunctionProblem"):
        lmoo.Solver(jacobian=lmoo.ComplexStep()).solve(decay(library), START)


def test_analytic_needs_a_jacobian(library: ctypes.CDLL) -> None:
    with pytest.raises(TypeError, match="must define jacobian"):
        lmoo.Solver(jacobian=lmoo.Analytic()).solve(decay(library), START)


def test_callbacks_iterations_and_check_jacobian(library: ctypes.CDLL) -> None:
    problem = decay(library, True)
    costs: list[float] = []
    result = lmoo.Solver().solve(problem, START, callback=lambda step: costs.append(step.cost))
    assert len(costs) == result.nit
    assert [step.cost for step in lmoo.Solver().iterate(problem, START)] == costs
    stopped = lmoo.Solver().solve(problem, START, callback=lambda step: step.iteration == 2)
    assert (stopped.status, stopped.nit) == (lmoo.Status.STOPPED, 2)
    assert lmoo.check_jacobian(problem, START)


def test_the_python_view_of_a_problem(library: ctypes.CDLL) -> None:
    problem = decay(library, True)
    x = np.array(START)
    np.testing.assert_allclose(problem.residual(x), np.exp(-T) - Y, rtol=1e-12, atol=1e-15)
    assert problem.jacobian(x).shape == (20, 3)
    assert (problem.m, problem.n, problem.provides_jacobian) == (20, 3, True)
    with pytest.raises(NotImplementedError, match="provides no jacobian"):
        decay(library).jacobian(x)
    with pytest.raises(ValueError, match=r"x must have shape \(3,\); it has \(2,\)"):
        problem.residual([1.0, 2.0])


# ---- return codes ---------------------------------------------------------------------------


def logarithm(library: ctypes.CDLL, code: int) -> lmoo.CFunctionProblem:
    return lmoo.CFunctionProblem(
        FUNCTION(("logarithm", library)), 1, 1, user_data=ctypes.c_int(code)
    )


def test_a_positive_code_refuses_the_step(library: ctypes.CDLL) -> None:
    # The Gauss-Newton step from 50 leads below zero.
    problem = logarithm(library, 3)
    result = lmoo.Solver(factor=100.0).solve(problem, [50.0])
    assert result.success
    assert result.x[0] == pytest.approx(np.e, rel=1e-9)
    x, ier = lmoo.leastsq(problem, [50.0])
    assert x[0] == pytest.approx(np.e, rel=1e-7)
    assert 1 <= ier <= 4


def test_a_negative_code_ends_the_solve(library: ctypes.CDLL) -> None:
    problem = logarithm(library, -7)
    with pytest.raises(lmoo.EvaluationError, match="returned -7") as caught:
        lmoo.Solver(factor=100.0).solve(problem, [50.0])
    assert caught.value.code == -7
    with pytest.raises(lmoo.EvaluationError, match="returned -7"):
        lmoo.leastsq(problem, [50.0])
    steps = lmoo.Solver(factor=100.0).iterate(problem, [50.0])
    with pytest.raises(lmoo.EvaluationError):
        list(steps)
    assert steps.result.x[0] == 50.0


def test_a_bad_starting_point(library: ctypes.CDLL) -> None:
    problem = logarithm(library, 1)
    with pytest.raises(lmoo.EvaluationError, match="the residual at x0 cannot be evaluated"):
        lmoo.Solver().solve(problem, [-1.0])
    x, cov_x, info, mesg, ier = lmoo.leastsq(problem, [-1.0], full_output=True)
    assert (x[0], cov_x, info["nfev"], ier) == (-1.0, None, 1, -1)
    assert "refused" in mesg
    with pytest.raises(lmoo.EvaluationError) as caught:
        problem.residual([-1.0])
    assert caught.value.code == 1


def test_values_that_are_not_finite_at_the_start(library: ctypes.CDLL) -> None:
    problem = lmoo.CFunctionProblem(FUNCTION(("not_finite", library)), 1, 1)
    with pytest.raises(lmoo.EvaluationError, match="entry 0 is -inf"):
        lmoo.Solver().solve(problem, [0.0])


# ---- arguments ------------------------------------------------------------------------------


def test_arguments_that_a_compiled_problem_has_no_use_for(library: ctypes.CDLL) -> None:
    problem = decay(library)
    with pytest.raises(TypeError, match="args must be"):
        lmoo.leastsq(problem, START, args=(1,))
    with pytest.raises(TypeError, match="Dfun must be None"):
        lmoo.leastsq(problem, START, Dfun=lambda x: x)
    for call in (lmoo.leastsq, lmoo.Solver().solve):
        with pytest.raises(ValueError, match=r"one entry per parameter .* 3; it has 2"):
            call(problem, [1.0, 2.0])  # type: ignore[operator]


@pytest.mark.parametrize(
    ("m", "n", "error"),
    [(2, 3, ValueError), (1, 0, ValueError), (2.0, 1, TypeError), (True, 1, TypeError)],
)
def test_sizes_are_checked(library: ctypes.CDLL, m: Any, n: Any, error: type) -> None:
    with pytest.raises(error, match=r"m|n"):
        lmoo.CFunctionProblem(FUNCTION(("decay", library)), m, n)


@pytest.mark.parametrize("function", [None, 12345, lambda x: x, "decay", ctypes.c_void_p(1)])
def test_what_is_no_function(function: Any) -> None:
    with pytest.raises(TypeError, match="residual must be a numba cfunc, a ctypes"):
        lmoo.CFunctionProblem(function, 2, 1)


def test_a_ctypes_function_of_another_signature(library: ctypes.CDLL) -> None:
    wrong = ctypes.CFUNCTYPE(ctypes.c_int, DOUBLES)(("decay", library))
    with pytest.raises(TypeError, match="LP_c_double") as caught:
        lmoo.CFunctionProblem(wrong, 2, 1)
    assert SIGNATURE in str(caught.value)
    wrong = ctypes.CFUNCTYPE(ctypes.c_double, *FUNCTION._argtypes_)(("decay", library))
    with pytest.raises(TypeError, match="c_double"):
        lmoo.CFunctionProblem(wrong, 2, 1)
    # Where nothing was said there is nothing to check.
    assert lmoo.leastsq(lmoo.CFunctionProblem(library.decay, 20, 3, user_data=DATA), START)[1] in (
        1,
        2,
        3,
    )


def test_a_null_pointer() -> None:
    with pytest.raises(ValueError, match="null pointer"):
        lmoo.CFunctionProblem(FUNCTION(0), 2, 1)


def capsule(pointer: int, name: bytes | None) -> Any:
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return new(pointer, name, None)


def address(library: ctypes.CDLL, name: str) -> int:
    return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0


NAMES: list[bytes] = [
    SIGNATURE.encode(),
    b"int(ptrdiff_t,ptrdiff_t,const double*,double*,void*)",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_capsule_named_after_its_signature(library: ctypes.CDLL, name: bytes) -> None:
    function = capsule(address(library, "decay"), name)
    problem = lmoo.CFunctionProblem(function, 20, 3, user_data=DATA)
    np.testing.assert_array_equal(
        lmoo.leastsq(problem, START)[0], lmoo.leastsq(decay(library), START)[0]
    )


def test_a_capsule_of_another_signature(library: ctypes.CDLL) -> None:
    name = b"double (double)"
    with pytest.raises(TypeError, match=r"double \(double\)") as caught:
        lmoo.CFunctionProblem(capsule(address(library, "decay"), name), 20, 3)
    assert SIGNATURE in str(caught.value)


def test_a_low_level_callable(library: ctypes.CDLL) -> None:
    scipy = pytest.importorskip("scipy")
    data = ctypes.c_void_p(DATA.ctypes.data)
    function = scipy.LowLevelCallable(FUNCTION(("decay", library)), data)
    problem = lmoo.CFunctionProblem(function, 20, 3)
    np.testing.assert_array_equal(
        lmoo.leastsq(problem, START)[0], lmoo.leastsq(decay(library), START)[0]
    )


def test_a_numba_cfunc() -> None:
    numba = pytest.importorskip("numba")
    pointer = numba.types.CPointer(numba.types.float64)
    size = numba.types.intp

    def residual(m: Any, n: Any, x: Any, f: Any, data: Any) -> int:
        for i in range(m):
            f[i] = x[0] * np.exp(-x[1] * data[i]) + x[2] - data[m + i]
        return 0

    compiled = numba.cfunc(numba.types.int32(size, size, pointer, pointer, pointer))(residual)
    problem = lmoo.CFunctionProblem(compiled, 20, 3, user_data=DATA)
    result = lmoo.Solver().solve(problem, START)
    expected = lmoo.Solver().solve(
        lmoo.FunctionProblem(lambda x: x[0] * np.exp(-x[1] * T) + x[2] - Y), START
    )
    np.testing.assert_allclose(result.x, expected.x, rtol=1e-9)
    wrong = numba.cfunc(numba.types.float64(numba.types.float64))(lambda x: x)
    with pytest.raises(TypeError, match="float64"):
        lmoo.CFunctionProblem(wrong, 20, 3)


def test_a_cffi_function() -> None:
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()

    @ffi.callback("int(ptrdiff_t, ptrdiff_t, const double *, double *, void *)")
    def residual(m: Any, n: Any, x: Any, f: Any, data: Any) -> int:
        f[0] = x[0] - 3.0
        return 0

    assert lmoo.leastsq(lmoo.CFunctionProblem(residual, 1, 1), [1.0])[0][0] == 3.0

    @ffi.callback("double(double)")
    def wrong(x: float) -> float:
        return x

    with pytest.raises(TypeError, match="double"):
        lmoo.CFunctionProblem(wrong, 1, 1)


def test_what_user_data_may_be(library: ctypes.CDLL) -> None:
    code = ctypes.c_int(1)
    array = (ctypes.c_int * 1)(1)
    forms = [
        code,
        array,
        ctypes.addressof(code),
        np.int64(ctypes.addressof(code)),
        ctypes.pointer(code),
        ctypes.c_void_p(ctypes.addressof(code)),
        np.array([1], dtype=np.intc),
        bytearray(np.array([1], dtype=np.intc).tobytes()),
        np.array([1], dtype=np.intc).tobytes(),
        capsule(ctypes.addressof(code), b"anything"),
    ]
    for data in forms:
        problem = lmoo.CFunctionProblem(FUNCTION(("logarithm", library)), 1, 1, user_data=data)
        assert lmoo.leastsq(problem, [50.0])[0][0] == pytest.approx(np.e, rel=1e-7)


@pytest.mark.parametrize("data", ["text", 1.5, object(), True, [1.0]])
def test_what_user_data_may_not_be(library: ctypes.CDLL, data: Any) -> None:
    with pytest.raises(TypeError, match="user_data must be an int, a ctypes object, a buffer"):
        lmoo.CFunctionProblem(FUNCTION(("decay", library)), 20, 3, user_data=data)


def test_user_data_that_is_not_contiguous_or_no_address(library: ctypes.CDLL) -> None:
    function = FUNCTION(("decay", library))
    with pytest.raises(ValueError, match="user_data must be contiguous"):
        lmoo.CFunctionProblem(function, 20, 3, user_data=np.zeros(80)[::2])
    with pytest.raises(ValueError, match="user_data must be an address"):
        lmoo.CFunctionProblem(function, 20, 3, user_data=-1)


def test_what_is_needed_stays_alive(library: ctypes.CDLL) -> None:
    problem = lmoo.CFunctionProblem(
        FUNCTION(("decay", library)), 20, 3, user_data=np.concatenate([T, Y])
    )
    np.ones(40)  # would take the memory of the data, had they gone
    np.testing.assert_array_equal(
        lmoo.leastsq(problem, START)[0], lmoo.leastsq(decay(library), START)[0]
    )


def test_a_solve_of_addresses_cannot_be_pickled(library: ctypes.CDLL) -> None:
    with pytest.raises(TypeError, match="problem"):
        pickle.dumps(lmoo.Solver().iterate(decay(library), START))


def test_a_subclass_that_overrides_nothing() -> None:
    with pytest.raises(NotImplementedError, match="must provide residual"):
        lmoo.Solver().solve(lmoo.CompiledProblem(2, 1), [1.0])

    class Unready(lmoo.CompiledProblem):
        def __init__(self) -> None:
            pass

    for call in (lambda: lmoo.leastsq(Unready(), [1.0]), lambda: Unready().residual([1.0])):
        with pytest.raises(TypeError, match="super"):
            call()


# ---- threads, interrupts --------------------------------------------------------------------


def test_eight_threads_get_the_same_bits(library: ctypes.CDLL) -> None:
    problem = decay(library)
    starts = [[1.0 + 0.1 * k, 1.0, 0.0] for k in range(8)] * 25
    alone = [lmoo.Solver().solve(problem, start).x for start in starts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda start: lmoo.Solver().solve(problem, start).x, starts))
    np.testing.assert_array_equal(alone, together)


def slow_jacobian(library: ctypes.CDLL) -> tuple[lmoo.CFunctionProblem, lmoo.Solver]:
    """A solve whose first Jacobian takes many seconds."""
    n = 5000
    return (
        lmoo.CFunctionProblem(FUNCTION(("endless", library)), n, n),
        lmoo.Solver(),
    )


def test_other_threads_run_while_a_compiled_problem_is_solved(library: ctypes.CDLL) -> None:
    problem, solver = slow_jacobian(library)
    steps = solver.iterate(problem, np.zeros(problem.n))
    thread = threading.Thread(target=lambda: next(steps, None))
    thread.start()
    ticks, end = 0, time.monotonic() + 0.3
    while time.monotonic() < end:
        ticks += 1
    assert ticks > 1000
    assert thread.is_alive()
    steps.stop()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert steps.result.status is lmoo.Status.STOPPED


@pytest.mark.skipif(sys.platform == "win32", reason="no signal can be sent to oneself there")
def test_ctrl_c_interrupts_a_compiled_solve(library: ctypes.CDLL) -> None:
    problem, solver = slow_jacobian(library)
    timer = threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        solver.solve(problem, np.zeros(problem.n))
    assert time.monotonic() - start < 5
    timer.join()
    # Nothing is left behind.
    assert lmoo.Solver().solve(decay(library), START).success
