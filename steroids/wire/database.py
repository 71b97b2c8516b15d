from datetime import datetime

from steroids.wire.body import Body


class DatabaseAsk(Body):
    """A runner asks for its test database, fresh and migrated as its commit wants it."""

    commit: str
    fence: int | None = None
    """Of the task that it is for; none: it is for a check or a review."""
    wait_s: float = 20


class Sqlite(Body):
    """The file that a runner keeps as its test database: in its own container, without a server."""

    key: str
    """Of what migrates it: what was made under another one is another's."""
    migrate: str | None
    """The command that migrates and seeds an empty one."""
    timeout_s: float


class DatabaseGrant(Body):
    """Null in its place: it is being made, ask again."""

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


class DatabasePrune(Body):
    dry_run: bool = False


class DatabasesPruned(Body):
    removed: list[str]
    """Servers and their data, for people."""


class DatabaseDoor(Body):
    """How a person gets into a runner's database."""

    argv: list[str]
    """The client's program and its arguments."""
    env: dict[str, str]
    """What it goes by."""
    engine: str | None = None
    """Of the container that it is in; none: it is a program of this machine."""
    address: str | None = None
    container: str | None = None
    user: str | None = None
