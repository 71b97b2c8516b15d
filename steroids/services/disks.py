"""What containers have written, looked at where the engine's storage has no quotas.

The engine counts the files that a container has changed, one by one: 0.4 s of a core for 50,000 on
Docker, 0.8 s on Podman. So it is done for one after the other, now and then, and only where
`runners.disk` is set.
"""

import time
from collections.abc import Sequence

from steroids.engines.base import Engine
from steroids.engines.spec import Handle
from steroids.errors import EngineError
from steroids.services.host import Host
from steroids.services.jobs import Jobs
from steroids.store import home_models as home
from steroids.store import runners as rows
from steroids.wire.size import parse, shown

EVERY_S = 10.0
SHARE = 20
"""At most so much of one core: as one in this many."""


class Disks:
    """One per controller; `watch` is called from one thread only."""

    def __init__(self, host: Host, jobs: Jobs) -> None:
        self._host = host
        self._jobs = jobs
        self._not_before: dict[str, float] = {}

    def watch(self) -> None:
        """Have a look begin at each engine where it is time for one."""
        now = time.monotonic()
        due = [
            engine
            for engine in self._host.known_engines()
            if now >= self._not_before.get(engine.address, 0)
        ]
        if not due:
            return
        with self._host.store.read() as session:
            living = [row for row in rows.active(session) if row.container is not None]
        limited = [row for row in living if self._limit(row) is not None]
        for engine in due:
            mine = [row for row in limited if row.engine_address == engine.address]
            if mine:
                self._jobs.once(("disk", engine.address), self._look, engine, mine)
            else:
                self._not_before[engine.address] = now + EVERY_S

    def _limit(self, row: home.Runner) -> int | None:
        disk = self._host.settings(self._host.project(row.project_id)).runners.disk
        return parse(disk) if disk is not None else None

    def _look(self, engine: Engine, limited: Sequence[home.Runner]) -> None:
        began = time.monotonic()
        if "disk" not in engine.capabilities().limits:
            for row in limited:
                self._look_at(engine, row)
        took_s = time.monotonic() - began
        self._not_before[engine.address] = began + max(EVERY_S, took_s * SHARE)

    def _look_at(self, engine: Engine, row: home.Runner) -> None:
        limit = self._limit(row)
        assert row.container is not None
        try:
            size_bytes = engine.written(Handle(**row.container))
        except EngineError:
            # About this one nothing is known now; the next look is soon.
            return
        if limit is not None and size_bytes is not None and size_bytes > limit:
            self._host.over[row.id] = (
                f"wrote too much: {shown(size_bytes)} of files in its container, and runners.disk "
                f"allows {shown(limit)}"
            )
