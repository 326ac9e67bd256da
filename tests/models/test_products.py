"""Products with a repeated factor: one power in the tree of which starting values are found."""

from __future__ import annotations

import numpy as np
import pytest

from lmoo.models.expression.parser import Step, parse
from lmoo.models.expression.products import collected
from lmoo.models.expression.tree import ExpressionTree

NAMES = ("a", "m", "s")


def steps(text: str) -> tuple[Step, ...]:
    return parse(text, ("t",), NAMES)[0]


# Texts, and what they are with their repeated factors collected.
SAME = {
    "s*s": "s**2",
    "s*s*s": "s**3",
    "2*s*s": "2*s**2",
    "s*2*s": "s**2*2",
    "a*s*t*s": "a*s**2*t",
    "s**2*s": "s**3",
    "square(s)*s": "s**3",
    "t/s/s": "t/s**2",
    "1/(2*s*s)": "1/(2*s**2)",
    "(t - m)*(t - m)": "(t - m)**2",
    "-(t - m)*(t - m)": "-((t - m)**2)",
    "(-s)*(-s)": "s**2",
    "exp(-t/s)*exp(-t/s)": "exp(-t/s)**2",
    "a*s*s/((t - m)**2 + s*s)": "a*s**2/((t - m)**2 + s**2)",
    "((t - m)/s)*((t - m)/s)/2": "(t - m)**2/s**2/2",
}


@pytest.mark.parametrize("text", SAME)
def test_repeated_factors_are_powers(text: str) -> None:
    assert collected(steps(text)) == steps(SAME[text])


@pytest.mark.parametrize(
    "text",
    ["a*s*t", "a + s + s", "s/s", "a*s/s*t", "s**a*s**a*0 + s**0.5", "a*exp(-(t - m)**2/(2*s**2))"],
)
def test_the_values_stay(text: str) -> None:
    tree, parameters = ExpressionTree.of(text, ("t",), NAMES), [1.7, 0.3, 2.2]
    plain = ExpressionTree(steps(text), 3)
    for t in (0.4, 5.0):
        expected = plain.value(plain.root, [t], parameters)
        assert tree.value(tree.root, [t], parameters) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("text", ["a*s*t", "a + s + s", "s/s", "a*s/s", "a**s"])
def test_other_expressions_are_as_they_were(text: str) -> None:
    assert collected(steps(text)) == steps(text)


def test_exponents_out_of_range() -> None:
    largest = "s**1e308*s**1e308"
    assert collected(steps(largest)) == steps(largest)
    assert collected(steps(f"{largest}/s**1e308/s**1e308")) == steps(f"{largest}/s**1e308/s**1e308")


def test_long_products_and_sums() -> None:
    product = collected(steps("*".join(["a", "s"] * 1000)))
    assert product == steps("a**1000*s**1000")
    total = collected(steps("+".join(["a*s*s"] * 1000)))
    assert total == steps("+".join(["a*s**2"] * 1000))


def test_random_products_keep_their_values() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        parts = rng.choice(["a", "s", "(t - m)", "2", "s**2", "(a + s)", "-s"], size=6)
        signs = rng.choice(["*", "/"], size=5, p=[0.7, 0.3])
        text = parts[0] + "".join(
            f"{sign}{part}" for sign, part in zip(signs, parts[1:], strict=True)
        )
        tree, plain = ExpressionTree.of(text, ("t",), NAMES), ExpressionTree(steps(text), 3)
        parameters = rng.uniform(0.5, 2.0, size=3).tolist()
        expected = plain.value(plain.root, [3.1], parameters)
        assert tree.value(tree.root, [3.1], parameters) == pytest.approx(expected, rel=1e-13), text
