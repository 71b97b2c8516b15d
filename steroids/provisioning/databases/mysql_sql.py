"""How statements get to a MySQL or MariaDB, and how names and texts are written in them."""

import hashlib
import re
from collections.abc import Sequence
from typing import Protocol

from steroids.provisioning.databases.base import (
    DatabaseError,
    DatabaseRefused,
    DatabaseUnavailable,
    Login,
)

Row = tuple[str, ...]

USER_MAX = 32
"""Characters of a user's name on MySQL; MariaDB allows more."""
NAME_MAX = 64
"""Characters of a database's name, there where each `_` counts twice."""
SESSION = (
    "SET NAMES utf8mb4",
    # Zero in an AUTO_INCREMENT column stays zero; and nothing that was there is refused.
    "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO', foreign_key_checks=0, unique_checks=0",
    # Rather an error than a wait for somebody who is connected and holds a table.
    "SET SESSION lock_wait_timeout=20",
)
"""What every connection begins with."""


class Sql(Protocol):
    """Raises `DatabaseUnavailable`, `DatabaseRefused`, `DatabaseError` with the server's number in
    `details["number"]`."""

    acts_for_all: bool
    """Whether the administrator may make things that are others'; else it has to be as `login`."""

    def ask(self, *statements: str, database: str = "", login: Login | None = None) -> list[Row]:
        """The rows of all of them, one after the other, as text; NULL is not told from `NULL`.

        As the administrator, or as `login`; on one connection, which began with `SESSION`.
        """

    def run(
        self, statements: Sequence[str], *, database: str = "", login: Login | None = None
    ) -> None:
        """Any number of statements that return no rows. The first that fails ends it."""


def name(text: str) -> str:
    """Quoted, as the name of a database, table, column."""
    return "`" + text.replace("`", "``") + "`"


def text(value: str) -> str:
    """Quoted, as a string."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def grantee(role: str) -> str:
    """The user of a role. What is longer than the server allows is cut, and stays unique."""
    if len(role) > USER_MAX:
        role = f"{role[: USER_MAX - 9]}_{hashlib.sha256(role.encode()).hexdigest()[:8]}"
    return role


def account(role: str) -> str:
    return f"{text(grantee(role))}@'%'"


def identified(password: str, *, mariadb: bool) -> str:
    """The rest of CREATE USER. MariaDB needs to be told only what it keeps of a password."""
    if not mariadb:
        return f"IDENTIFIED BY {text(password)}"
    twice = hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest()
    return f"IDENTIFIED BY PASSWORD '*{twice.upper()}'"


def schema_pattern(database: str) -> str:
    """As GRANT wants it: there `_` stands for any character, unless it is escaped.

    Raises `DatabaseError` for a name that is too long for that.
    """
    escaped = database.replace("_", "\\_")
    if len(escaped) > NAME_MAX:
        raise DatabaseError(
            f"'{database}' is too long for a database on MySQL",
            hint="steroids config show   (database.prefix: a shorter one)",
        )
    return name(escaped)


def ours(given: str) -> str:
    """`given`, when it is a name that Steroids makes. Raises `DatabaseError`."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,63}", given):
        raise DatabaseError(f"'{given}' is no name that Steroids gives to a database or a role")
    return given


_REFUSED = frozenset({1044, 1045, 1142, 1143, 1227, 1370, 1410, 1419, 1698})
"""Access denied: to a database, at the door, to a table, a column, for want of a privilege, to a
routine, to give what one has not, to make a trigger beside a binary log; without a password."""
_AWAY = frozenset({1040, 1053, 1129, 1203, 2002, 2003, 2006, 2013, 2026, 2055, 4031})
"""Too many connections, shutting down, blocked, and the clients' own."""


def failure(number: int, says: str) -> DatabaseError:
    """What a server's error means to whoever asked."""
    details = {"number": number}
    if number in _REFUSED:
        return DatabaseRefused(f"The database server does not allow that: {says}", details=details)
    if number in _AWAY:
        return DatabaseUnavailable(
            f"The database server does not answer: {says}", hint="steroids doctor", details=details
        )
    return DatabaseError(
        f"The database server failed: {says}", hint="steroids db list", details=details
    )
