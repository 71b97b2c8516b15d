"""A database and its transactions: the global store, or a project's own."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from steroids.store.database import Database, find_database
from steroids.store.migrate import migrate


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
        self._turn = _Turn()
        try:
            with _explained(self._database):
                migrate(self._database, kind)
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
            Session(self._database.writing, expire_on_commit=False) as session,
        ):
            # Begins it: nothing may be decided on before the lock is there.
            session.connection()
            yield session
            session.commit()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view that never waits for writers; changes made in it are not kept."""
        with (
            _explained(self._database),
            Session(self._database.reading, expire_on_commit=False, autoflush=False) as session,
        ):
            yield session

    def close(self) -> None:
        """Let go of the connections; for when no transaction is open. May be called again."""
        self._database.close()


@contextmanager
def _explained(database: Database) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        known = database.explain(error)
        if known is None:
            raise
        raise known from error


class _Turn:
    """Orders the writers of this process, before they ask the database for its lock.

    First come, first served: SQLite has those that wait for its lock sleep and try again, up to
    100 ms, so that with many the unlucky starve. And who waits here holds no connection.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()  # guards the two below
        self._owner: int | None = None
        self._waiting: deque[tuple[int, threading.Lock]] = deque()

    @contextmanager
    def taken(self) -> Iterator[None]:
        self._take()
        try:
            yield
        finally:
            self._pass_on()

    def _take(self) -> None:
        me = threading.get_ident()
        with self._guard:
            assert self._owner != me, "a write within a write of the same store waits for itself"
            if self._owner is None:
                self._owner = me
                return
            called = threading.Lock()
            called.acquire()
            self._waiting.append((me, called))
        try:
            called.acquire()
        except BaseException:
            # A signal in the main thread: the turn must not be given to who has left.
            self._leave((me, called))
            raise

    def _leave(self, place: tuple[int, threading.Lock]) -> None:
        with self._guard:
            if place in self._waiting:
                self._waiting.remove(place)
                return
        self._pass_on()

    def _pass_on(self) -> None:
        with self._guard:
            self._owner = None
            if self._waiting:
                self._owner, called = self._waiting.popleft()
                called.release()
