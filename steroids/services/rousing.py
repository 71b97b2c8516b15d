"""Waking projects that nobody has asked about, and in whose stores something is under way.

When a controller starts, what an earlier one has left: an approved task that has to land, a
section that somebody wants a runner for. Later on nobody else writes those stores; but a drive may
be mounted again, and a project be brought back from a backup.
"""

import time
from pathlib import Path

from steroids.services.glimpse import Signature, glimpse, signature
from steroids.services.host import Host
from steroids.services.jobs import Jobs
from steroids.services.presence import present

EVERY_S = 30.0


class Rouser:
    """One per controller; `look` is called from one thread only."""

    def __init__(self, host: Host, jobs: Jobs) -> None:
        self._host = host
        self._jobs = jobs
        self._looked = float("-inf")
        self._seen: dict[str, Signature] = {}

    def look(self) -> None:
        """Have one begin when it is time: as a job, since a folder may keep it waiting."""
        now = time.monotonic()
        if now - self._looked >= EVERY_S:
            self._looked = now
            self._jobs.once(("rouse",), self._all)

    def _all(self) -> None:
        rows = {row.path: row.id for row in self._host.projects()}
        there = present(rows)
        self._seen = {path: seen for path, seen in self._seen.items() if path in there}
        for path in there:
            if self._stirs(path):
                self._host.awake.touch(rows[path])

    def _stirs(self, path: str) -> bool:
        now = signature(Path(path))
        if self._seen.get(path) == now:
            return False
        self._seen[path] = now
        found = glimpse(Path(path))
        return found is None or found.under_way
