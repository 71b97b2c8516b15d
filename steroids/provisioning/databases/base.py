"""The contract of a database server, as its administrator sees it.

A server is PostgreSQL or MySQL (MariaDB), run by Steroids in a container or somebody's own. Names
given here are made by Steroids: lower case letters, digits, underscores, at most 63 characters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from steroids.errors import SteroidsError


class DatabaseError(SteroidsError):
    """The server did not do what it was asked for."""

    code = "DATABASE"
    exit_code = 5
    http_status = 502


class DatabaseUnavailable(DatabaseError):
    """It does not answer: nothing is known, trying again is right."""

    code = "DATABASE_UNAVAILABLE"
    http_status = 503


class DatabaseRefused(DatabaseError):
    """The account may not do what isolation needs (create databases and roles), or the server is
    none of the kind that it should be."""

    code = "DATABASE_REFUSED"


class MigrationFailed(DatabaseError):
    """The project's migrate command failed; no template was made. `details`: command, exitCode,
    tail, log."""

    code = "MIGRATION_FAILED"
    http_status = 422


@dataclass(frozen=True)
class Address:
    """Where containers reach the server."""

    host: str
    port: int


@dataclass(frozen=True)
class Login:
    """A database and the one role that reaches it, and reaches nothing else."""

    database: str
    role: str
    password: str


@dataclass(frozen=True)
class Found:
    database: str
    size_bytes: int | None = None


class Server(Protocol):
    """Every call opens and closes its own connection, may be made from any thread, and raises
    `DatabaseUnavailable` when the server does not answer, `DatabaseRefused` when it forbids it."""

    kind: str
    """`postgres`, `mysql`."""

    def check(self) -> str:
        """Its version, for people; raises `DatabaseRefused` when the account may not create
        databases and roles."""

    def create(self, login: Login) -> None:
        """An empty database. Both database and role are new afterwards: what had the names is
        gone, with whoever was connected."""

    def clone(self, template: str, login: Login) -> None:
        """The same, with what is in `template`, which the role may change as if it had made it.

        Raises `DatabaseError` when there is no such template.
        """

    def freeze(self, login: Login, template: str) -> None:
        """Make the database of `login` the template of that name; its role is gone afterwards and
        nobody can connect. The last step of making one: a template that is there is whole."""

    def drop(self, database: str, role: str | None) -> None:
        """With whoever is connected. Gone already: fine."""

    def list(self, prefix: str) -> Sequence[Found]:
        """All databases, templates too, whose names begin like that."""

    def tables(self, database: str) -> int:
        """How many of its own it has, views aside; not asked of templates."""

    def born(self) -> str:
        """When it came up last: another text after a crash or a restart, in which whoever was
        connected was sent away and what was under way was lost."""

    def env(self, login: Login, address: Address) -> Mapping[str, str]:
        """What a client inside a container is told: `DATABASE_URL`, `TEST_DATABASE_URL`, and the
        variables of the kind's own programs (`PG*`, `MYSQL_*`)."""
