"""Run by ``make sanitize``, before the tests that are to run under the sanitizers."""

import ctypes
import os

import lmoo._core.kernels


def test_the_sanitized_build_is_the_one_under_test() -> None:
    assert "sanitize" in lmoo._core.kernels.__file__
    with open(lmoo._core.kernels.__file__, "rb") as binary:
        assert b"__asan_" in binary.read()


def test_address_sanitizer_is_loaded() -> None:
    assert "libasan" in os.environ["LD_PRELOAD"]
    assert ctypes.CDLL(None).__asan_region_is_poisoned
