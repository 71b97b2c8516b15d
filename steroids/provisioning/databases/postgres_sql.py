"""How statements get to a PostgreSQL, and how names and texts are written in them."""

import base64
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Sequence
from typing import Protocol

from steroids.provisioning.databases.base import (
    DatabaseError,
    DatabaseRefused,
    DatabaseUnavailable,
)
from steroids.provisioning.databases.recipe import Exec

Row = tuple[str, ...]

ADMIN_DATABASE = "postgres"
_ITERATIONS = 4096
_NOT_ALLOWED = "42501"
_AWAY = ("08", "57P")
"""Classes of errors: the connection broke, the server is starting or ending."""
_CONNECTION_BROKE = 2
"""How psql exits then."""
_DISK_FULL = "53100"


class Sql(Protocol):
    """Raises `DatabaseUnavailable`, `DatabaseRefused`, `DatabaseError` with the server's code in
    `details["sqlstate"]`."""

    def run(self, statements: Sequence[str], database: str = ADMIN_DATABASE) -> list[Row]:
        """The rows of all of them, as text, NULL as nothing.

        On one connection, each statement in a transaction of its own; the first that fails ends
        it.
        """


class ContainerPsql:
    """psql within the server's own container, as its superuser, over the unix socket."""

    def __init__(self, execute: Exec) -> None:
        self._execute = execute

    def run(self, statements: Sequence[str], database: str = ADMIN_DATABASE) -> list[Row]:
        argv = ["env", "PGOPTIONS=-c client_min_messages=error", "psql", "-X", "-q", "-A", "-t"]
        argv += ["-F", "\t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-d", database]
        done = self._execute([*argv, *(word for each in statements for word in ("-c", each))])
        said = done.output.decode("utf-8", "replace")
        if done.exit_code == 0:
            return [tuple(line.split("\t")) for line in said.splitlines() if line]
        found = re.search(r"^(?:ERROR|FATAL):\s+([0-9A-Z]{5}): (.*)$", said, re.MULTILINE)
        if found is not None:
            raise error_of(found[1], found[2])
        if done.exit_code == _CONNECTION_BROKE:
            raise unavailable(said.strip().splitlines()[-1] if said.strip() else "no answer")
        raise DatabaseError(f"psql failed: {said.strip()[-300:]}", hint="steroids doctor")


def error_of(sqlstate: str, words: str) -> DatabaseError:
    """What the server said, as one of ours."""
    if sqlstate.startswith(_AWAY):
        return unavailable(words)
    if sqlstate == _NOT_ALLOWED:
        return DatabaseRefused(
            f"The database server does not allow that: {words}",
            hint="ALTER ROLE ... CREATEDB CREATEROLE   (in psql, for the account in use)",
            details={"sqlstate": sqlstate},
        )
    hint = "df -h" if sqlstate == _DISK_FULL else "steroids db list"
    return DatabaseError(
        f"The database server failed: {words}", hint=hint, details={"sqlstate": sqlstate}
    )


def unavailable(words: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"The database server does not answer: {words}", hint="steroids doctor"
    )


def name(text: str) -> str:
    """Quoted, as the name of a database, role, schema."""
    return '"' + text.replace('"', '""') + '"'


def ours(given: str) -> str:
    """`given`, when it is a name that Steroids makes. Raises `DatabaseError`."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", given):
        raise DatabaseError(f"'{given}' is no name that Steroids gives to a database or a role")
    return given


def text(value: str) -> str:
    """Quoted, as a string."""
    escape = " E" if "\\" in value else ""
    return escape + "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def verifier(password: str) -> str:
    """What a server keeps of a password, and all that it needs to be told: SCRAM-SHA-256, RFC 7677.

    So that no password is in a statement, a program's arguments or a log.
    """
    salt = secrets.token_bytes(16)
    plain = unicodedata.normalize("NFKC", password).encode()
    salted = hashlib.pbkdf2_hmac("sha256", plain, salt, _ITERATIONS)
    client = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_, client_, server_ = (base64.b64encode(each).decode() for each in (salt, client, server))
    return f"SCRAM-SHA-256${_ITERATIONS}:{salt_}${client_}:{server_}"
