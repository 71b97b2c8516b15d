"""What `daemon status` says of engines, of which some do not answer."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from steroids.controller import engines_now
from steroids.controller.engines_now import EnginesNow
from steroids.engines.fake import FakeEngine
from steroids.errors import EngineUnavailable


class Engine:
    def __init__(self, name: str, ask: Any) -> None:
        self.name = name
        self.address = f"unix:///{name}"
        self.capabilities = ask


def test_one_that_hangs_is_asked_by_one_thread_and_waited_for_shortly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engines_now, "PATIENCE_S", 0.2)
    over = threading.Event()

    def away() -> None:
        raise EngineUnavailable("away")

    def bug() -> None:
        raise ZeroDivisionError

    good = FakeEngine()
    host: Any = SimpleNamespace(
        known_engines=lambda: [
            good,
            Engine("hung", over.wait),
            Engine("away", away),
            Engine("bug", bug),
        ]
    )
    now = EnginesNow(host)
    threads = threading.active_count()
    try:
        for _ in range(3):
            states = {each.name: each.version for each in now.look()}
            version = good.capabilities().version
            assert states == {good.name: version, "hung": None, "away": None, "bug": None}
        assert threading.active_count() <= threads + 1
    finally:
        over.set()
