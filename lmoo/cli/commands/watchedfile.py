"""A file that another program writes."""

import os


class WatchedFile:
    """Whether a file has changed: its size, its time of change, or the file of this name.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from lmoo.cli.commands.watchedfile import WatchedFile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "run.csv")
    ...     file = WatchedFile(str(path))
    ...     missing = file.changed(), file.changed()
    ...     _ = path.write_text("t,y")
    ...     written = file.changed(), file.changed()
    >>> missing, written
    ((True, False), (True, False))
    """

    def __init__(self, path: str) -> None:
        self._path = path
        # Different from all states, so that the first look is a change.
        self._state: tuple[int, ...] | str | None = ""

    def changed(self) -> bool:
        """Return whether the file differs from that at the last call; True for the first call."""
        before, self._state = self._state, _state(self._path)
        return self._state != before


def _state(path: str) -> tuple[int, ...] | None:
    """Return the identity, size and time of change of a file; None if there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
