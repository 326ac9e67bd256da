"""Count the results of lmoo on a fixed set of problems, to compare builds with other constants.

    python benchmarks/sensitivity.py [--noise | --jumps] [--cache FILE] [--verbose]

The set has 752 problems, with seeds on which no constant was chosen:

* 40 of each of the 12 kinds of `random_problems`, seeds 5000 to 5039,
* 20 of each of the 12 kinds of `bounds_inside`, with random bounds that contain scipy's solution,
* 8 of each of the 4 kinds of `peaks`, with a place 1e5 times the width.

With ``--noise`` the set is 100 problems of each of the 3 kinds of `random_problems` whose model has
errors, seeds 6000 to 6099.  With ``--jumps`` it is 40 problems of each of 4 kinds whose cost has
jumps, or its lowest value at infinity, seeds 7000 to 7039:

* an onset, which leaves the cost unchanged between two points of t,
* a line with a step,
* a peak whose values are rounded to a hundredth,
* the approach to a limit, to data of a line.

Half of the problems give the Jacobian, a quarter of those with errors; the others use differences.
The script prints one line:

successes
    Fits that report success.
false successes, false failures
    As in `random_problems`, which continues each fit with scipy's methods.
reached
    Fits whose cost is at most 1e-6 above the lowest that scipy reaches from the same start.
evaluations
    Sum of the evaluations of f, differences included, without those of the Jacobian.

scipy's results are kept in FILE.  The first run needs a minute, later ones a few seconds.
"""

import argparse
import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import bounds_inside
import numpy as np
import peaks
import random_problems
from random_models import KINDS, Array, Drawn, draw

FIRST = 5000
OF_RANDOM, OF_BOUNDED, OF_PEAKS = 40, 20, 8
FIRST_NOISE, OF_NOISE = 6000, 100
NOISE = ("random noise", "fixed noise", "single precision")
PLACE = 1e5  # of a peak, in units of its width
FIRST_JUMP, OF_JUMPS = 7000, 40
SAME_END = 0.1  # share of the tolerance within which two costs are those of one solution
CACHE = Path("/tmp/lmoo-sensitivity.json")


class Named(NamedTuple):
    """A problem: its name, how to draw it, and whether it gives its Jacobian."""

    name: str
    draw: Callable[[], Drawn]
    has_jacobian: bool


def random_set(kinds: Iterable[str], first: int, count: int) -> Iterator[Named]:
    for kind in kinds:
        for seed in range(first, first + count):
            drawn = draw(kind, seed)
            has_jacobian = seed % 2 == 1 and not (drawn.noise and seed % 4 == 3)
            # A model with random noise has a state: each solve must draw the problem again.
            yield Named(
                f"{kind} {seed}",
                lambda kind=kind, seed=seed: draw(kind, seed),
                has_jacobian,
            )


def noise_set() -> Iterator[Named]:
    return random_set(NOISE, FIRST_NOISE, OF_NOISE)


def whole_set() -> Iterator[Named]:
    yield from random_set(KINDS, FIRST, OF_RANDOM)
    yield from bounded_set()
    yield from peak_set()


def bounded_set() -> Iterator[Named]:
    for index, kind in enumerate(bounds_inside.KINDS):
        random = np.random.default_rng([index, FIRST])
        found = 0
        while found < OF_BOUNDED:
            inner = bounds_inside.draw(kind, random)
            model = inner.model
            drawn = Drawn(
                lambda t, p, model=model: model(t.astype(p.dtype), *p),
                inner.t,
                inner.y,
                inner.start,
            )
            solution = random_problems.least_squares(drawn, drawn.start, "lm")
            bounds = bounds_inside.bounds_round(inner, solution, random)
            if bounds is None or not (solution != drawn.start).all():
                continue
            yield Named(
                f"inside {kind} {found}",
                lambda drawn=drawn, bounds=bounds: drawn._replace(bounds=bounds),
                found % 2 == 1,
            )
            found += 1


def peak_set() -> Iterator[Named]:
    for index, (name, kind) in enumerate(peaks.KINDS.items()):
        random = np.random.default_rng([index, FIRST])
        for number in range(OF_PEAKS):
            width = 10 ** random.uniform(-2, 2)
            place = PLACE * width
            t = place + width * np.linspace(-peaks.REACH, peaks.REACH, peaks.POINTS)
            # The third parameter of a resonance is its quality, of an oscillator twice its width.
            third = {"resonance": PLACE / 2, "oscillator": 2 * width}.get(name, width)
            true = np.array([peaks.AMPLITUDE, place, third, peaks.BACKGROUND])
            model = kind.model
            y = model(t, *true) + peaks.NOISE * random.standard_normal(t.size)
            start = true * [random.uniform(0.5, 1.5), 1, random.uniform(0.7, 1.5), 0.5]
            start[1] += width * random.uniform(-1, 1)
            drawn = Drawn(lambda t, p, model=model: model(t, *p), t, y, start)
            yield Named(f"peak {name} {number}", lambda drawn=drawn: drawn, number % 2 == 1)


def onset(t: Array, p: Array) -> Array:
    """Return a decay that begins at p[1]."""
    after = t > np.real(p[1])
    return np.where(after, p[0] * np.exp(-np.where(after, t - p[1], 0.0) / p[2]), 0.0)


def step(t: Array, p: Array) -> Array:
    """Return a line that is higher by p[2] beyond p[3]."""
    return p[0] + p[1] * t + p[2] * (t > np.real(p[3]))


