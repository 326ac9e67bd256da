"""`JointProblem`: problems that share some of their parameters, fitted together."""

# Names of types, not unions of many, are shown by help().
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmoo._core.arrays import Array
from lmoo.problems.arguments import real_array
from lmoo.problems.bounds import limits
from lmoo.problems.kinds import Form, form_of
from lmoo.problems.names import names_of
from lmoo.problems.problem import Problem, residual_call
from lmoo.problems.typed import Bounds, Constraints, Expressions, Fixed, Priors

Shared = Sequence[str] | Mapping[str, str | Sequence[str | None]]


class JointProblem(Problem):
    """Fit several problems together, with some parameters in common.

    Its residual is those of the problems, one after the other.  It is solved with an arrow linear
    model: the parameters of each problem that are its own are eliminated by a QR factorisation of
    its own rows (Demmel, Schubert, Sommer, Cremers, Usenko 2021, "Square root bundle adjustment for
    large-scale reconstruction", CVPR).  Time and memory are linear in the number of problems.

    Parameters
    ----------
    problems : sequence of Problem or CompiledProblem
        They may have different models and lengths, and each needs ``parameter_names``.  One problem
        with several data sets has to be given as several.
    shared : sequence of str, or mapping
        The names of the parameters that are common to all problems which have them; or a mapping
        from the name of a shared parameter to what the problems call it: one name, or a name for
        each problem, None for a problem that does not have it.
    bounds : mapping, optional
        From names to pairs of numbers.  A name of a problem's own parameters, "a", stands for
        "a[0]", "a[1]", ...; a name with a number for that one alone.  None: the bounds of the
        problems.
    fixed : sequence of str or mapping, optional
        As bounds, see `lmoo.bounds.limits`.  None: the parameters that problems fix.
    ties, priors, derived, constraints : optional
        Relations of the parameters, as for `Solver`.  A name of own parameters without a number
        stands for each problem that has them: "c" tied to "a/5" ties "c[0]" to "a[0]/5", and so on.
        Own parameters that are related to those of another problem are treated as shared.  None:
        those of the problems.

    Attributes
    ----------
    problems : tuple
    shared : tuple of str
    absolute_sigma : bool
        That of the problems, which must agree.
    parameter_names : tuple of str
        The shared parameters, then the own ones of each problem: "tau", "a[0]", "b[0]", "a[1]", ...
    indices : tuple of intp arrays
        The places of the parameters of each problem among all, in the problem's order.
    bounds, fixed
        With the names of all parameters.
    ties, priors, derived, constraints
        As given.

    Raises
    ------
    TypeError
        A problem without a residual, or in blocks of rows; `shared` has another form.
    ValueError
        No problems; ``absolute_sigma`` of some problems only; problems without names of their
        parameters; a shared name that no problem has;
        unknown names in bounds or fixed parameters.

    See Also
    --------
    curve_fit_many : With ``shared``, a stack of curves with one model.
    Result.part : The result of one of the problems.

    Examples
    --------
    Two decays with one rate:

    >>> import numpy as np, lmoo
    >>> def decay(t, a, rate):
    ...     return a * np.exp(-rate * t)
    >>> t, s = np.linspace(0, 4, 9), np.linspace(0, 2, 5)
    >>> problem = lmoo.JointProblem(
    ...     [lmoo.CurveProblem(decay, t, decay(t, 3.0, 0.5)),
    ...      lmoo.CurveProblem(decay, s, decay(s, 1.0, 0.5))],
    ...     shared=["rate"])
    >>> problem.parameter_names
    ('rate', 'a[0]', 'a[1]')
    >>> result = lmoo.Solver().solve(problem, {"rate": 1.0, "a": 2.0})
    >>> result.x.round(6)
    array([0.5, 3. , 1. ])
    """

    residual_form: Form = "joint"
    parameter_names: tuple[str, ...]

    def __init__(
        self,
        problems: Sequence[Any],
        shared: Shared,
        *,
        bounds: Bounds | None = None,
        fixed: Fixed | None = None,
        ties: Expressions | None = None,
        priors: Priors | None = None,
        derived: Expressions | None = None,
        constraints: Constraints | None = None,
    ) -> None:
        self.problems = _checked(problems)
        self._own_names = tuple(_names(k, part) for k, part in enumerate(self.problems))
        self.shared, called = _shared_names(shared, self._own_names)
        self.indices: tuple[NDArray[np.intp], ...]
        self.parameter_names, self.indices = _arranged(self.shared, called, self._own_names)
        self._places = {name: j for j, name in enumerate(self.parameter_names)}
        self.bounds = self._members_bounds() if bounds is None else self._expanded("bounds", bounds)
        self.absolute_sigma = _absolute_sigma(self.problems)
        self.fixed = self._members_fixed() if fixed is None else self._expanded("fixed", fixed)
        self._relate(ties, priors, derived, constraints)

    @property
    def own(self) -> NDArray[np.intp]:
        """The number of own parameters of each problem."""
        s = len(self.shared)
        return np.array([np.count_nonzero(index >= s) for index in self.indices], dtype=np.intp)

    def residual(self, x: Array) -> Array:
        """Return the residuals of all problems, one after the other."""
        return np.concatenate(
            [
                residual_of(part, x[index])
                for part, index in zip(self.problems, self.indices, strict=True)
            ]
        )

    def start(self, values: Mapping[str, ArrayLike], optional: Sequence[str] = ()) -> Array:
        """Return a starting point from values by name.

        Parameters
        ----------
        values : mapping
            From names to numbers.  The name of an own parameter without a number, "a", takes one
            number for all problems that have it, or one for each of these, in their order; "a[3]"
            takes that of one problem, and has precedence.
        optional : sequence of str
            Parameters that need no value, as they are tied.

        Raises
        ------
        ValueError
            An unknown name; a parameter without a value; another number of values.

        Examples
        --------
        >>> import numpy as np, lmoo
        >>> line = lambda t, slope, offset: slope * t + offset
        >>> parts = [lmoo.CurveProblem(line, np.arange(4.0), np.arange(4.0)) for _ in range(2)]
        >>> problem = lmoo.JointProblem(parts, shared=["slope"])
        >>> problem.start({"slope": 1.0, "offset": [2.0, 3.0]})
        array([1., 2., 3.])
        """
        out = np.full(len(self.parameter_names), np.nan)
        for name in sorted(values, key=lambda name: str(name) in self._places):
            where = self._found("x0", name)
            numbers = real_array(f"x0[{name!r}]", values[name])
            if numbers.shape not in ((), (len(where),)):
                raise ValueError(
                    f"x0[{name!r}] must be one number, or one for each of the {len(where)} "
                    f"problems that have it; it has shape {numbers.shape}"
                )
            out[where] = numbers
        out[[self._places[name] for name in optional if name in self._places]] = 1.0
        missing = [self.parameter_names[j] for j in np.flatnonzero(np.isnan(out))]
        if missing:
            raise ValueError(
                f"x0 must have a finite value for each parameter; {missing[0]} has none"
            )
        return out

    # ---- names --------------------------------------------------------------------------------

    def _found(self, what: str, name: Any) -> list[int]:
        """Return the places of the parameters that a name stands for."""
        if name in self._places:
            return [self._places[name]]
        found = [
            self._places[f"{name}[{k}]"]
            for k in range(len(self.problems))
            if f"{name}[{k}]" in self._places
        ]
        if not found:
            raise ValueError(f"{what} has {name!r}, which is not a parameter; {self._known()}")
        return found

    def _known(self) -> str:
        own = list(dict.fromkeys(name for names in self._own_names for name in names))
        return f"shared are {', '.join(self.shared)}, and the problems have {', '.join(own)}"

    def _expanded(self, what: str, given: Any) -> Any:
        """Return bounds or fixed parameters with the names of all parameters."""
        names = self.parameter_names
        if isinstance(given, Mapping):
            # Entries of single parameters come last, as they have precedence.
            keys = sorted(given, key=lambda name: name in self._places)
            return {names[j]: given[key] for key in keys for j in self._found(what, key)}
        if isinstance(given, Sequence) and all(isinstance(name, str) for name in given):
            return list(dict.fromkeys(names[j] for key in given for j in self._found(what, key)))
        return given

    def _members_bounds(self) -> dict[str, tuple[float, float]] | None:
        """Return the bounds of the problems; those of a shared parameter hold together."""
        lower = np.full(len(self.parameter_names), -np.inf)
        upper = np.full(len(self.parameter_names), np.inf)
        for part, index, names in zip(self.problems, self.indices, self._own_names, strict=True):
            bounds = getattr(part, "bounds", None)
            if bounds is not None:
                low, high, _ = limits(bounds, None, names, len(names))
                lower[index] = np.maximum(lower[index], low)
                upper[index] = np.minimum(upper[index], high)
        where = np.flatnonzero(np.isfinite(lower) | np.isfinite(upper))
        return {self.parameter_names[j]: (lower[j], upper[j]) for j in where} or None

    def _members_fixed(self) -> Any:
        """Return the fixed parameters of the problems; a mapping if values are given."""
        held: list[str] = []
        values: dict[str, float] = {}
        for part, index, names in zip(self.problems, self.indices, self._own_names, strict=True):
            fixed = getattr(part, "fixed", None)
            if fixed is None:
                continue
            low, _, flags = limits(None, fixed, names, len(names))
            for j in np.flatnonzero(flags).tolist():
                name = self.parameter_names[index[j]]
                held.append(name)
                if np.isfinite(low[j]) and values.setdefault(name, float(low[j])) != low[j]:
                    raise ValueError(
                        f"the problems fix {name} at different values: {values[name]} and {low[j]}"
                    )
        if values and set(held) != set(values):
            raise ValueError(
                "fixed must be given, as some of the problems fix parameters at values, and others "
                f"at their starting values: {', '.join(sorted(set(held) - set(values)))}"
            )
        return values or list(dict.fromkeys(held)) or None


