"""A database and its transactions: the global store, or a project's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlmodel import Session

from steroids.store.migrate import migrate


class Store:
    """Opened (and, when older, migrated) on construction; may be shared between threads.

    `kind` is `home` or `project`. Raises `BadConfig` for a store of a newer Steroids.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
        event.listen(self._engine, "connect", _on_connect)
        event.listen(self._engine, "begin", _on_begin)
        self._writing = self._engine.execution_options(write=True)
        migrate(self._engine, path, kind)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction that holds the write lock from its first moment; commits at the end.

        What it reads cannot change under it, so a decision and its effects belong in one.
        Objects stay readable after it.
        """
        with Session(self._writing, expire_on_commit=False) as session:
            yield session
            session.commit()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view that never waits for writers; changes made in it are not kept."""
        with Session(self._engine, expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        self._engine.dispose()


def _on_connect(connection: Any, record: object) -> None:
    # The driver's own transaction handling begins too late for BEGIN IMMEDIATE.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
