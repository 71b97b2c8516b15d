"""A store in a SQLite file: for one host, with nothing to install or run."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from steroids.errors import BadConfig, DiskFull, SteroidsError, StoreUnavailable, out_of_space
from steroids.store import sqlite_copy

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
        try:
            _ensure_private(path)
            _use_write_ahead_log(path)
        except (OSError, sqlite3.Error) as error:
            known = _full(path, "open") if out_of_space(error) else _told(path, error)
            if known is None:
                raise
            raise known from error
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
        try:
            with self._rebuilding() as connection:
                yield connection
        except (OSError, sqlite3.Error, SQLAlchemyError) as error:
            if not out_of_space(error):
                raise
            raise _full(self._path, "upgrade") from error

    @contextmanager
    def _rebuilding(self) -> Iterator[Connection]:
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
        sqlite_copy.keep(self._path, version)

    def explain(self, error: SQLAlchemyError) -> SteroidsError | None:
        said = error.orig if isinstance(error, DBAPIError) else None
        # Not what is derived from these: a constraint that is not kept is a bug.
        known = type(said) in (sqlite3.OperationalError, sqlite3.DatabaseError)
        return _told(self._path, said) if known and isinstance(said, Exception) else None

    def close(self) -> None:
        self.reading.dispose()


def _ensure_private(path: Path) -> None:
    """There are passwords of test databases in it, and whatever agents have printed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    # SQLite gives the same mode to the files that it makes beside it.
    if path.is_file() and path.stat().st_mode & 0o077:
        # Copied here by a person, or by a backup. Not every file system knows modes.
        with suppress(OSError):
            path.chmod(0o600)


def _use_write_ahead_log(path: Path) -> None:
    """The file remembers it. Of two processes that switch at once SQLite refuses one at once,
    whatever the timeout, so the folder is locked meanwhile."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT_S)) as raw:
            raw.execute("PRAGMA journal_mode=WAL")
    finally:
        os.close(folder)


def _full(path: Path, what: str) -> DiskFull:
    return DiskFull(
        f"No space is left on the disk of {path.parent} to {what} {path.name}, which is as it was",
        hint=f"df -h {path.parent}",
    )


def _told(path: Path, error: Exception) -> SteroidsError | None:
    # No word about a full disk: whoever answers the request has one for all files.
    said = str(error)
    if isinstance(error, OSError):
        said = error.strerror or said
    elif "locked" in said:
        return StoreUnavailable(
            f"Another process has been writing to {path} for {LOCK_TIMEOUT_S:g} s",
            hint=f"fuser {path}",
        )
    elif "not a database" in said:
        return BadConfig(
            f"{path} is no store, and was left as it is: {said}",
            hint=f"mv {path} {path}.other   (a new one is made; copies of yours: ls {path}.*)",
        )
    elif "malformed" in said:
        return StoreUnavailable(
            f"{path} is damaged: {said}",
            hint=f"sqlite3 {path} .recover | sqlite3 {path}.recovered",
        )
    elif "disk I/O" in said:
        return StoreUnavailable(f"{path} cannot be used: {said}", hint=f"df -h {path.parent}")
    elif "unable to open" not in said and "readonly" not in said:
        return None
    return StoreUnavailable(f"{path} cannot be used: {said}", hint=f"ls -l {path.parent}")


def _on_connect(connection: Any, record: object) -> None:
    # The driver's own transaction handling begins too late for BEGIN IMMEDIATE.
    connection.isolation_level = None
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
