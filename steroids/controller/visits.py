"""Who asks something now, and when somebody last did: a controller that nobody needs ends."""

import contextlib
import threading
import time
from collections.abc import Iterator


class Visits:
    """Requests of users. May be used by any thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()  # guards the two below
        self._now = 0
        self._last = time.monotonic()

    @contextlib.contextmanager
    def one(self, *, counts: bool) -> Iterator[None]:
        """While a request is answered. One that does not count (what cron asks for every minute)
        keeps the controller only for as long as it lasts."""
        with self._guard:
            self._now += 1
        try:
            yield
        finally:
            with self._guard:
                self._now -= 1
                if counts:
                    self._last = time.monotonic()

    @property
    def last(self) -> float:
        """When somebody last asked, or the start, by the monotonic clock."""
        return self._last

    def left_s(self, limit_s: float) -> float:
        """How long until nobody has asked for `limit_s`; 0 when that is so, `limit_s` while
        somebody asks."""
        with self._guard:
            quiet_s = 0.0 if self._now else time.monotonic() - self._last
        return max(0.0, limit_s - quiet_s)
