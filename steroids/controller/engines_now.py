"""Which engines answer, for somebody who does not want to wait for one that hangs."""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from steroids.engines.base import Engine
from steroids.engines.discover import find_all
from steroids.errors import SteroidsError
from steroids.services.host import Host
from steroids.wire.daemon import EngineState

log = logging.getLogger("steroids.engines_now")

PATIENCE_S = 2.0
"""For all of them together: one that answers does so in a few milliseconds."""


class EnginesNow:
    """One per controller."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._guard = threading.Lock()  # guards _asked
        self._asked: dict[str, Future[list[EngineState]]] = {}

    def look(self) -> list[EngineState]:
        """Those in use; when none is yet, those that this host has. Never raises."""
        known = self._host.known_engines()
        until = time.monotonic() + PATIENCE_S
        if not known:
            return _within(self._ask("", _found), until)
        asked = [(each, self._ask(each.address, partial(_state, each))) for each in known]
        states: list[EngineState] = []
        for engine, future in asked:
            silent = [EngineState(name=engine.name, address=engine.address)]
            states.extend(_within(future, until) or silent)
        return states

    def _ask(self, key: str, ask: Callable[[], list[EngineState]]) -> Future[list[EngineState]]:
        """One thread per engine, however often somebody asks about one that hangs."""
        with self._guard:
            before = self._asked.get(key)
            if before is not None and not before.done():
                return before
            future = self._asked[key] = Future[list[EngineState]]()

        def work() -> None:
            states: list[EngineState] = []
            try:
                states = ask()
            except SteroidsError:
                log.info("no answer from %s", key or "any engine")
            except Exception:
                log.exception("asking %s", key)
            future.set_result(states)

        threading.Thread(target=work, name="engine's state", daemon=True).start()
        return future


def _within(future: Future[list[EngineState]], until: float) -> list[EngineState]:
    """Empty when there is no answer by then."""
    try:
        return future.result(max(0.0, until - time.monotonic()))
    except TimeoutError:
        return []


def _state(engine: Engine) -> list[EngineState]:
    version = engine.capabilities().version
    return [EngineState(name=engine.name, address=engine.address, version=version)]


def _found() -> list[EngineState]:
    states = []
    for place in find_all(os.environ):
        if place.engine is not None:
            with contextlib.closing(place.engine) as engine, contextlib.suppress(SteroidsError):
                states += _state(engine)
    return states
