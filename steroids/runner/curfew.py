"""Ending what runs as the agent when its container is over a limit."""

import contextlib
import threading
from collections.abc import Iterator

from steroids.runner.reaping import reap


class Curfew:
    """`end` is called from any thread, at any time and again and again. It ends what somebody has
    marked as `endable`, and nothing else: not the git commands that hand over the work."""

    def __init__(self, uid: int | None) -> None:
        self.reason: str | None = None
        """Why, once it has been called."""
        self._uid = uid
        self._guard = threading.Lock()  # guards the count; nobody goes on while all are ended
        self._endable = 0

    @contextlib.contextmanager
    def endable(self) -> Iterator[None]:
        """What runs as the agent in here may be ended."""
        with self._guard:
            self._endable += 1
        try:
            yield
        finally:
            with self._guard:
                self._endable -= 1

    def end(self, reason: str) -> None:
        with self._guard:
            self.reason = reason
            if self._endable:
                reap(self._uid)
