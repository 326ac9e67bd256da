"""scipy's functions are replaced by lmoo's in all modules, and restored exactly."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmoo

optimize = pytest.importorskip("scipy.optimize")
sparse = pytest.importorskip("scipy.sparse")

NAMES = ("leastsq", "curve_fit", "least_squares")
OWN = {name: getattr(optimize, name) for name in NAMES}
T = np.linspace(0.0, 4.0, 30)
Y = 2.5 * np.exp(-1.3 * T) + 0.01 * np.cos(9 * T)


def model(t: Any, a: float, b: float) -> Any:
    return a * np.exp(-b * t)


def residual(x: Any) -> Any:
    return model(T, *x) - Y


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    lmoo.unpatch_scipy()
    assert all(getattr(optimize, name) is OWN[name] for name in NAMES)


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    """Another module that has imported the functions by other names."""
    made = types.ModuleType("module_that_fits")
    made.fit, made.solve = OWN["curve_fit"], OWN["least_squares"]  # type: ignore[attr-defined]
    sys.modules[made.__name__] = made
    yield made
    del sys.modules[made.__name__]


def snapshot() -> dict[tuple[str, str], int]:
    """Where the six functions are, in all modules."""
    return {
        (title, name): id(value)
        for title, found in list(sys.modules.items())
        if isinstance(found, types.ModuleType)
        for name, value in list(vars(found).items())
        # Looking up a name in some modules is deprecated, and warns.
        if isinstance(value, types.FunctionType)
        and (value in OWN.values() or hasattr(value, "__lmoo_replaces__"))
    }


def test_names_everywhere_are_replaced_and_restored(module: Any) -> None:
    before = snapshot()
    lmoo.patch_scipy()
    for name in NAMES:
        ours = getattr(optimize, name)
        assert ours is not OWN[name]
        assert ours.__wrapped__ is OWN[name]
        assert ours.__name__ == name
        assert ours.__doc__ == OWN[name].__doc__
        assert inspect.signature(ours) == inspect.signature(OWN[name])
    assert module.fit is optimize.curve_fit
    assert module.solve is optimize.least_squares
    assert sys.modules["scipy.optimize._minpack_py"].leastsq is optimize.leastsq
    lmoo.unpatch_scipy()
    assert snapshot() == before


def test_results_are_those_of_lmoo() -> None:
    with lmoo.patch_scipy():
        x, _, _, mesg, _ = optimize.leastsq(residual, [1, 1], full_output=True)
        popt, _ = optimize.curve_fit(model, T, Y)
        found = optimize.least_squares(residual, [1.0, 1.0], bounds=(0, 5))
    own = lmoo.leastsq(residual, [1, 1], full_output=True)
    assert mesg == own[3]
    assert np.array_equal(x, own[0])
    assert np.array_equal(popt, lmoo.curve_fit(model, T, Y)[0])
    assert isinstance(found, optimize.OptimizeResult)
    assert found.message == lmoo.least_squares(residual, [1.0, 1.0], bounds=(0, 5)).message


def test_what_is_not_supported_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def jac(x: Any) -> Any:
        return sparse.csr_array(np.eye(2))

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("lmoo is called")

    calls: list[dict[str, Any]] = [
        {"tr_solver": "lsmr"},
        {"jac_sparsity": np.eye(2)},
        {"max_nfev": 1},
        {"workers": 1},
        {"bounds": ([0.0], [1.0, 2.0])},
    ]
    with lmoo.patch_scipy():
        found = optimize.least_squares(lambda x: x - 1.0, [3.0, 4.0], jac)
        assert sparse.issparse(found.jac)
        module = "lmoo.integrations.scipy_functions"
        monkeypatch.setattr(f"{module}.least_squares", broken)
        monkeypatch.setattr(f"{module}.curve_fit", broken)
        monkeypatch.setattr(f"{module}.leastsq", broken)
        for options in calls:
            if "bounds" in options:
                with pytest.raises(ValueError, match="Inconsistent shapes"):
                    optimize.least_squares(lambda x: x - 1.0, [1.0, 1.0], **options)
            else:
                optimize.least_squares(lambda x: x - 1.0, [3.0, 4.0], **options)
        # scipy's curve_fit calls its own leastsq and least_squares then.
        for options in ({"verbose": 0, "method": "trf"}, {"col_deriv": 0, "method": "lm"}):
            popt, _ = optimize.curve_fit(model, T, Y, **options)
            assert popt == pytest.approx([2.5, 1.3], abs=0.1)
        with pytest.raises(ValueError, match="propagate"):
            optimize.curve_fit(model, T, Y, nan_policy="propagate")
        with pytest.raises(TypeError, match="unexpected keyword"):
            optimize.least_squares(residual, [1, 1], nothing=1)
        with pytest.raises(AssertionError, match="lmoo is called"):
            optimize.curve_fit(model, T, Y)


def test_exceptions_of_the_model_come_out_unchanged() -> None:
    class OwnError(Exception):
        pass

    def failing(x: Any) -> Any:
        raise OwnError

    with lmoo.patch_scipy(), pytest.raises(OwnError):
        optimize.least_squares(failing, [1.0])


def test_warnings_are_of_scipys_class() -> None:
    with lmoo.patch_scipy(), pytest.warns(optimize.OptimizeWarning, match="[Cc]ovariance"):
        optimize.curve_fit(lambda t, a, b: a + b + 0 * t, T, Y)


def test_twice_is_once() -> None:
    lmoo.patch_scipy()
    ours = optimize.leastsq
    lmoo.patch_scipy()
    assert optimize.leastsq is ours
    assert ours.__wrapped__ is OWN["leastsq"]
    lmoo.unpatch_scipy()
    assert optimize.leastsq is OWN["leastsq"]
    lmoo.unpatch_scipy()


def test_blocks_may_be_nested() -> None:
    with lmoo.patch_scipy():
        with lmoo.patch_scipy():
            pass
        assert optimize.leastsq is not OWN["leastsq"]
    assert optimize.leastsq is OWN["leastsq"]
    lmoo.patch_scipy()
    with lmoo.patch_scipy():
        pass
    assert optimize.leastsq is not OWN["leastsq"]


def test_a_block_ends_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), lmoo.patch_scipy():
        raise ZeroDivisionError
    assert optimize.leastsq is OWN["leastsq"]


def test_names_imported_within_a_block_are_restored() -> None:
    made = types.ModuleType("imported_later")
    sys.modules[made.__name__] = made
    try:
        with lmoo.patch_scipy():
            made.leastsq = optimize.leastsq  # type: ignore[attr-defined]
        assert made.leastsq is OWN["leastsq"]  # type: ignore[attr-defined]
    finally:
        del sys.modules[made.__name__]


def test_a_function_kept_in_a_variable_still_works() -> None:
    with lmoo.patch_scipy():
        ours = optimize.curve_fit
    assert ours(model, T, Y)[0] == pytest.approx([2.5, 1.3], abs=0.1)


def test_threads() -> None:
    errors: list[BaseException] = []
    barrier = threading.Barrier(4)

    def fits() -> None:
        try:
            barrier.wait()
            for _ in range(20):
                with lmoo.patch_scipy():
                    assert optimize.curve_fit is not OWN["curve_fit"]
                    assert optimize.curve_fit(model, T, Y)[0][0] == pytest.approx(2.5, abs=0.1)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=fits) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert optimize.curve_fit is OWN["curve_fit"]


SCRIPT = """\
import sys
from scipy.optimize import curve_fit
import helper_beside
print(hasattr(curve_fit, "__lmoo_replaces__"), sys.argv[1:], __name__, helper_beside.fits)
"""


def test_scripts_run_patched(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "helper_beside.py").write_text(
        "import scipy.optimize\nfits = hasattr(scipy.optimize.leastsq, '__lmoo_replaces__')\n"
    )
    command = [sys.executable, "-m", "lmoo.patch"]
    run = subprocess.run(
        [*command, str(tmp_path / "script.py"), "-x", "1"], capture_output=True, text=True
    )
    assert (run.stdout, run.stderr) == ("True ['-x', '1'] __main__ True\n", "")
    run = subprocess.run(
        [*command, "-m", "script", "2"], capture_output=True, text=True, cwd=tmp_path
    )
    assert (run.stdout, run.stderr) == ("True ['2'] __main__ True\n", "")
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr.startswith("usage: python -m lmoo.patch")
    (tmp_path / "fails.py").write_text("raise SystemExit(3)")
    assert subprocess.run([*command, str(tmp_path / "fails.py")]).returncode == 3
