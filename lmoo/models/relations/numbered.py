"""Relations of a joint problem with the names of all its parameters: "a" stands for "a[0]", ..."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from lmoo.models.expression.errors import ExpressionError
from lmoo.models.expression.tokens import tokens
from lmoo.problems.boundsforms import FrozenMapping
from lmoo.problems.parameters import LinearForm, Relations, relations_of

Names = Mapping[str, str]


def renamed(text: str, names: Names) -> str:
    """Return an expression with other names.

    Examples
    --------
    >>> from lmoo.models.relations.numbered import renamed
    >>> renamed("a*exp(-tau) + a", {"a": "a[3]"})
    'a[3]*exp(-tau) + a[3]'
    """
    out, end = [], 0
    for token, following in _pairs(text):
        if token.kind == "name" and following.text != "(" and token.text in names:
            out += [text[end : token.place], names[token.text]]
            end = token.place + len(token.text)
    return "".join([*out, text[end:]])


def _used(text: str) -> set[str]:
    """Return the names of an expression that are not called."""
    return {
        token.text
        for token, following in _pairs(text)
        if token.kind == "name" and following.text != "("
    }


def _pairs(text: str) -> list[Any]:
    """Return the tokens with those that follow; none of a text that is not understood."""
    try:
        return list(pairwise(tokens(text, numbered=True)))
    except ExpressionError:
        # The message is that of the parser.
        return []


def joint_relations(problem: Any, given: Relations | None) -> Relations | None:
    """Return the relations of a joint problem, by the names of all its parameters.

    Where the solver and the joint problem leave out ties, priors, derived quantities or
    constraints, those of the single problems are taken.

    Parameters
    ----------
    problem : JointProblem
    given : Relations or None
        Of the solver and the joint problem.  A name of own parameters without a number stands for
        each problem that has it: "c" tied to "a/5" means "c[0]" tied to "a[0]/5", and so on.

    Raises
    ------
    ValueError
        Two problems have different relations of the same shared parameter.
    """
    whole = Relations() if given is None else given
    parts = _Parts(problem)
    ties, derived = parts.ties(whole.ties), parts.derived(whole.derived)
    priors, constraints = parts.priors(whole.priors), parts.constraints(whole.constraints)
    members = _of_members(problem)
    found = Relations(
        FrozenMapping(ties or members.ties),
        FrozenMapping(priors or members.priors),
        FrozenMapping(derived or members.derived),
        constraints or members.constraints,
    )
    return found if any(len(part) for part in found) else None


class _Parts:
    """The names of the own parameters of the problems, without their numbers."""

    def __init__(self, problem: Any) -> None:
        self.all = problem.parameter_names
        s = len(problem.shared)
        self.names: list[dict[str, str]] = [
            {name: self.all[j] for name, j in zip(own, index.tolist(), strict=True) if j >= s}
            for own, index in zip(problem._own_names, problem.indices, strict=True)
        ]
        self.bare = {name for names in self.names for name in names} - set(self.all)
        self.groups = {full: k for k, names in enumerate(self.names) for full in names.values()}

    def each(self, names: Iterable[str]) -> list[dict[str, str]]:
        """Return the names of the problems that have all of some parameters."""
        return [known for known in self.names if all(name in known for name in names)]

    def ties(self, given: Names) -> dict[str, str]:
        """Return ties; that of a single parameter replaces one of all parameters of this name."""
        out = {}
        for name in sorted(given, key=lambda name: name in self.all):
            if name in self.bare:
                for known in self.each([name]):
                    out[known[name]] = renamed(given[name], known)
            else:
                known = self.names[self.groups[name]] if name in self.groups else {}
                out[name] = renamed(given[name], known)
        return out

    def derived(self, given: Names) -> dict[str, str]:
        """Return derived quantities; those of bare names are known by bare names from then on."""
        out = {}
        for name, text in given.items():
            bare = _used(text) & self.bare
            if not bare or not self.each(bare):
                out[name] = text
                continue
            for k, known in enumerate(self.names):
                if bare <= known.keys():
                    full = f"{name}[{k}]"
                    out[full] = renamed(text, known)
                    known[name] = full
            self.bare.add(name)
        return out

    def priors(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return priors; that of a single parameter replaces one of all of this name."""
        out = {}
        for name in sorted(given, key=lambda name: name not in self.bare):
            full = [known[name] for known in self.each([name])] if name in self.bare else [name]
            out.update(dict.fromkeys(full, given[name]))
        return out

    def constraints(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return constraints."""
        out: list[Any] = []
        for one in given:
            bare = _used(one) & self.bare if isinstance(one, str) else set()
            every = [renamed(one, known) for known in self.each(bare)] if bare else []
            out += every or [one]
        return tuple(out)


def _of_members(problem: Any) -> Relations:
    """Return the relations of the single problems."""
    found: dict[str, dict[str, Any]] = {"ties": {}, "priors": {}, "derived": {}}
    constraints: list[Any] = []
    for k, (part, index) in enumerate(zip(problem.problems, problem.indices, strict=True)):
        relations = relations_of(None, part)
        if relations is None:
            continue
        names = dict(
            zip(problem._own_names[k], (problem.parameter_names[j] for j in index), strict=True)
        )
        names |= {name: f"{name}[{k}]" for name in relations.derived}
        for option, known in found.items():
            for name, value in getattr(relations, option).items():
                full = names.get(name, name)
                value = renamed(value, names) if isinstance(value, str) else value
                if known.setdefault(full, value) != value:
                    raise ValueError(
                        f"{option} of the problems must not differ for the same parameter; those "
                        f"of {full} are {known[full]!r} and {value!r}; give them to the joint "
                        "problem"
                    )
        constraints += [
            renamed(one, names) if isinstance(one, str) else _scattered(one, index, problem)
            for one in relations.constraints
        ]
    return Relations(found["ties"], found["priors"], found["derived"], tuple(constraints))


def _scattered(form: LinearForm, index: Any, problem: Any) -> LinearForm:
    """Return constraints of the parameters of one problem as constraints of all."""
    A = np.array(form.A)
    if A.shape[1] != index.size:
        # The message is that of the joint problem.
        return form
    out = np.zeros((len(A), len(problem.parameter_names)))
    out[:, index] = A
    return form._replace(A=tuple(map(tuple, out.tolist())))
