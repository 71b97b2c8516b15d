"""The order of a process's writers, before they ask the database for its lock.

SQLite has those that wait for its lock sleep and try again, up to 100 ms, so that with many the
unlucky starve. And who waits here holds no connection.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turn:
    """First come, first served, which `threading.Lock` does not promise."""

    def __init__(self) -> None:
        self._guard = threading.Lock()  # guards the two below
        self._owner: int | None = None
        self._waiting: deque[tuple[int, threading.Lock]] = deque()

    @property
    def waiting(self) -> int:
        with self._guard:
            return len(self._waiting)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Waits until it is this thread's turn. Raises `AssertionError` if it has it already."""
        self._take()
        try:
            yield
        finally:
            self._pass_on()

    def _take(self) -> None:
        me = threading.get_ident()
        with self._guard:
            assert self._owner != me, "a write within a write of the same store waits for itself"
            if self._owner is None:
                self._owner = me
                return
            called = threading.Lock()
            called.acquire()
            self._waiting.append((me, called))
        try:
            called.acquire()
        except BaseException:
            # A signal in the main thread: the turn must not be given to who has left.
            self._leave((me, called))
            raise

    def _leave(self, place: tuple[int, threading.Lock]) -> None:
        with self._guard:
            if place in self._waiting:
                self._waiting.remove(place)
                return
        self._pass_on()

    def _pass_on(self) -> None:
        with self._guard:
            self._owner = None
            if self._waiting:
                self._owner, called = self._waiting.popleft()
                called.release()
