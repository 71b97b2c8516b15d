"""Tables of the global store: what is true of the host, across projects."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, MetaData, text
from sqlmodel import Field, SQLModel

from steroids.store.columns import UtcTime, new_id, utc_now

metadata = MetaData()


class Project(SQLModel, table=True):
    __tablename__ = "projects"
    metadata = metadata

    id: str = Field(default_factory=new_id, primary_key=True)
    path: str = Field(unique=True)
    name: str
    target: str
    remote: str | None = None
    enabled: bool = True
    wanted: str | None = None
    """Address of the engine to keep a single runner for all sections on; none: nobody asked."""
    keep: bool = False
    registered_at: datetime = Field(default_factory=utc_now, sa_type=UtcTime)
    last_seen_at: datetime = Field(default_factory=utc_now, sa_type=UtcTime)


class Runner(SQLModel, table=True):
    """A container that works for a project, from its registration until long after its end."""

    __tablename__ = "runners"
    metadata = metadata
    # One living runner per section, and one single runner per project, are held by the database
    # itself, not by whoever looks first.
    __table_args__ = (
        Index(
            "one_runner_per_section",
            "project_id",
            "section_id",
            unique=True,
            sqlite_where=text("role = 'section' AND status NOT IN ('stopped', 'lost')"),
            postgresql_where=text("role = 'section' AND status NOT IN ('stopped', 'lost')"),
        ),
        Index(
            "one_single_runner_per_project",
            "project_id",
            unique=True,
            sqlite_where=text("role = 'single' AND status NOT IN ('stopped', 'lost')"),
            postgresql_where=text("role = 'single' AND status NOT IN ('stopped', 'lost')"),
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(index=True)
    role: str
    section_id: str | None = None
    status: str = "starting"
    engine: str
    engine_address: str
    container: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )
    """The engine's `Handle`, once it is known."""
    pid: int | None = None
    """Of the container's main process, on the engine's host."""
    token_hash: str = Field(index=True)
    host: str
    started_at: datetime = Field(default_factory=utc_now, sa_type=UtcTime)
    launched_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When its container was asked for, everything before that being ready."""
    heartbeat_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    task_id: str | None = None
    waits_for: str | None = None
    waits_since: datetime | None = Field(default=None, sa_type=UtcTime)
    """Since when it has been waiting for locks without a task."""
    keep: bool = False
    once: bool = False
    """It ends after one task."""
    loop: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """The process (`pid`, `created`) of the `steroids loop` that it lives and dies with."""
    ports: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Published ports: inside (JSON knows text only), and on the engine's host."""
    unlimited: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Limits that were asked for and that do not hold, as it found from inside: `memory`."""
    database: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """Its test database, once it has one; see services/databases.py."""
    events_taken: int = 0
    """How many of its events are in the project's store."""
    assignment: str | None = None
    """The one thing that a review or set-up container does, as JSON."""
    result: str | None = None
    """What came of it, as JSON."""


class Wakeup(SQLModel, table=True):
    """One look at all projects, with what it did; the last few are kept."""

    __tablename__ = "wakeups"
    metadata = metadata

    id: int | None = Field(default=None, primary_key=True)
    began_at: datetime = Field(default_factory=utc_now, sa_type=UtcTime)
    took_s: float = 0
    projects: int = 0
    """How many were looked at."""
    actions: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False)
    )
    """Where something was done or went wrong: `wire/wakeup.py: Woken` as JSON."""
