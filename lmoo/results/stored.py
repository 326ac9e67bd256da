"""A solved problem that can be stored: as a dict, as JSON, in a pickle."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from lmoo.results.fit import Fit

# Objects of the user and of other packages, which may be impossible to pickle or to unpickle.
_FROZEN = ("problem", "solver", "_units")


# The methods of the dataclass are inherited; generating them again would slow down `import lmoo`.
@dataclass(frozen=True, eq=False, init=False, repr=False)
class StoredFit(Fit):
    """A `Fit` with the methods of `lmoo.Result` that store it."""

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a dict of numbers, strings, lists and dicts.

        It contains the fields and the statistics by their names, in full precision; "Reports" in
        the documentation lists the keys.  Problem, solver and history are left out.

        Numbers may be nan, inf and -inf.  ``json.dumps`` writes them as the literals NaN and
        Infinity, which are not standard JSON; `to_json` writes strings instead.

        Examples
        --------
        >>> import lmoo
        >>> result = lmoo.Solver().solve(lmoo.FunctionProblem(lambda x: x - 3.0), [1.0])
        >>> stored = result.to_dict()
        >>> stored["x"], stored["standard_errors"]
        ([3.0], [inf])
        >>> lmoo.Result.from_dict(stored).x
        array([3.])
        """
        from lmoo.results.storage import to_dict

        return to_dict(self)

    def to_json(self, indent: int | None = None) -> str:
        """Return `to_dict` as JSON.

        Infinities and NaN are the strings "inf", "-inf" and "nan", as JSON cannot represent them.
        ``float`` converts these strings in Python; ``Number`` does not in JavaScript.
        """
        from lmoo.results.storage import to_json

        return to_json(self, indent)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return a result from the dict of `to_dict`, or from ``json.loads`` of `to_json`.

        The result has no problem and no solver.  Profiles, predictions and the Jacobian need
        these, and raise ValueError.

        Raises
        ------
        ValueError
            `stored` is incomplete, or has an entry of the wrong type, shape or value.
        """
        from lmoo.results.storage import from_dict

        return from_dict(cls, stored)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state to pickle, without a problem or solver that cannot be pickled."""
        from lmoo.results.pickles import frozen
        from lmoo.results.report.subject import kept_subject
        from lmoo.results.statistics import known_r_squared

        # Only the fields: cached properties can be computed again.
        kept = {part.name: getattr(self, part.name) for part in fields(self)}
        kept["_subject"] = kept_subject(self)
        kept["_units"], kept["_r_squared"] = dict(self.units), known_r_squared(self)
        return {**kept, **{name: frozen(kept[name]) for name in _FROZEN}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        from lmoo.results.pickles import thawed
        from lmoo.results.storedfields import check

        missing = {part.name for part in fields(self)}.difference(state)
        if missing:
            raise ValueError(
                f"the stored result has no {', '.join(sorted(missing))}: it is incomplete, or of "
                "another version of lmoo"
            )
        vars(self).update(state)
        vars(self).update({name: thawed(state[name]) for name in _FROZEN})
        try:
            check(self)
        except (TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"the stored result is damaged: {error}") from error

    def __copy__(self) -> Self:
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Problem and solver are inputs and are shared with the copy.
        shared = {id(part): part for part in (self.problem, self.solver)}
        twin = object.__new__(type(self))
        vars(twin).update(copy.deepcopy(vars(self), {**memo, **shared}))
        return twin
