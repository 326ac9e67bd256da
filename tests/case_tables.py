"""`each`: a table of cases as one test, where pytest would take longer than the cases."""

from __future__ import annotations

import functools
import inspect
import reprlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

Test = Callable[..., None]


def each(
    names: str | Sequence[str], values: Iterable[Any], ids: Any = None
) -> Callable[[Test], Test]:
    """Run a test for each case, as `pytest.mark.parametrize` does; a failure names its case.

    All cases run.  It is not for tests that skip, or that leave something in a fixture.
    """
    one = isinstance(names, str)
    cases = [(value,) if one else tuple(value) for value in values]
    names = (names,) if isinstance(names, str) else tuple(names)
    if callable(ids):
        ids = ["-".join(str(ids(value)) for value in case) for case in cases]
    labels = list(ids or ())

    def over_cases(test: Test) -> Test:
        @functools.wraps(test)
        def run(*args: Any, **others: Any) -> None:
            failures: list[BaseException] = []
            for k, case in enumerate(cases):
                given = dict(zip(names, case, strict=True))
                try:
                    test(*args, **given, **others)
                except (Exception, pytest.fail.Exception) as error:
                    shown = ", ".join(f"{name}={reprlib.repr(v)}" for name, v in given.items())
                    error.add_note(f"in the case {labels[k] if labels else ''} ({shown})")
                    failures.append(error)
                except pytest.skip.Exception as skip:
                    raise TypeError("a test that skips takes pytest.mark.parametrize") from skip
            if len(failures) == 1:
                raise failures[0]
            if failures:
                raise BaseExceptionGroup(f"{len(failures)} of {len(cases)} cases fail", failures)

        signature = inspect.signature(test)
        rest = [p for name, p in signature.parameters.items() if name not in names]
        assert len(rest) == len(signature.parameters) - len(names), f"no arguments {names}"
        run.__signature__ = signature.replace(parameters=rest)  # type: ignore[attr-defined]
        return run

    return over_cases
