"""Functions that draw random numbers."""

from __future__ import annotations

import functools
import random

import numpy as np

from adversarial.registry import Made, adversarial, model


@adversarial
def legacy_random() -> Made:
    np.random.seed(3)  # noqa: NPY002

    def f(t, a, b):
        return model(t, a, b) + 1e-9 * np.random.rand(t.size)  # noqa: NPY002

    return f, None


@adversarial
def random_of_python() -> Made:
    random.seed(4)
    return lambda t, a, b: model(t, a, b) + 1e-9 * random.random(), None


@adversarial
def generator_of_the_closure() -> Made:
    rng = np.random.default_rng(1)
    return lambda t, a, b: model(t, a, b) + 1e-9 * rng.normal(), None


@adversarial
def generator_as_default() -> Made:
    def f(t, a, b, *, rng=np.random.default_rng(2)):  # noqa: B008
        return model(t, a, b) + 1e-9 * rng.normal()

    return functools.partial(f, rng=np.random.default_rng(2)), None


@adversarial
def bound_random_method() -> Made:
    normal = np.random.default_rng(5).normal

    def f(t, a, b):
        return model(t, a, b) + 1e-9 * normal()

    return f, None


@adversarial
def random_state_in_a_list() -> Made:
    tools = [np.random.default_rng(6)]
    return lambda t, a, b: model(t, a, b) + 1e-9 * tools[0].normal(), None


@adversarial
def random_in_a_helper() -> Made:
    rng = np.random.default_rng(7)

    def noise():
        return 1e-9 * rng.normal()

    return lambda t, a, b: model(t, a, b) + noise(), None


@adversarial
def random_attribute_of_an_alias() -> Made:
    np.random.seed(8)  # noqa: NPY002

    def f(t, a, b):
        numpy = np
        return model(t, a, b) + 1e-9 * numpy.random.rand()

    return f, None