def _absolute_sigma(problems: Sequence[Any]) -> bool:
    """Return whether the errors of all data are known; ValueError if only those of some are."""
    flags = [bool(getattr(part, "absolute_sigma", None)) for part in problems]
    if len(set(flags)) > 1:
        k = flags.index(False)
        raise ValueError(
            "problems must have the same absolute_sigma, as their residuals have one scale; it is "
            f"True for problems[{flags.index(True)}] and not for problems[{k}]"
        )
    return flags[0]


def residual_of(part: Any, x: Array) -> Array:
    """Return the residual of one of the problems, (m,)."""
    func, args, kwargs = residual_call(part)
    return np.array(func(x.copy(), *args, **kwargs), dtype=np.float64).reshape(-1)


def _checked(problems: Any) -> tuple[Any, ...]:
    if isinstance(problems, (str, Mapping)) or not isinstance(problems, Sequence):
        raise TypeError(f"problems must be a sequence of problems; it is {problems!r}")
    if not problems:
        raise ValueError("problems must have one problem at least; it is empty")
    for k, part in enumerate(problems):
        form = form_of(part)
        if form == "points":
            raise TypeError(
                f"problems[{k}] must be without sigma_x, as its points are groups of their own"
            )
        if form != "whole":
            raise TypeError(
                f"problems[{k}] must have its residual in one piece; it is a {type(part).__name__}"
            )
        if not callable(getattr(part, "residual", None)):
            raise TypeError(
                f"problems[{k}] must be a Problem or have a method residual(x); it is {part!r}"
            )
    return tuple(problems)


