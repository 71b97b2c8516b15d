"""What there is to do in a project, seen from outside: without opening it.

To open one takes git processes and a look at its schema, 30 ms and more; this is some tenth of a
millisecond, and neither changes the store nor claims it for this controller.
"""

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from steroids.home import MARKER
from steroids.services.demand import BEGUN
from steroids.services.ownership import STORE
from steroids.store.peek import peek
from steroids.wire.task import TaskStatus

# Tables and columns that every schema has had.
_QUERY = f"""
SELECT EXISTS (SELECT 1 FROM tasks JOIN sections ON sections.id = tasks.section_id
               WHERE status = '{TaskStatus.PENDING}' AND NOT skipped),
       EXISTS (SELECT 1 FROM tasks
               WHERE status IN ({", ".join(f"'{each}'" for each in BEGUN)})),
       EXISTS (SELECT 1 FROM sections WHERE wanted IS NOT NULL)
       OR EXISTS (SELECT 1 FROM leases)
"""


@dataclass(frozen=True)
class Glimpse:
    pending: bool
    """There are tasks that nobody has begun, in sections that are not skipped."""
    under_way: bool
    """A task is being worked on, reviewed or landed; or a lock is held, or a runner wanted."""

    @property
    def idle(self) -> bool:
        return not (self.pending or self.under_way)


def glimpse(project: Path) -> Glimpse | None:
    """What the store of the project at that path says; None when it cannot be read like this, and
    only opening it will tell why. The path has to be one that does not hang; see `presence`."""
    return peek(project / MARKER / STORE, _ask)


def _ask(store: sqlite3.Connection) -> Glimpse:
    pending, begun, kept = store.execute(_QUERY).fetchone()
    return Glimpse(bool(pending), bool(begun or kept))


Signature = tuple[tuple[int, int], ...]


def signature(project: Path) -> Signature:
    """Another one after each change of the store; empty when there is none."""
    found = []
    for name in (STORE, f"{STORE}-wal"):
        with contextlib.suppress(OSError):
            stat = (project / MARKER / name).stat()
            found.append((stat.st_mtime_ns, stat.st_size))
    return tuple(found)
