"""Functions with effects outside of the program: output, environment, time."""

from __future__ import annotations

import io
import logging
import os
import sys
import time

from adversarial.registry import Made, adversarial, model


@adversarial
def printing() -> Made:
    def f(t, a, b):
        print("called", file=sys.stderr)
        return model(t, a, b)

    return f, None


@adversarial
def writing_to_a_stream() -> Made:
    stream = io.StringIO()

    def f(t, a, b):
        stream.write("x")
        return model(t, a, b)

    class Written:
        def __len__(self) -> int:
            return len(stream.getvalue())

        def __eq__(self, other: object) -> bool:
            return len(other) == len(self)  # type: ignore[arg-type]

        __hash__ = None  # type: ignore[assignment]

    return f, Written()


@adversarial
def logging_calls() -> Made:
    records: list[str] = []
    logger = logging.Logger("adversarial")
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)

    def f(t, a, b):
        logger.warning("called")
        return model(t, a, b)

    return f, records


@adversarial
def environment() -> Made:
    os.environ["ADVERSARIAL"] = "0"

    def f(t, a, b):
        os.environ["ADVERSARIAL"] = "1"
        return model(t, a, b)

    return f, None


@adversarial
def the_clock() -> Made:
    return lambda t, a, b: model(t, a, b) + 0.0 * time.perf_counter(), None
