"""The paths through a function that branches, and the value that its conditions select of them."""

from collections.abc import Callable, Sequence

from lmoo.errors import TraceError
from lmoo.models.tracing.placeholder import Placeholder
from lmoo.models.tracing.recorder import MOST_PATHS, Recorder


def of_paths(recorder: Recorder, run: Callable[[], Placeholder]) -> Placeholder:
    """Return the value of a function for all of its paths, selected by the conditions of these.

    Parameters
    ----------
    recorder : Recorder
    run : callable
        ``run()`` calls the function, which follows `Recorder.path`.
    """
    if recorder.decisions is None:
        return run()
    found: list[tuple[list[tuple[int, bool]], Placeholder]] = []
    recorder.path = path = []
    while True:
        taken: list[tuple[int, bool]] = []
        recorder.decisions = taken
        found.append((taken, run()))
        path = [answer for _, answer in taken]
        while path and not path.pop():
            pass
        if len(path) == 0 and not any(answer for _, answer in taken):
            return _selected(found, 0)
        if len(found) == MOST_PATHS:
            recorder.refuse(f"the function has more than {MOST_PATHS} paths")
        recorder.path = [*path, False]


def _selected(
    found: Sequence[tuple[list[tuple[int, bool]], Placeholder]], depth: int
) -> Placeholder:
    """Return the value of the path that is taken, of those with equal answers up to a depth."""
    taken, value = found[0]
    if len(found) == 1:
        return value
    if not all(each.points for _, each in found):
        raise TraceError("the function returns a number, not an array, on one of its paths")
    first, second = (
        _selected([each for each in found if each[0][depth][1] is answer], depth + 1)
        for answer in (True, False)
    )
    recorder = value.recorder
    node = taken[depth][0]
    points = recorder.graph.varies[node]
    condition = Placeholder(recorder, node, points=points, truth=True, mask=value.mask)
    selected: Placeholder = recorder.applied(recorder, "where", condition, first, second)
    return selected
