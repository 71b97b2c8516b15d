"""Statements for a MySQL or MariaDB by PyMySQL, which the extra `mysql` brings."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from steroids.provisioning.databases.base import (
    DatabaseError,
    DatabaseRefused,
    DatabaseUnavailable,
    Login,
)
from steroids.provisioning.databases.external_kind import POSTGRES, other_kind
from steroids.provisioning.databases.mysql_sql import SESSION, Row, failure, grantee

CONNECT_TIMEOUT_S = 10
QUICK_S = 1
"""MySQL speaks first; what does not is looked at."""
ANSWER_TIMEOUT_S = 300
ACCESS_DENIED, NO_PASSWORD = 1045, 1698


@dataclass(frozen=True)
class DriverSql:
    """`mysql_sql.Sql` with the account that is given here."""

    host: str
    port: int
    user: str
    password: str
    shown: str = "the server"
    """What people call it."""
    acts_for_all = False

    def ask(self, *statements: str, database: str = "", login: Login | None = None) -> list[Row]:
        rows: list[Row] = []
        with self._cursor(database, login) as cursor:
            for statement in statements:
                cursor.execute(statement)
                rows += (tuple(_text(value) for value in row) for row in cursor.fetchall())
        return rows

    def run(
        self, statements: Sequence[str], *, database: str = "", login: Login | None = None
    ) -> None:
        with self._cursor(database, login) as cursor:
            for statement in statements:
                cursor.execute(statement)

    @contextmanager
    def _cursor(self, database: str, login: Login | None) -> Iterator[Any]:
        pymysql = _driver()
        user, password = self.user, self.password
        if login is not None:
            user, password = grantee(login.role), login.password
        try:
            connection = pymysql.connect(
                host=self.host,
                port=self.port,
                user=user,
                # As text PyMySQL would take it for Latin-1.
                password=password.encode(),
                database=database or None,
                charset="utf8mb4",
                autocommit=True,
                read_timeout=ANSWER_TIMEOUT_S,
                defer_connect=True,
            )
            connection.connect(self._reached())
            with connection, connection.cursor() as cursor:
                for statement in SESSION:
                    cursor.execute(statement)
                yield cursor
        except pymysql.err.MySQLError as error:
            number, says = (*error.args, "", "")[:2]
            raise self._failure(number, str(says or error), user) from None
        except (OSError, RuntimeError) as error:
            said = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise DatabaseUnavailable(
                f"{self.shown} does not answer: {said}",
                hint="steroids config show   (database.server)",
            ) from None

    def _reached(self) -> socket.socket:
        """Connected, and it has begun to speak: PyMySQL would wait for that for minutes."""
        there = socket.create_connection((self.host, self.port), CONNECT_TIMEOUT_S)
        there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        there.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if _speaks(there, QUICK_S):
            return there
        if other_kind(self.host, self.port, "mysql") == POSTGRES:
            there.close()
            raise DatabaseRefused(
                f"{self.shown} is {POSTGRES}, not MySQL or MariaDB",
                hint="steroids config show   (database.kind and database.server)",
            )
        if _speaks(there, CONNECT_TIMEOUT_S):
            return there
        there.close()
        raise OSError(f"it says nothing for {CONNECT_TIMEOUT_S} s")

    def _failure(self, number: Any, says: str, user: str) -> DatabaseError:
        number = number if isinstance(number, int) else 0
        if number not in (ACCESS_DENIED, NO_PASSWORD):
            return failure(number, says)
        if user == self.user:
            return DatabaseRefused(
                f"{self.shown} does not let us in: {says}",
                hint="steroids config show   (database.server: its user and password)",
                details={"number": number},
            )
        return DatabaseRefused(
            f"{self.shown} does not let in an account that was just made there: {says}",
            hint="mariadb-secure-installation   # an account without a name may be in its way",
            details={"number": number},
        )


def _speaks(there: socket.socket, within_s: float) -> bool:
    there.settimeout(within_s)
    with suppress(TimeoutError):
        there.recv(1, socket.MSG_PEEK)
        return True
    return False


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else "NULL" if value is None else str(value)


def _driver() -> Any:
    try:
        import pymysql
    except ModuleNotFoundError:
        raise DatabaseRefused(
            "A MySQL or MariaDB server of yours needs the driver PyMySQL, which is not installed",
            hint="python3 -m pip install 'steroids[mysql]'",
        ) from None
    return pymysql
