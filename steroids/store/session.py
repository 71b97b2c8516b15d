"""A database and its transactions: the global store, or a project's own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlmodel import Session

from steroids.store.database import Database, find_database
from steroids.store.migrate import migrate
from steroids.store.turn import Turn

T = TypeVar("T")


class Store:
    """Opened (and, when older, migrated) on construction; may be shared between threads.

    `location` is the path of a SQLite file, or a URL: `sqlite:///...` or `postgresql://...`.
    In PostgreSQL many stores may share a database: each has a `schema` (`public` when not given),
    made when it is missing. `kind` is `home` or `project`.

    Raises `BadConfig` for a store of a newer Steroids or a URL that cannot be; here and in every
    transaction `StoreUnavailable` when the database does not answer. When that comes out of the
    very end of a `write`, it is not known whether the changes were kept.
    """

    def __init__(self, location: Path | str, kind: str, schema: str | None = None) -> None:
        self._database = find_database(location, schema)
        self._turn = Turn()
        try:
            with _explained(self._database):
                _again_if_lost(partial(migrate, self._database, kind))
        except BaseException:
            self._database.close()
            raise

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction that holds the write lock from its first moment; commits at the end.

        What it reads cannot change under it, so a decision and its effects belong in one.
        Objects stay readable after it. Not to be called within a `write` of the same store.
        """
        with (
            self._turn.taken(),
            _explained(self._database),
            _again_if_lost(partial(_begun, self._database.writing)) as session,
        ):
            yield session
            session.commit()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view that never waits for writers; changes made in it are not kept."""
        with (
            _explained(self._database),
            _again_if_lost(partial(_begun, self._database.reading)) as session,
        ):
            # Nothing is sent that will not be kept.
            session.autoflush = False
            yield session

    def close(self) -> None:
        """Let go of the connections; for when no transaction is open. May be called again."""
        self._database.close()


def _begun(engine: Engine) -> Session:
    """A session in its transaction: nothing is decided on before the lock is there."""
    session = Session(engine, expire_on_commit=False)
    try:
        session.connection()
    except BaseException:
        session.close()
        raise
    return session


def _again_if_lost(call: Callable[[], T]) -> T:
    """For what may be done twice: a connection that was lost since it was last used, as by a
    restart of the server, is found out by using it and not by a question of its own each time."""
    try:
        return call()
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    return call()


@contextmanager
def _explained(database: Database) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        known = database.explain(error)
        if known is None:
            raise
        raise known from error
