"""Work that takes long, in a pool: each thing at most once at a time, put off when it fails."""

import logging
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Executor

from steroids.errors import SteroidsError
from steroids.services.disk import Disk

log = logging.getLogger("steroids.jobs")

MAX_DELAY_S = 60.0


class Jobs:
    """Keys name things (`("land", project)`), not calls. `changed` is called after each job.

    `apart`: pools of their own for kinds of work, by the first part of their keys, that other jobs
    wait for: in one pool they would wait for each other's threads.
    """

    def __init__(
        self,
        pool: Executor,
        changed: Callable[[], None],
        disk: Disk | None = None,
        apart: Mapping[str, Executor] | None = None,
    ) -> None:
        self._pool = pool
        self._apart = apart or {}
        self._changed = changed
        self._disk = disk
        self._guard = threading.Lock()  # guards the three below
        self._running: dict[Hashable, threading.Event] = {}
        self._not_before: dict[Hashable, float] = {}
        self._delays_s: dict[Hashable, float] = {}

    def once(self, key: Hashable, work: Callable[..., None], *args: object) -> threading.Event:
        """Run it unless it runs already or was put off; the event is set when it is over."""
        with self._guard:
            running = self._running.get(key)
            if running is not None:
                return running
            over = threading.Event()
            if time.monotonic() < self._not_before.get(key, 0):
                over.set()
                return over
            self._running[key] = over
        kind = str(key[0]) if isinstance(key, tuple) else ""
        self._apart.get(kind, self._pool).submit(self._run, key, over, work, *args)
        return over

    def runs(self, key: Hashable) -> bool:
        with self._guard:
            return key in self._running

    def any(self) -> bool:
        """Whether anything runs."""
        with self._guard:
            return bool(self._running)

    def put_off(self, key: Hashable, error: SteroidsError | None = None) -> bool:
        """Not again for a while, longer each time; True when it had gone well until now."""
        with self._guard:
            news = key not in self._delays_s
            delay_s = min(MAX_DELAY_S, self._delays_s.get(key, 0.5) * 2)
            self._delays_s[key] = delay_s
            self._not_before[key] = time.monotonic() + delay_s
        log.info("%s put off for %.0f s: %s", key, delay_s, error.message if error else "a bug")
        return news

    def good(self, key: Hashable) -> None:
        """It went well: the next failure is put off for a short while again."""
        with self._guard:
            self._delays_s.pop(key, None)
            self._not_before.pop(key, None)

    def _run(
        self, key: Hashable, over: threading.Event, work: Callable[..., None], *args: object
    ) -> None:
        try:
            work(*args)
        except SteroidsError as error:
            if self._disk is not None:
                self._disk.note(error)
            self.put_off(key, error)
        except Exception as error:
            if self._disk is not None and self._disk.note(error):
                self.put_off(key, self._disk.error())
            else:
                log.exception("%s", key)
                self.put_off(key)
        finally:
            with self._guard:
                self._running.pop(key, None)
            over.set()
            self._changed()
