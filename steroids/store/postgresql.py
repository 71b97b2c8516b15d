"""A store in a schema of PostgreSQL: for several hosts, or one that has it anyway."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError, TimeoutError

from steroids.errors import BadConfig, SteroidsError, StoreUnavailable

KEPT_CONNECTIONS = 8
MOST_CONNECTIONS = 48
"""Of one process to one database, whatever the number of stores in it: more than the controller
has threads, less than half of the 100 that PostgreSQL allows as delivered."""
CONNECT_TIMEOUT_S = 10
LOCK_TIMEOUT = "30s"
IDLE_TIMEOUT = "120s"
"""A transaction in which nothing happens for so long is ended by the server: its host is gone, and
would keep the write lock until the network notices."""

# Settings of this transaction only: the pool is shared by all stores in the database, and so may
# a pooler between us and the server. One statement, since each is a way there and back.
_BEGIN = (
    "SELECT set_config('search_path', %s, true), set_config('lock_timeout', %s, true),"
    " set_config('idle_in_transaction_session_timeout', %s, true),"
    # Tables here grow from nothing to thousands of rows: a plan that was kept is soon wrong.
    " set_config('plan_cache_mode', 'force_custom_plan', true)"
)
_BEGIN_WRITE = _BEGIN + ", pg_advisory_xact_lock(%s)"


class Postgres:
    """See `Database`. Transactions that write first take an advisory lock, of the database and
    the schema. They are READ COMMITTED, so that each statement after it sees what the one before
    committed; a REPEATABLE READ would see the state from before its wait for the lock."""

    def __init__(self, url: URL, schema: str | None) -> None:
        self._schema = schema or "public"
        self._url = url.set(drivername="postgresql+psycopg")
        self.name = f"{_shown(url)}, schema {self._schema}"
        self._closed = False
        engine = _pools.take(self._url)
        options = {"schema": self._schema}
        self.writing: Engine = engine.execution_options(
            **options, write=True, isolation_level="READ COMMITTED", postgresql_readonly=False
        )
        self.reading: Engine = engine.execution_options(
            **options, isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @contextmanager
    def upgrading(self) -> Iterator[Connection]:
        with self.writing.begin() as connection:
            # Not CREATE IF NOT EXISTS: that asks for the right to create even when it is there.
            known = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s"
            if connection.exec_driver_sql(known, (self._schema,)).first() is None:
                quoted = connection.dialect.identifier_preparer.quote_identifier(self._schema)
                connection.exec_driver_sql(f"CREATE SCHEMA {quoted}")
            yield connection

    def keep_copy(self, version: str) -> None:
        """None is needed against a failed upgrade, which leaves nothing: changes of a schema are
        part of the transaction. Against a change of mind there is the server's own backup."""

    def explain(self, error: SQLAlchemyError) -> SteroidsError | None:
        if isinstance(error, TimeoutError):
            return StoreUnavailable(
                f"All {MOST_CONNECTIONS} connections to {self.name} are in use", hint="steroids ps"
            )
        if not isinstance(error, DBAPIError):
            return None
        state = getattr(error.orig, "sqlstate", None) or ""
        # Class 40 (deadlock, serialisation) cannot happen under one lock: that would be a bug.
        if state.startswith("40"):
            return None
        if not (isinstance(error, OperationalError) or error.connection_invalidated):
            return None
        words = str(error.orig).strip().splitlines() or ["the connection was lost"]
        message = f"{self.name} is not available: {words[0].strip()}"
        return StoreUnavailable(message, hint=f"pg_isready -d '{_shown(self._url)}'")

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            _pools.give_back(self._url)


def _shown(url: URL) -> str:
    """Where it is, without what may be secret: a password can be among the parameters too."""
    where = {key: value for key, value in url.query.items() if key in ("host", "port")}
    return URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, where
    ).render_as_string()


class _Pools:
    """One pool of connections per database in this process, for all stores that are in it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _users
        self._users: dict[URL, tuple[Engine, int]] = {}

    def take(self, url: URL) -> Engine:
        with self._lock:
            engine, users = self._users.get(url) or (_new_engine(url), 0)
            self._users[url] = engine, users + 1
            return engine

    def give_back(self, url: URL) -> None:
        with self._lock:
            engine, users = self._users.pop(url)
            if users > 1:
                self._users[url] = engine, users - 1
                return
        engine.dispose()


_pools = _Pools()


def _new_engine(url: URL) -> Engine:
    try:
        engine = create_engine(
            url,
            connect_args={
                "connect_timeout": int(str(url.query.get("connect_timeout", CONNECT_TIMEOUT_S))),
                "application_name": "steroids",
            },
            pool_size=KEPT_CONNECTIONS,
            max_overflow=MOST_CONNECTIONS - KEPT_CONNECTIONS,
        )
    except ImportError:
        raise BadConfig(
            "A store in PostgreSQL needs the driver psycopg",
            hint="python3 -m pip install 'steroids[postgres]'",
        ) from None
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, record: object) -> None:
    from psycopg.types.string import StrDumper

    class WithoutNul(StrDumper):
        """PostgreSQL has no text with a NUL in it, and an agent's output may be anything."""

        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)

    connection.adapters.register_dumper(str, WithoutNul)


def _on_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if "schema" not in options:
        # SQLAlchemy's own first look at the server.
        return
    schema: str = options["schema"]
    quoted = connection.dialect.identifier_preparer.quote_identifier(schema)
    settings = (quoted, LOCK_TIMEOUT, IDLE_TIMEOUT)
    if options.get("write", False):
        connection.exec_driver_sql(_BEGIN_WRITE, (*settings, lock_key(schema)))
    else:
        connection.exec_driver_sql(_BEGIN, settings)


def lock_key(schema: str) -> int:
    """Of the write lock of the store in that schema. PostgreSQL keeps these per database.

    Never to change: an older Steroids beside this one must take the same lock.
    """
    digest = hashlib.sha256(f"steroids store {schema}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
