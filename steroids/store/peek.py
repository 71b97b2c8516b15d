"""A look into a project's store from outside: read-only, quick, and never an exception.

For what is asked of every project of a host at once: opening a store costs a hundred times more,
and would upgrade it.
"""

import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from steroids.store.migrate import MIGRATIONS

T = TypeVar("T")
LOCK_TIMEOUT_S = 0.2
ANSWER_S = 1.0
STEPS = 10_000
"""Of SQLite's machine, between two looks at the clock."""


def peek(path: Path, ask: Callable[[sqlite3.Connection], T]) -> T | None:
    """What `ask` finds in the store at `path`; None for one that is missing, broken, locked, too
    slow, a link, or of a schema that this Steroids does not know."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        where = f"file:{quote(os.fsencode(path))}?{_way(path)}"
        with closing(sqlite3.connect(where, uri=True, timeout=LOCK_TIMEOUT_S)) as store:
            until = time.monotonic() + ANSWER_S
            store.set_progress_handler(lambda: int(time.monotonic() > until), STEPS)
            version = store.execute("SELECT version_num FROM alembic_version").fetchone()
            return ask(store) if version and version[0] in _KNOWN else None
    except (sqlite3.Error, OSError):
        return None


def _way(path: Path) -> str:
    """Where nothing has been written since the last checkpoint, the file alone is the store: three
    times as quick without locks, and possible on a file system that cannot be written."""
    try:
        log_bytes = path.with_name(f"{path.name}-wal").stat().st_size
    except FileNotFoundError:
        log_bytes = 0
    return "mode=ro" if log_bytes else "immutable=1"


def pending(path: Path) -> int | None:
    """How many tasks wait there to be worked on."""
    query = "SELECT count(*) FROM tasks WHERE status = 'pending' AND removed_at IS NULL"
    return peek(path, lambda store: int(store.execute(query).fetchone()[0]))


def identity(path: Path) -> str | None:
    """The id of the project that the store is of; None also for one from before there were any."""

    def ask(store: sqlite3.Connection) -> str | None:
        row = store.execute("SELECT project_id FROM identity").fetchone()
        return row[0] if row and isinstance(row[0], str) else None

    return peek(path, ask)


def sections(path: Path) -> list[str]:
    """Ids of all sections that there ever were."""

    def ask(store: sqlite3.Connection) -> list[str]:
        return [str(row[0]) for row in store.execute("SELECT id FROM sections LIMIT 1000")]

    return peek(path, ask) or []


_KNOWN = frozenset(each.name[:4] for each in (MIGRATIONS / "project").glob("[0-9]*.py"))
