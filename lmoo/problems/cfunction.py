"""`CFunctionProblem`: problems from pointers to compiled functions of numba, ctypes, cffi, C."""

import ctypes
import sys
from typing import Any, NamedTuple

import numpy as np

from lmoo._core.solve import Pointers, capsule_contents, is_capsule

# The signature of residual and jacobian: m, n, x, output, user_data.
_SIGNATURE = "int (ptrdiff_t, ptrdiff_t, double *, double *, void *)"

# The types of ctypes that are accepted for the five arguments.
_CTYPES: tuple[tuple[Any, ...], ...] = (
    (ctypes.c_ssize_t,),
    (ctypes.c_ssize_t,),
    (ctypes.POINTER(ctypes.c_double), ctypes.c_void_p),
    (ctypes.POINTER(ctypes.c_double), ctypes.c_void_p),
    (ctypes.c_void_p,),
)
# The base of all function pointers has no public name.
_CTYPES_FUNCTION: type = ctypes.CFUNCTYPE(None).__mro__[1]
_SIZE = "int64" if sys.maxsize > 2**32 else "int32"


class CFunctionProblem(Pointers):
    """A problem from pointers to compiled functions, which lmoo calls without Python.

    Both functions have the signature::

        int residual(ptrdiff_t m, ptrdiff_t n, const double *x, double *fvec, void *user_data);
        int jacobian(ptrdiff_t m, ptrdiff_t n, const double *x, double *fjac, void *user_data);

    x has n doubles and fvec has m; fjac is m x n and column-major: ``fjac[i + j * m]`` is the
    derivative of residual i by parameter j.  The functions return 0, a positive number for a bad
    point (the step is refused and shortened), or a negative number to end the solve with
    `EvaluationError`.

    Parameters
    ----------
    residual : function
        One of

        * a function compiled by ``numba.cfunc`` with the signature
          ``int32(intp, intp, CPointer(float64), CPointer(float64), voidptr)`` (user_data may be any
          pointer),
        * a ctypes function pointer, whose argtypes and restype are checked if they are set,
        * a cffi function pointer,
        * a PyCapsule whose name is ``"int (ptrdiff_t, ptrdiff_t, double *, double *, void *)"``,
        * a ``scipy.LowLevelCallable`` of one of these.
    m, n : int
        Numbers of residuals and of parameters, m >= n >= 1.
    jacobian : function, optional
        The derivatives, in the same form.  None: differences.
    user_data : int, ctypes object, buffer or PyCapsule, optional
        The argument user_data of the functions: an address, the memory of a ctypes object or of a
        contiguous buffer (an array), or the pointer of a capsule.  The object is kept alive.  None:
        the context of a capsule, or the user_data of a LowLevelCallable.

    Attributes
    ----------
    m, n : int
    parameter_names : sequence of str or None
        Names of the parameters, for reports; may be set.

    Raises
    ------
    TypeError
        A function of another kind or signature; `user_data` of another type.
    ValueError
        A null pointer, m < n, a buffer that is not contiguous.

    Examples
    --------
    With a function that ctypes creates; a function of a shared library is used in the same way:

    >>> import ctypes, lmoo
    >>> doubles = ctypes.POINTER(ctypes.c_double)
    >>> @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_ssize_t, ctypes.c_ssize_t, doubles, doubles,
    ...                   ctypes.c_void_p)
    ... def residual(m, n, x, fvec, user_data):
    ...     fvec[0] = 10 * (x[1] - x[0] ** 2)
    ...     fvec[1] = 1 - x[0]
    ...     return 0
    >>> problem = lmoo.CFunctionProblem(residual, m=2, n=2)
    >>> lmoo.Solver().solve(problem, [-1.2, 1.0]).x.round(9)
    array([1., 1.])
    """

    parameter_names: Any = None

    def __new__(cls, *args: Any, **kwargs: Any) -> "CFunctionProblem":
        """Create the problem; the arguments are those of the class."""
        return super().__new__(cls)

    def __init__(
        self, residual: Any, m: int, n: int, jacobian: Any = None, user_data: Any = None
    ) -> None:
        f = _function("residual", residual)
        j = None if jacobian is None else _function("jacobian", jacobian)
        data = f.context if user_data is None else _address(user_data)
        super().__init__(f.address, m, n, 0 if j is None else j.address, data)
        # These objects must live as long as the pointers are called.
        self._kept = (residual, jacobian, user_data)

    def __repr__(self) -> str:
        residual, jacobian, _ = self._kept
        return f"CFunctionProblem({residual!r}, m={self.m}, n={self.n}, jacobian={jacobian!r})"

    def __reduce__(self) -> Any:
        raise TypeError(
            "a CFunctionProblem cannot be pickled: its addresses are valid in this process only"
        )


class _Function(NamedTuple):
    address: int
    context: int = 0


