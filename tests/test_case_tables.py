"""`each`, with which other tests run their tables of cases."""

from __future__ import annotations

import inspect

import pytest
from case_tables import each


def test_every_case_runs() -> None:
    seen = []

    @each("name", ["a", "b"])
    @each(("number", "square"), [(1, 1), (2, 4)])
    def squares(number: int, square: int, name: str, flag: bool) -> None:
        assert number**2 == square
        seen.append((number, name, flag))

    assert list(inspect.signature(squares).parameters) == ["flag"]
    squares(flag=True)
    assert seen == [(number, name, True) for name in "ab" for number in (1, 2)]


def test_failures_name_their_cases() -> None:
    @each("number", [1, 2, 3], ids=["one", "two", "three"])
    def odd(number: int) -> None:
        assert number % 2

    with pytest.raises(AssertionError) as caught:
        odd()
    assert caught.value.__notes__ == ["in the case two (number=2)"]


def test_all_failures_are_told() -> None:
    @each("error", [ValueError, TypeError])
    def refused(error: type[Exception]) -> None:
        with pytest.raises(error):
            pass

    with pytest.raises(BaseExceptionGroup, match="2 of 2 cases fail") as caught:
        refused()
    notes = [error.__notes__ for error in caught.value.exceptions]
    assert [note[0].split("=")[1] for note in notes] == [
        "<class 'ValueError'>)",
        "<class 'TypeError'>)",
    ]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(AssertionError, match="no arguments"):

        @each("nothere", [1])
        def test() -> None: ...

    @each("number", [1])
    def skips(number: int) -> None:
        pytest.skip("not here")

    with pytest.raises(TypeError, match="a test that skips"):
        skips()
