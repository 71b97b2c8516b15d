"""Whether the folders of projects are there, asked so that no folder can keep the asker waiting.

A look at a network drive that has gone away may take for ever, in the kernel. So another thread
looks, and is left behind when it does not come back.
"""

import os
import queue
import stat
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from steroids.home import MARKER

LOOK_S = 2.0
"""For one folder; one that answers takes microseconds."""

_hanging: set[str] = set()
"""Those that a thread is still looking at: none is looked at by two."""
_guard = threading.Lock()  # guards _hanging


def present(paths: Iterable[str]) -> set[str]:
    """Those of the projects' paths where a `.steroids` folder is, and can be read."""
    return {path for path, there in _looked(paths) if there}


def gone(paths: Iterable[str]) -> set[str]:
    """Those where there certainly is none: not for want of an answer, or of a permission."""
    return {path for path, there in _looked(paths) if there is False}


def _looked(paths: Iterable[str]) -> Iterator[tuple[str, bool | None]]:
    """Each with what `is_there` says; without those that do not answer."""
    with _guard:
        left = deque(path for path in paths if path not in _hanging)
    while left:
        look = _Look(list(left))
        while left:
            try:
                there = look.answers.get(timeout=LOOK_S)
            except queue.Empty:
                look.leave(left.popleft())
                break
            yield left.popleft(), there


class _Look:
    """A thread that looks at one path after the other, until it is left behind."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.answers: queue.SimpleQueue[bool | None] = queue.SimpleQueue()
        self._left = threading.Event()
        threading.Thread(target=self._run, args=(paths,), name="presence", daemon=True).start()

    def leave(self, path: str) -> None:
        with _guard:
            _hanging.add(path)
            self._left.set()

    def _run(self, paths: Sequence[str]) -> None:
        for path in paths:
            there = is_there(path)
            with _guard:
                if self._left.is_set():
                    _hanging.discard(path)
                    return
            self.answers.put(there)


def is_there(path: str) -> bool | None:
    """None: that cannot be found out, or it cannot be read."""
    folder = Path(path) / MARKER
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):
            return False
        return os.access(folder, os.R_OK | os.X_OK) or None
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        return None
