"""What a store needs of the database that it is in: SQLite's file, or a schema of PostgreSQL."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from steroids.errors import BadConfig, SteroidsError

URLS = "use sqlite:///PATH or postgresql://USER@HOST/DATABASE"


class Database(Protocol):
    name: str
    """What messages call it; without a password."""
    writing: Engine
    """Its transactions hold the store's write lock from their first moment to their end, and see
    all that was committed before they got it. Waits for another process at most 30 s."""
    reading: Engine
    """Its transactions are a consistent view, and wait for no writer."""

    def upgrading(self) -> AbstractContextManager[Connection]:
        """A transaction as of `writing`, fit to rebuild tables; commits at the end."""

    def keep_copy(self, version: str) -> None:
        """Before an upgrade from that version; callable while `upgrading`."""

    def explain(self, error: SQLAlchemyError) -> SteroidsError | None:
        """What to tell when the database is away or full or busy; none: that is a bug."""

    def close(self) -> None: ...


def find_database(location: Path | str, schema: str | None) -> Database:
    """The one at a path (SQLite) or a URL. Raises `BadConfig` for one that cannot be.

    Nothing is read or written yet, but SQLite's file is made when it is missing.
    """
    # Imported here: who has the one does not need the other's driver.
    from steroids.store.sqlite import Sqlite

    path = location if isinstance(location, Path) else None
    if isinstance(location, str):
        url = _parsed(location)
        if url.get_backend_name() == "postgresql":
            from steroids.store.postgresql import Postgres

            return Postgres(url, schema)
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            path = Path(str(url.database))
    if path is None:
        raise BadConfig("A store cannot be in a database of that kind", hint=URLS)
    if schema is not None:
        raise BadConfig(f"{path} is one store; SQLite has no schemas", hint=URLS)
    return Sqlite(path)


def _parsed(text: str) -> URL:
    # `postgres://` is what several hosts of databases hand out.
    head, mark, rest = text.partition("://")
    try:
        return make_url(("postgresql" if head == "postgres" else head) + mark + rest)
    except (ArgumentError, ValueError):
        # Never repeated in the message: there may be a password in it.
        raise BadConfig("The store's database URL cannot be read", hint=URLS) from None
