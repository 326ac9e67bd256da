"""`CFunctionProblem`: functions, signatures and user data."""

import ctypes
import pickle
from typing import Any

import numpy as np
import pytest
from compiled_cases import DATA, DOUBLES, FUNCTION, START, T, Y, decay

import lmoo

SIGNATURE = "int (ptrdiff_t, ptrdiff_t, double *, double *, void *)"


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