def _function(name: str, function: Any) -> _Function:
    """Return the address of a function, and check its signature as far as it is known."""
    if type(function).__name__ == "LowLevelCallable" and isinstance(function, tuple):
        return _low_level_callable(name, function)
    if is_capsule(function):
        return _capsule(name, function)
    if isinstance(function, _CTYPES_FUNCTION):
        found = _ctypes_function(name, function)
    elif isinstance(getattr(function, "address", None), int) and hasattr(function, "_sig"):
        found = _numba_function(name, function)
    elif type(function).__module__ == "_cffi_backend":
        found = _cffi_function(name, function)
    else:
        raise TypeError(
            f"{name} must be a numba cfunc, a ctypes or cffi function pointer, a PyCapsule or a "
            f"scipy.LowLevelCallable; it is {function!r}"
        )
    if found.address == 0:
        raise ValueError(f"{name} must not be a null pointer; it is {function!r}")
    return found


def _mismatch(name: str, found: str) -> TypeError:
    return TypeError(f"{name} must have the signature {_SIGNATURE!r}; it has {found!r}")


def _capsule(name: str, capsule: Any) -> _Function:
    found, address, context = capsule_contents(capsule)
    if _normal(found or "") != _normal(_SIGNATURE):
        raise _mismatch(name, found or "")
    return _Function(address, context)


def _normal(signature: str) -> str:
    """Return a C signature without const and with single blanks between its tokens."""
    words = (
        signature.replace("*", " * ").replace("(", " ( ").replace(")", " ) ").replace(",", " , ")
    )
    return " ".join(word for word in words.split() if word != "const")


def _low_level_callable(name: str, function: Any) -> _Function:
    inner = _function(name, function.function)
    data = function.user_data
    return inner if data is None else inner._replace(context=_address(data))


def _ctypes_function(name: str, function: Any) -> _Function:
    places = function.argtypes
    fits = places is None or (
        len(places) == len(_CTYPES)
        and all(place in allowed for place, allowed in zip(places[:4], _CTYPES, strict=False))
        and (places[4] is ctypes.c_void_p or hasattr(places[4], "contents"))
    )
    # c_int is the default of ctypes.
    if not fits or function.restype is not ctypes.c_int:
        names = "?" if places is None else ", ".join(place.__name__ for place in places)
        raise _mismatch(name, f"{getattr(function.restype, '__name__', None)} ({names})")
    return _Function(ctypes.cast(function, ctypes.c_void_p).value or 0)


def _numba_function(name: str, function: Any) -> _Function:
    signature = function._sig
    places = [str(place) for place in signature.args]
    fits = (
        str(signature.return_type) == "int32"
        and len(places) == 5
        and places[:4] == [_SIZE, _SIZE, "float64*", "float64*"]
        and places[4].endswith("*")
    )
    if not fits:
        raise _mismatch(name, str(signature))
    return _Function(function.address)


def _cffi_function(name: str, function: Any) -> _Function:
    # The module is loaded, as the object is an instance of one of its classes.
    ffi = sys.modules["_cffi_backend"].FFI()
    kind = ffi.typeof(function)
    places: tuple[Any, ...] = kind.args if kind.kind == "function" else ()
    wanted = [_SIZE[:3], _SIZE[:3], "double *", "double *"]
    fits = (
        len(places) == 5
        and kind.result.cname == "int"
        and [_cffi_name(ffi, place) for place in places[:4]] == wanted
        and places[4].kind == "pointer"
    )
    if not fits:
        raise _mismatch(name, kind.cname)
    return _Function(int(ffi.cast("uintptr_t", function)))


def _cffi_name(ffi: Any, kind: Any) -> str:
    """Return "int" for a signed integer of the size of a pointer, else the name of the type."""
    if kind.kind == "primitive" and ffi.sizeof(kind) == ffi.sizeof("ptrdiff_t"):
        return "int" if kind.cname in ("long", "long long", "ptrdiff_t", "ssize_t") else kind.cname
    return " ".join(word for word in kind.cname.split() if word != "const")


def _address(user_data: Any) -> int:
    """Return the address to pass as user_data."""
    if is_capsule(user_data):
        return int(capsule_contents(user_data)[1])
    if isinstance(user_data, (int, np.integer)) and not isinstance(user_data, bool):
        if user_data < 0 or user_data > 2 * sys.maxsize + 1:
            raise ValueError(f"user_data must be an address; it is {user_data!r}")
        return int(user_data)
    if isinstance(user_data, ctypes.c_void_p):
        return user_data.value or 0
    if isinstance(user_data, ctypes._Pointer):
        return ctypes.cast(user_data, ctypes.c_void_p).value or 0
    if isinstance(user_data, (ctypes._SimpleCData, ctypes.Structure, ctypes.Union, ctypes.Array)):
        return ctypes.addressof(user_data)
    return _address_of_buffer(user_data)


def _address_of_buffer(user_data: Any) -> int:
    try:
        view = memoryview(user_data)
    except TypeError:
        raise TypeError(
            f"user_data must be an int, a ctypes object, a buffer or a PyCapsule; it is "
            f"{user_data!r}"
        ) from None
    if not view.contiguous:
        raise ValueError(f"user_data must be contiguous; it is {user_data!r}")
    return int(np.frombuffer(view, dtype=np.uint8).ctypes.data) if view.nbytes else 0
