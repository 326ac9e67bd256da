"""Replace scipy's least-squares functions in all modules, and restore them."""

import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType, TracebackType
from typing import Any

NAMES = ("curve_fit", "least_squares", "leastsq")

_LOCK = threading.RLock()


class _State:
    """The functions that are replaced, and the blocks that want them replaced."""

    def __init__(self) -> None:
        # Originals and replacements; empty while nothing is replaced.
        self.pairs: list[tuple[Callable[..., Any], Callable[..., Any]]] = []
        self.forever = False
        self.blocks = 0


_STATE = _State()


class ScipyPatch:
    """Context manager that `patch_scipy` returns, and that ends the replacement.

    Blocks may be nested, and may overlap in threads; the last one to end restores scipy, unless
    `patch_scipy` was called outside a ``with`` statement.
    """

    def __init__(self, began: bool) -> None:
        self._began = began

    def __enter__(self) -> "ScipyPatch":
        with _LOCK:
            _STATE.blocks += 1
            if self._began:
                # The call was made for this block alone.
                _STATE.forever = False
                self._began = False
            if not _STATE.pairs:
                _replace()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _LOCK:
            _STATE.blocks -= 1
            if not _STATE.forever and _STATE.blocks <= 0:
                _restore()


def patch_scipy() -> ScipyPatch:
    """Replace ``leastsq``, ``curve_fit`` and ``least_squares`` of scipy.optimize by lmoo's.

    Other packages then fit with lmoo without a change.  The names that modules have imported from
    scipy.optimize already are replaced too.  Calls with arguments that lmoo does not support are
    passed on to scipy's own functions.  "Patching scipy" in the documentation lists the
    differences.  A second call has no effect.

    Returns
    -------
    ScipyPatch
        A context manager, for ``with lmoo.patch_scipy():``, which restores scipy at its end.

    Raises
    ------
    ImportError
        scipy is not installed.

    See Also
    --------
    unpatch_scipy : restore scipy's functions.

    Examples
    --------
    >>> import lmoo, scipy.optimize
    >>> own = scipy.optimize.curve_fit
    >>> with lmoo.patch_scipy():
    ...     scipy.optimize.curve_fit is own
    False
    >>> scipy.optimize.curve_fit is own
    True
    """
    with _LOCK:
        began = not _STATE.forever
        _STATE.forever = True
        if not _STATE.pairs:
            _replace()
        return ScipyPatch(began)


def unpatch_scipy() -> None:
    """Restore scipy's own functions in all modules.

    Names that were imported while the functions were replaced are restored too.  Without
    `patch_scipy` before, nothing is done; blocks of ``with lmoo.patch_scipy():`` end as well.

    Examples
    --------
    >>> import lmoo, scipy.optimize
    >>> own = scipy.optimize.leastsq
    >>> _ = lmoo.patch_scipy()
    >>> lmoo.unpatch_scipy()
    >>> scipy.optimize.leastsq is own
    True
    """
    with _LOCK:
        _STATE.forever = False
        _restore()


def _replace() -> None:
    from scipy import optimize

    from lmoo.integrations.scipy_functions import replacement

    pairs = []
    for name in NAMES:
        original = getattr(optimize, name)
        pairs.append((original, replacement(original)))
    _STATE.pairs = pairs
    _exchange(pairs)


def _restore() -> None:
    pairs, _STATE.pairs = _STATE.pairs, []
    _exchange([(ours, original) for original, ours in pairs])


def _exchange(pairs: list[tuple[Callable[..., Any], Callable[..., Any]]]) -> None:
    """Replace the first of each pair by the second in the names of all modules."""
    by_identity = {id(old): (old, new) for old, new in pairs}
    for names in _namespaces():
        # A copy of the items: other threads may import in the meantime.
        for name, value in list(names.items()):
            found = by_identity.get(id(value))
            if found is not None and found[0] is value:
                names[name] = found[1]


def _namespaces() -> Iterator[dict[str, Any]]:
    """Yield the names of all modules except those of lmoo, which hold the originals on purpose."""
    for title, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and title.partition(".")[0] != "lmoo":
            yield vars(module)
