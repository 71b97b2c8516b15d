"""Rounds of reconciling, for those who have to know that one has been done."""

import contextlib
import threading
from collections.abc import Iterator


class Rounds:
    """One per controller; one thread does the rounds, any may wait."""

    def __init__(self) -> None:
        self._ended = threading.Condition()  # guards the two below
        self._begun = 0
        self._done = 0

    @contextlib.contextmanager
    def round(self) -> Iterator[None]:
        with self._ended:
            self._begun += 1
            number = self._begun
        try:
            yield
        finally:
            with self._ended:
                self._done = number
                self._ended.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Until a round that begins from now on is done; False when time is up before."""
        with self._ended:
            next_one = self._begun + 1
            return self._ended.wait_for(lambda: self._done >= next_one, timeout_s)
