from datetime import datetime

from steroids.wire.body import Body


class DatabaseAsk(Body):
    """A runner asks for its test database, fresh and migrated as its commit wants it."""

    commit: str
    fence: int | None = None
    """Of the task that it is for; none: it is for a check or a review."""
    wait_s: float = 20


class DatabaseGrant(Body):
    """No answer (204): it is being made, ask again."""

    env: dict[str, str]
    """What the agent is told: `DATABASE_URL`, `PGHOST` and so on."""


class Database(Body):
    name: str
    kind: str
    section: str | None
    runner_id: str | None
    """None: a template, or one that all runners share."""
    server: str
    """For people: `managed (docker)`, or the address of the user's own, without its password."""
    template: str | None = None
    """What it was copied from."""
    size_bytes: int | None = None
    created_at: datetime | None = None


class Databases(Body):
    databases: list[Database]


class DatabaseReset(Body):
    section: str


class DatabaseResetDone(Body):
    database: Database
    duration_s: float
