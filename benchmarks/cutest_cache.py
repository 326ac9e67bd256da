"""The file in which `cutest` stores its problems, the best norms and results of other methods."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from cutest_methods import Record, Results, norm
from s2mpj import Problem, UnsuitableError, names

RELATIVE, ABSOLUTE = 1e-6, 1e-10
ROUNDING = 1e-14  # relative to the norm at the start


class Cache:
    """Best norms, results of the other methods and the list of the problems, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data: dict[str, Any] = {
            "problems": {},
            "left out": {},
            "best": {},
            "peers": {},
            "paths": {},
        }
        if path.exists():
            self.data.update(json.loads(path.read_text()))
        self.loaded: dict[str, Problem] = {}

    def write(self) -> None:
        """Write the file, with the results that another process has added to it."""
        if self.path.exists():
            added = json.loads(self.path.read_text())
            for name, (size, who) in added["best"].items():
                self.note(name, who, size)
            for what in ("peers", "paths"):
                for method, done in added.get(what, {}).items():
                    self.data[what][method] = done | self.data[what].get(method, {})
        other = self.path.with_suffix(".new")
        other.write_text(json.dumps(self.data, indent=1))
        other.replace(self.path)

    def problem(self, name: str) -> Problem:
        if name not in self.loaded:
            self.loaded[name] = Problem(name)
        return self.loaded[name]

    def find(self, first: str, last: str) -> None:
        """Find the least-squares problems among those not yet examined."""
        known, left_out = self.data["problems"], self.data["left out"]
        new = [n for n in names(first, last) if n not in known and n not in left_out]
        if not new:
            return
        print(f"examining {len(new)} problems, for the first run", flush=True)
        for name in new:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    p = Problem(name)
                reason = self.unusable(p)
            except UnsuitableError as other:
                reason = str(other)
            except Exception as error:  # some translations do not run
                reason = f"cannot be built: {error!r}"
            if reason is None:
                known[name] = {
                    "n": p.n, "m": p.m, "bounds": p.bounded, "start": norm(p.residual(p.start)),
                    "near": norm(p.residual(p.near())),
                }  # fmt: skip
            else:
                left_out[name] = reason
        self.write()

    def unusable(self, p: Problem) -> str | None:
        """Return why a problem is left out, if it is."""
        start = norm(p.residual(p.start))
        if not np.isfinite(start) or not np.isfinite(p.jacobian(p.start)).all():
            return "not finite at the start"
        if start == 0:
            return "solved at the start"
        # Many problems occur twice, as a sum of squares and as a system of equations.
        for name, other in self.data["problems"].items():
            if (
                (other["n"], other["m"], other["bounds"]) == (p.n, p.m, p.bounded)
                and abs(other["start"] - start) <= 1e-12 * start
                and abs(other["near"] - norm(p.residual(p.near()))) <= 1e-12 * other["near"]
                and all(
                    np.array_equal(getattr(self.problem(name), what), getattr(p, what))
                    for what in ("start", "lower", "upper")
                )
            ):
                return f"the same as {name}"
        if p.m < p.n:
            return f"m < n, n = {p.n}, m = {p.m}"
        self.loaded[p.name] = p
        return None

    def select(self, kind: str, only: list[str]) -> list[str]:
        bounded = kind.endswith("bounds")
        same = {
            name: reason.removeprefix("the same as ")
            for name, reason in self.data["left out"].items()
            if reason.startswith("the same as ")
        }
        wanted = {same.get(name, name) for name in only}
        return [
            name
            for name, about in sorted(self.data["problems"].items())
            if about["bounds"] == bounded and (not only or name in wanted)
        ]

    def note(self, name: str, who: str, size: float) -> None:
        """Store a norm if it is the best so far."""
        best = self.data["best"].get(name)
        if size < (np.inf if best is None else best[0]):
            self.data["best"][name] = [size, who]

    def best(self, name: str) -> float:
        return float(self.data["best"].get(name, [np.inf])[0])

    def start(self, name: str) -> float:
        return float(self.data["problems"][name]["start"])

    def keep(self, method: str, name: str, record: Record) -> None:
        """Store the result of another method."""
        self.data["peers"].setdefault(method, {})[name] = record[:-1]
        self.data["paths"].setdefault(method, {})[name] = record.path

    def kept(self, method: str) -> Results:
        """Return the stored results of another method."""
        paths = self.data["paths"].get(method, {})
        return {
            name: Record(*record, paths.get(name, []))
            for name, record in self.data["peers"].get(method, {}).items()
        }

    def near_best(self, name: str) -> float:
        """Return the norm up to which the problem is solved."""
        best = self.best(name)
        return best + max(RELATIVE * best, ABSOLUTE, ROUNDING * self.start(name))

    def solved(self, name: str, record: Record) -> bool:
        return record.norm <= self.near_best(name)

    def false(self, name: str, record: Record) -> bool:
        """Return whether success is reported with a cost far above the best."""
        start = self.start(name)
        excess = (record.norm / start) ** 2 - (self.best(name) / start) ** 2
        return record.success and excess > RELATIVE