def rounded_peak(t: Array, p: Array) -> Array:
    return np.round(p[0] * np.exp(-0.5 * ((t - p[1]) / p[2]) ** 2), 2)


def approach(t: Array, p: Array) -> Array:
    return p[0] * (1.0 - np.exp(-t / p[1])) + p[2]


JUMPS = {
    "onset": (onset, [3.0, 3.0, 2.0], 0.02),
    "step": (step, [1.0, 0.3, 2.0, 5.0], 0.02),
    "rounded peak": (rounded_peak, [5.0, 4.0, 1.5], 0.0),
    "approach": (approach, [1e4, 1e4, 1.0], 0.02),
}


def jump_set() -> Iterator[Named]:
    for index, (name, (model, typical, noise)) in enumerate(JUMPS.items()):
        for seed in range(FIRST_JUMP, FIRST_JUMP + OF_JUMPS):
            random = np.random.default_rng([index, seed])
            t = np.linspace(0.0, 10.0, 60)
            true = np.array(typical) * random.uniform(0.8, 1.2, len(typical))
            y = model(t, true) + noise * true[0] * random.standard_normal(t.size)
            start = true * random.uniform(0.8, 1.2, true.size)
            if name == "approach":
                y = true[2] + 0.3 * t + noise * random.standard_normal(t.size)
                start = np.array([5.0, 10.0, 0.5]) * random.uniform(0.5, 2.0, 3)
            # The derivatives of rounded values are 0.
            has_jacobian = seed % 2 == 1 and name != "rounded peak"
            drawn = Drawn(model, t, y, start)
            yield Named(f"{name} {seed}", lambda drawn=drawn: drawn, has_jacobian)


class Judge:
    """Verdicts of scipy's methods, kept in a file.

    Parameters
    ----------
    path : Path
        File for scipy's results; created if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def best(self, name: str, drawn: Drawn) -> float:
        """Return the lowest cost that scipy reaches from the start."""
        entry = self.known.setdefault(name, {"best": None, "ends": []})
        if entry["best"] is None:
            ends = [random_problems.scipys(drawn, True)]
            for method in ("trf", "dogbox") if drawn.bounds else ("lm", "trf"):
                ends.append(random_problems.least_squares(drawn, drawn.start, method))
            if drawn.bounds:
                # The bounds contain the solution, for the problems of bounds_inside.
                free = random_problems.least_squares(drawn._replace(bounds=None), drawn.start, "lm")
                if ((drawn.bounds[0] <= free) & (free <= drawn.bounds[1])).all():
                    ends.append(free)
            entry["best"] = min(drawn.cost(x) for x in ends)
        return entry["best"]

    def verdict(self, name: str, drawn: Drawn, x: Array, success: bool) -> str:
        """Return `random_problems.judge`, with what is known of the same solution."""
        cost = drawn.cost(x)
        slack = SAME_END * max(random_problems.FALSE_FAILURE * cost, drawn.floor)
        ends = self.known[name]["ends"]
        same = [end for end in ends if abs(end[0] - cost) <= slack]
        if not same:
            lowest = random_problems.lowered(drawn, x)
            same = [[cost, lowest, random_problems.full_rank(drawn, x)]]
            ends += same
        _, low, full_rank = same[0]
        gain = cost - low
        if success:
            limit = max(random_problems.FALSE_SUCCESS * cost, drawn.floor)
            return "false success" if gain > limit else "success"
        if gain > max(random_problems.FALSE_FAILURE * cost, drawn.floor):
            return "failure"
        return "false failure" if full_rank else "degenerate failure"

    def save(self) -> None:
        self.path.write_text(json.dumps(self.known))


def evaluate(problems: Iterable[Named], judge: Judge, verbose: bool) -> Counter[str]:
    """Solve the problems with the lmoo on the path, and count."""
    seen: Counter[str] = Counter()
    for problem in problems:
        drawn = problem.draw()
        x, success, status, calls = random_problems.ours(drawn, problem.has_jacobian)
        seen["problems"] += 1
        if status == random_problems.NOT_FINITE:
            seen["not finite"] += 1
            continue
        best = judge.best(problem.name, drawn)
        cost = drawn.cost(x)
        verdict = judge.verdict(problem.name, drawn, x, success)
        near = cost - best <= max(random_problems.REACHED * best, drawn.floor)
        seen["successes"] += success
        seen[verdict + ("es" if verdict.endswith("success") else "s")] += verdict != "success"
        seen["reached"] += near
        seen["evaluations"] += calls
        if verbose:
            print(f"{problem.name}: {verdict}, {status}, {calls}{'' if near else ', above'}")
    return seen


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--noise", action="store_true", help="models with errors only")
    chosen.add_argument("--jumps", action="store_true", help="jumps, and minima at infinity, only")
    parser.add_argument("--cache", type=Path, default=CACHE, help="file for scipy's results")
    parser.add_argument("--verbose", action="store_true", help="a line for each problem")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    judge = Judge(options.cache)
    problems = noise_set() if options.noise else jump_set() if options.jumps else whole_set()
    seen = evaluate(problems, judge, options.verbose)
    judge.save()
    names = ("successes", "false successes", "false failures", "reached", "evaluations")
    print(f"{seen['problems']} problems: " + ", ".join(f"{seen[name]} {name}" for name in names))
