"""A store in a SQLite file: for one host, with nothing to install or run."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from steroids.errors import SteroidsError, StoreUnavailable

LOCK_TIMEOUT_S = 30.0
KEPT_CONNECTIONS = 8
"""Kept open per store. More are opened when more threads read, and closed after: no thread ever
waits for another's connection, and many open projects do not use up the file descriptors."""


class Sqlite:
    """See `Database`. `BEGIN IMMEDIATE` takes the file's one write lock; the write-ahead log lets
    readers go on meanwhile."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        _use_write_ahead_log(path)
        self.reading: Engine = create_engine(
            f"sqlite:///{path}",
            connect_args={"timeout": LOCK_TIMEOUT_S},
            pool_size=KEPT_CONNECTIONS,
            max_overflow=-1,
        )
        event.listen(self.reading, "connect", _on_connect)
        event.listen(self.reading, "begin", _on_begin)
        self.writing: Engine = self.reading.execution_options(write=True)

    @contextmanager
    def upgrading(self) -> Iterator[Connection]:
        # SQLite alters a table by making it anew and dropping the old one, which must not take
        # along the rows that refer to it; inside a transaction this cannot be said any more.
        with self.writing.connect() as connection:
            raw: Any = connection.connection.driver_connection
            raw.execute("PRAGMA foreign_keys=OFF")
            try:
                with connection.begin():
                    yield connection
                    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                    assert not broken, f"the upgrade broke references: {broken[:3]}"
            finally:
                raw.execute("PRAGMA foreign_keys=ON")

    def keep_copy(self, version: str) -> None:
        """A consistent copy beside the file, also while it is in use."""
        copy = self._path.with_suffix(f".schema-{version}.bak")
        unfinished = copy.with_suffix(".part")
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        with (
            closing(sqlite3.connect(self._path)) as source,
            closing(sqlite3.connect(unfinished)) as target,
        ):
            source.backup(target)
        unfinished.replace(copy)

    def explain(self, error: SQLAlchemyError) -> SteroidsError | None:
        return _told(self._path, str(error.orig)) if isinstance(error, OperationalError) else None

    def close(self) -> None:
        self.reading.dispose()


def _use_write_ahead_log(path: Path) -> None:
    """The file remembers it. Of two processes that switch at once SQLite refuses one at once,
    whatever the timeout, so the folder is locked meanwhile."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT_S)) as raw:
            raw.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        raise _told(path, str(error)) or error from error
    finally:
        os.close(folder)


def _told(path: Path, said: str) -> SteroidsError | None:
    # No word about a full disk: whoever answers the request has one for all files.
    if "locked" in said:
        return StoreUnavailable(
            f"Another process has been writing to {path} for {LOCK_TIMEOUT_S:g} s",
            hint=f"fuser {path}",
        )
    if "unable to open" in said or "readonly" in said:
        return StoreUnavailable(f"{path} cannot be used: {said}", hint=f"ls -l {path.parent}")
    return None


def _on_connect(connection: Any, record: object) -> None:
    # The driver's own transaction handling begins too late for BEGIN IMMEDIATE.
    connection.isolation_level = None
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