def _names(k: int, part: Any) -> tuple[str, ...]:
    names = getattr(part, "parameter_names", None)
    if names is None:
        raise ValueError(
            f"problems[{k}] must have parameter_names, by which parameters are shared; it has none"
        )
    return names_of(tuple(names), len(names))


def _shared_names(
    shared: Any, names: tuple[tuple[str, ...], ...]
) -> tuple[tuple[str, ...], list[list[tuple[str, int]]]]:
    """Return the shared names, and for each problem what it calls them, with their places."""
    if isinstance(shared, str) or not isinstance(shared, (Sequence, Mapping)):
        raise TypeError(
            'shared must be a sequence of names, such as ["tau"], or a mapping from names to those '
            f"of the problems; it is {shared!r}"
        )
    if not shared:
        raise ValueError("shared must name a parameter at least; it is empty")
    having = _problems_having(names)
    found: dict[str, int] = {}
    called: list[list[tuple[str, int]]] = [[] for _ in names]
    for name in shared:
        if not isinstance(name, str):
            raise TypeError(f"shared must have names; it has {name!r}")
        if name in found:
            raise ValueError(f"shared must name a parameter once; {name!r} is there twice")
        given = shared[name] if isinstance(shared, Mapping) else name
        if isinstance(given, str):
            pairs = [(k, given) for k in having.get(given, [])]
        else:
            pairs = _named_by_each(name, tuple(given), names)
        if not pairs:
            raise ValueError(
                f"shared has {name!r}, which no problem has; the problems have {', '.join(having)}"
            )
        for k, own_name in pairs:
            called[k].append((own_name, len(found)))
        found[name] = len(found)
    return tuple(found), called


def _problems_having(names: tuple[tuple[str, ...], ...]) -> dict[str, list[int]]:
    """Return which problems have a parameter of each name."""
    having: dict[str, list[int]] = {}
    for k, part in enumerate(names):
        for name in part:
            having.setdefault(name, []).append(k)
    return having


def _named_by_each(
    name: str, called: tuple[Any, ...], names: tuple[tuple[str, ...], ...]
) -> list[tuple[int, str]]:
    """Return the problems that have a shared parameter, with what these call it."""
    if len(called) != len(names):
        raise ValueError(
            f"shared[{name!r}] must have a name or None for each of the {len(names)} "
            f"problems; it has {len(called)}"
        )
    for k, (one, part) in enumerate(zip(called, names, strict=True)):
        if one is not None and one not in part:
            raise ValueError(
                f"shared[{name!r}] has {one!r} for problems[{k}], the parameters of which "
                f"are {', '.join(part)}"
            )
    return [(k, one) for k, one in enumerate(called) if one is not None]


def _arranged(
    shared: tuple[str, ...],
    called: list[list[tuple[str, int]]],
    names: tuple[tuple[str, ...], ...],
) -> tuple[tuple[str, ...], tuple[NDArray[np.intp], ...]]:
    """Return the names of all parameters, and the places of those of each problem."""
    everything = list(shared)
    indices = []
    for k, part in enumerate(names):
        places = dict(called[k])
        if len(places) < len(called[k]):
            raise ValueError(
                f"shared must give a parameter of problems[{k}] once; one of them is there twice"
            )
        index = np.empty(len(part), dtype=np.intp)
        for i, name in enumerate(part):
            if name in places:
                index[i] = places[name]
            else:
                index[i] = len(everything)
                everything.append(f"{name}[{k}]")
        indices.append(index)
    return names_of(tuple(everything), len(everything)), tuple(indices)
