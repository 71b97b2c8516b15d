"""What a program in a fake container sees and does: a thread in place of a process."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from steroids.engines.spec import File


class Exit(Exception):
    """The program ends, by itself or by a signal."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Box:
    env: Mapping[str, str]
    files: Mapping[str, File]
    argv: tuple[str, ...] = ()
    user: str = ""
    trap: Callable[[], object] | None = None
    """What TERM does; without one TERM does nothing, as to any process 1."""
    output: list[bytes] = field(default_factory=list)
    ended: bool = False
    _killed: bool = False
    _terms: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    """Guards all of the above that changes while the program runs."""

    def write(self, data: bytes) -> None:
        with self._changed:
            self.output.append(data)
            self._changed.notify_all()

    def sleep(self, seconds: float | None) -> None:
        """Wait (None: for ever), running the trap when TERM comes. Raises `Exit` when killed."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            with self._changed:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0 and not self._killed:
                    return
                if not self._killed and not self._terms:
                    self._changed.wait(left)
                if self._killed:
                    raise Exit(137)
                term, self._terms = self._terms > 0, 0
            if term and self.trap is not None:
                self.trap()

    def signal(self, *, kill: bool) -> None:
        with self._changed:
            self._killed = self._killed or kill
            self._terms += not kill
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def wait_end(self, timeout_s: float | None) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.ended, timeout_s)

    def read(self, *, follow: bool, tail: int | None, alive: Callable[[], None]) -> Iterator[bytes]:
        """The output, or its last `tail` writes; `alive` raises when the engine seems away."""
        at = 0 if tail is None else max(0, len(self.output) - tail)
        while True:
            with self._changed:
                if follow and at == len(self.output) and not self.ended:
                    self._changed.wait(0.02)
                fresh, done = self.output[at:], self.ended or not follow
            at += len(fresh)
            alive()
            yield from fresh
            if done:
                return
