"""Tells those who wait that something has changed; not what."""

import asyncio
import threading


class Bell:
    """Rung from any thread. Waiters look for themselves what is new, so a ring too many costs
    one look, and none may be missed: take `count` before looking, and wait from there."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._count = 0
        self._rung = threading.Condition(self._guard)
        self._waiters: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def count(self) -> int:
        return self._count

    def ring(self) -> None:
        with self._guard:
            self._count += 1
            self._rung.notify_all()
            for loop, event in self._waiters:
                loop.call_soon_threadsafe(event.set)

    def wait(self, since: int, timeout_s: float) -> int:
        """Block until it was rung after `since`, or time is up; returns the count."""
        with self._guard:
            self._rung.wait_for(lambda: self._count > since, timeout_s)
            return self._count

    async def heard(self, since: int, timeout_s: float) -> bool:
        """The same for a coroutine, without a thread; True when it was rung."""
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with self._guard:
            if self._count > since:
                return True
            self._waiters.add(waiter)
        try:
            await asyncio.wait_for(waiter[1].wait(), timeout_s)
            return True
        except TimeoutError:
            return False
        finally:
            with self._guard:
                self._waiters.discard(waiter)
