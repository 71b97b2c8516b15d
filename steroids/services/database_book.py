"""What is on a runner's row about its test database: written before there is any, so that what a
crash leaves behind is known."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import null
from sqlmodel import col, select

from steroids.errors import SteroidsError
from steroids.provisioning.databases.base import DatabaseError, Login
from steroids.services.host import Host
from steroids.store import home_models as home
from steroids.store.columns import utc_now
from steroids.wire.error import ErrorBody, RemoteError
from steroids.wire.runner import ACTIVE, Role

UP = "up"
"""The purpose of the one that is made with the runner, for its first attempt."""
ONCE = "once"
"""Of the one of a container that does a single thing."""


DATABASE_JOB, TEMPLATE_JOB = "database", "template's database"
"""Kinds of jobs, each of which waits for none of its own kind."""


def job(row: home.Runner) -> tuple[str, str]:
    """The key of what is done about that runner's database."""
    return (TEMPLATE_JOB if row.role == Role.SETUP else DATABASE_JOB, row.id)


@dataclass(frozen=True)
class Book:
    """A runner's test database, as far as it has got."""

    purpose: str
    """`up`, `once`, or the fence of the attempt that it is for."""
    database: str
    role: str
    password: str
    kind: str
    template: str | None = None
    """What it was copied from; none: it began empty."""
    commit: str | None = None
    """Whose migrations it has."""
    managed: bool = False
    """On the server that Steroids runs itself."""
    shared: bool = False
    """Others use it too: it is not dropped with the runner."""
    env: dict[str, str] = field(default_factory=dict)
    """What the agent is told; empty as long as it is not ready."""
    born: str = ""
    """`Server.born`, when it was made."""
    error: dict[str, Any] | None = None
    """Why there is none, as an `ErrorBody`."""
    since: str = field(default_factory=lambda: utc_now().isoformat())

    @property
    def login(self) -> Login:
        return Login(self.database, self.role, self.password)

    @property
    def ready(self) -> bool:
        return bool(self.env)

    def failure(self) -> SteroidsError:
        """What making it failed with."""
        body = msgspec.convert(self.error, ErrorBody)
        return RemoteError(body, DatabaseError.http_status)

    @property
    def made_at(self) -> datetime:
        return datetime.fromisoformat(self.since)

    def but(self, **changed: Any) -> "Book":
        return replace(self, **changed)


def of(row: home.Runner) -> Book | None:
    return Book(**row.database) if row.database is not None else None


def write(host: Host, runner_id: str, book: Book | None) -> bool:
    """Note it; False when the runner is at its end by now, so that nobody needs it any more."""
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner_id)
        row.database = asdict(book) if book is not None else None
        session.add(row)
        return row.status in ACTIVE


def name(row: home.Runner) -> str | None:
    """Of the runner's database, once it can be used."""
    book = of(row)
    return book.database if book is not None and book.ready else None


def rows(host: Host) -> Sequence[home.Runner]:
    """All runners that have one, living or not."""
    with host.store.read() as session:
        query = select(home.Runner).where(col(home.Runner.database).is_not(null()))
        return session.exec(query).all()
