"""Those who follow events hear something now and then, whatever else goes on."""

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from steroids.controller.bell import Bell
from steroids.controller.routes import events
from steroids.services.disk import Disk


def test_a_bell_that_rings_for_others_does_not_silence_the_stream(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bell = Bell()
    looks = 0

    def nothing(*_: object) -> list[object]:
        # Whenever somebody looks, it has just rung, for another project.
        nonlocal looks
        looks += 1
        bell.ring()
        return []

    monkeypatch.setattr(events, "KEEP_ALIVE_S", 0.05)
    monkeypatch.setattr("steroids.services.events.since", nothing)
    controller: Any = SimpleNamespace(events=bell, stopping=threading.Event(), disk=Disk(tmp_path))

    async def first_line() -> bytes:
        unused: Any = None
        async for line in events._lines(controller, unused, 0, unused, None, True):
            return line
        return b""

    assert asyncio.run(asyncio.wait_for(first_line(), 20)) == b"\n"
    assert looks > 1
