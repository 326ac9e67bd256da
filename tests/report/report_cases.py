"""Results that the tests of reports share."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from typing import Any

import numpy as np

import lmoo
from lmoo import CurveProblem, FunctionProblem, JointProblem, Result, Solver

T = np.linspace(0.0, 2.0, 12)
Y = 2.0 * np.exp(-1.3 * T) + 0.3 + 0.05 * np.cos(7.0 * T)
NASTY = ("<script>alert(1)</script>", "a & b_1", 'c"{}\\%$#|*^~')


def decay(t: Any, amplitude: float, rate: float, offset: float) -> Any:
    return amplitude * np.exp(-rate * t) + offset


def line(t: Any, slope: float, offset: float) -> Any:
    return slope * t + offset


def fitted(**options: Any) -> Result:
    return Solver(**options).solve(CurveProblem(decay, T, Y), [1.0, 1.0, 0.2])


def linear(n: int, names: Any = None, m: int = 0, seed: int = 0) -> Result:
    """A linear fit of n parameters to m points, twice as many as parameters if m is 0."""
    random = np.random.default_rng(seed)
    m = m or 2 * n + 2
    A, y = random.normal(size=(m, n)), random.normal(size=m)
    names = [f"p{j}" for j in range(n)] if names is None else names
    problem = FunctionProblem(lambda x: A @ x - y, lambda x: A, parameter_names=names)
    return Solver().solve(problem, np.ones(n))


def joint(count: int) -> Result:
    """A joint fit of lines with one slope."""
    parts = [CurveProblem(line, T, 2.0 * T + k + 0.01 * np.cos(9 * T)) for k in range(count)]
    problem = JointProblem(parts, shared=["slope"])
    return Solver().solve(problem, {"slope": 1.0, "offset": 0.0})


def _complex(w: Any, r: float, tau: float) -> Any:
    return r / (1.0 + 1j * w * tau)


class _InBlocks(lmoo.RowBlockProblem):
    def residual(self, x: np.ndarray, block: Any) -> np.ndarray:
        return decay(block[0], *x) - block[1]


@cache
def case(name: str) -> Result:
    """The result of a kind of fit, by name."""
    far = Y.copy()
    far[[3, 9]] += 2.0
    text = "a*exp(-b*t) + c"
    makers: dict[str, Any] = {
        "curve": fitted,
        "text": lambda: lmoo.fit(text, T, Y),
        "sigma": lambda: lmoo.fit(text, T, Y, sigma=np.full(T.size, 0.05)),
        "covariance": lambda: lmoo.fit(text, T, Y, p0=[2, 1, 0], sigma=0.01 * np.eye(T.size)),
        "bounds": lambda: fitted(bounds={"offset": (0.15, 5.0)}, fixed=["rate"]),
        "flat": lambda: Solver().solve(FunctionProblem(lambda x: np.ones(3)), [1.0, 2.0]),
        "unfinished": lambda: Solver().iterate(FunctionProblem(lambda x: x), [1.0, 2.0]).result,
        "maxfev": lambda: Solver(maxfev=2).solve(CurveProblem(decay, T, Y), [1.0, 1.0, 0.2]),
        "plain": lambda: Solver().solve(FunctionProblem(lambda x: np.append(x - 3, 0.1)), [1.0]),
        "one": lambda: linear(1),
        "hundred": lambda: linear(100),
        "many": lambda: linear(210),
        "joint": lambda: joint(3),
        "large joint": lambda: joint(250),
        "part": lambda: joint(3).part(1),
        "robust": lambda: lmoo.fit(text, T, far, p0=[2, 1, 0.3], loss="cauchy", f_scale=0.1),
        "complex": lambda: lmoo.fit(_complex, T, _complex(T, 2.0, 0.7) + 0.01 * Y, p0=[1, 1]),
        "errors in x": lambda: lmoo.fit(text, T, Y, p0=[2, 1, 0.3], sigma=0.05, sigma_x=0.01),
        "ties": lambda: lmoo.fit(
            text, T, Y, p0=[2, 1, 0.3], ties={"c": "a/6"}, priors={"b": (1.3, 0.5)},
            derived={"tau": "1/b"},
        ),
        "separable": lambda: fitted(separable=True),
        "blocks": lambda: Solver().solve(_InBlocks([(T, Y)]), [1.0, 1.0, 0.2]),
        "sum": lambda: lmoo.fit(
            lmoo.Expression("a*exp(-b*t)") + lmoo.Expression("c"), T, Y, p0=[2, 1, 0]
        ),
        "no freedom": lambda: linear(3, m=3),
        "names": lambda: linear(3, NASTY),
        "stored": lambda: Result.from_dict(fitted().to_dict()),
    }  # fmt: skip
    result: Result = makers[name]()
    return result


NAMES = (
    "curve", "text", "sigma", "covariance", "bounds", "flat", "unfinished", "maxfev", "plain",
    "one", "hundred", "many", "joint", "large joint", "part", "robust", "complex", "errors in x",
    "ties", "separable", "blocks", "sum", "no freedom", "names", "stored",
)  # fmt: skip
FAILED = ("flat", "unfinished", "maxfev")


class Checked(HTMLParser):
    """Every tag that opens closes, in order; text, tags and attributes are collected."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all tags of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]
