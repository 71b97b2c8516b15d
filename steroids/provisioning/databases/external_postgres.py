"""Statements for a PostgreSQL of the user's own by psycopg, which the extra `postgres` brings."""

import re
from collections.abc import Sequence
from typing import Any, Protocol

from steroids.provisioning.databases.base import (
    DatabaseError,
    DatabaseRefused,
    DatabaseUnavailable,
)
from steroids.provisioning.databases.external_kind import other_kind
from steroids.provisioning.databases.postgres_sql import ADMIN_DATABASE, Row, error_of

CONNECT_TIMEOUT_S = 10
_KEEPALIVE = {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
_AT_THE_DOOR = re.compile(
    r"FATAL:\s+((?:password authentication failed|no pg_hba\.conf entry|role .* does not exist"
    r"|role .* is not permitted to log in|pg_hba\.conf rejects).*)"
)


class Place(Protocol):
    """Where it is, and as whom to go there: `external.Place`."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def user(self) -> str: ...
    @property
    def password(self) -> str: ...
    @property
    def database(self) -> str: ...
    @property
    def options(self) -> dict[str, str]: ...
    @property
    def shown(self) -> str: ...


class PsycopgSql:
    """`postgres_sql.Sql` with the account of a URL."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._psycopg = _driver()

    def run(self, statements: Sequence[str], database: str = ADMIN_DATABASE) -> list[Row]:
        rows: list[Row] = []
        with self._connect(database) as connection:
            for statement in statements:
                try:
                    cursor = connection.execute(statement.encode())
                except self._psycopg.Error as error:
                    raise self._failure(error) from None
                # As text, whatever its type.
                if (result := cursor.pgresult) is not None and cursor.description:
                    rows += (
                        tuple(
                            (result.get_value(row, column) or b"").decode()
                            for column in range(result.nfields)
                        )
                        for row in range(result.ntuples)
                    )
        return rows

    def _connect(self, database: str) -> Any:
        place = self._place
        if database == ADMIN_DATABASE and place.database:
            database = place.database
        try:
            return self._psycopg.connect(
                host=place.host,
                port=place.port,
                user=place.user,
                password=place.password,
                dbname=database,
                autocommit=True,
                # Statements are parsed as one text each, as by psql.
                prepare_threshold=None,
                connect_timeout=CONNECT_TIMEOUT_S,
                application_name="steroids",
                **_KEEPALIVE,
                **place.options,
            )
        except self._psycopg.Error as error:
            raise self._no_entry(str(error)) from None

    def _no_entry(self, said: str) -> DatabaseError:
        place = self._place
        said = said.replace(place.password, "***") if place.password else said
        if found := _AT_THE_DOOR.search(said):
            return DatabaseRefused(
                f"{place.shown} does not let us in: {found[1]}",
                hint="steroids config show   (database.server: its user and password)",
            )
        if other := other_kind(place.host, place.port, "postgres"):
            return DatabaseRefused(
                f"{place.shown} is {other}, not PostgreSQL",
                hint="steroids config show   (database.kind and database.server)",
            )
        return self._away(said)

    def _failure(self, error: Any) -> DatabaseError:
        if error.sqlstate is None:
            return self._away(str(error))
        return error_of(error.sqlstate, error.diag.message_primary or str(error))

    def _away(self, said: str) -> DatabaseError:
        first = next(iter(said.strip().splitlines()), "it says nothing")
        return DatabaseUnavailable(
            f"{self._place.shown} does not answer: {first.rpartition('failed: ')[2]}",
            hint="steroids config show   (database.server)",
        )


def _driver() -> Any:
    try:
        import psycopg
    except ImportError:
        raise DatabaseRefused(
            "A PostgreSQL server of yours needs the driver psycopg, which is not installed",
            hint="python3 -m pip install 'steroids[postgres]'",
        ) from None
    return psycopg
