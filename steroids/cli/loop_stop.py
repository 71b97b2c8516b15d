"""Ctrl-C and SIGTERM while a `steroids loop` works: its runner is stopped, then the loop ends."""

import signal
import threading
from types import FrameType
from typing import Any

from steroids.cli.command import Context
from steroids.cli.failures import INTERRUPTED_EXIT_CODE
from steroids.errors import NotFound, SteroidsError
from steroids.wire.runner import Runner, Runners, Stop

SIGNALS = (signal.SIGINT, signal.SIGTERM)
TERMINATED_EXIT_CODE = 128 + signal.SIGTERM
TIMEOUT_S = 120.0


class Stopping:
    """Inside of it a signal asks the controller to stop the runner, whose events tell its end.

    SIGINT again is in a hurry; a third one leaves at once, and the controller then stops the runner
    as it does when a loop is killed.
    """

    def __init__(self, context: Context, runner: Runner) -> None:
        self._context = context
        self._runner = runner
        self._first: int | None = None
        self._interrupts = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Stopping":
        self._before = {each: signal.signal(each, self._asked) for each in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def exit_code(self, followed: int) -> int:
        """Of the command, when following the runner came to that one."""
        if self._first is None:
            return followed
        name = self._runner.section
        whose = f" --section '{name}'" if name else ""
        self._context.out.note(f"what was committed is kept\nnext: steroids loop{whose}")
        by_hand = self._first == signal.SIGINT
        return INTERRUPTED_EXIT_CODE if by_hand else TERMINATED_EXIT_CODE

    def _asked(self, signum: int, _: FrameType | None) -> None:
        self._interrupts += signum == signal.SIGINT
        now = signum == signal.SIGINT and self._first is not None
        if now and self._interrupts > 2:
            raise KeyboardInterrupt
        again = self._first is not None
        self._first = self._first or signum
        if now or not again:
            # Not here: the handler may have interrupted a line that is being printed.
            threading.Thread(target=self._stop, args=(now,), daemon=True).start()

    def _stop(self, now: bool) -> None:
        out = self._context.out
        if now:
            out.note("stopping at once   (Ctrl-C again: leave)")
        else:
            out.note("\nstopping: the agent gets time to end   (Ctrl-C again: at once)")
        body = Stop(ids=[self._runner.id], now=now)
        url = self._context.url("runners/stop")
        try:
            self._context.client.post(url, body, Runners, timeout_s=TIMEOUT_S)
        except NotFound:
            # It has come to its end by itself.
            return
        except SteroidsError as error:
            out.note(f"it could not be stopped: {error.message}")
