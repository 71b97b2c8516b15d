"""Tables of a project's own store: its sections, tasks and what became of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, MetaData, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from steroids.store.columns import UtcTime, new_id, utc_now

metadata = MetaData()


class Identity(SQLModel, table=True):
    """One row: the project's id, by which it is known again where somebody has moved it to."""

    __tablename__ = "identity"
    metadata = metadata

    project_id: str = Field(primary_key=True)


class Section(SQLModel, table=True):
    __tablename__ = "sections"
    metadata = metadata
    __table_args__ = (
        Index(
            "one_living_section_per_name",
            "name",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    name: str
    paths: list[str] = Field(sa_column=Column(JSON, nullable=False))
    isolation: str = "parallel"
    dependencies: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Ids of sections that this one reads."""
    after: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Ids of sections that have to be finished before this one is begun."""
    check_commands: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    setup: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """Commands in place of the project's set-up."""
    image: str | None = None
    """The user's own image, in place of the project's."""
    resources: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """Which of the shared resources its set-up and checks use; none: all of them."""
    ports: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """What its dev servers listen on, inside."""
    priority: int = 50
    position: int
    skipped: bool = False
    removed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """Kept for the history of its tasks; no query for living sections sees it."""
    wanted: str | None = None
    """Address of the engine to keep a runner on; none: nobody asked for one."""
    keep: bool = False


class Task(SQLModel, table=True):
    __tablename__ = "tasks"
    metadata = metadata
    # What a claim looks for: the first pending one of a section.
    __table_args__ = (Index("queue", "section_id", "status", "priority", "position"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    title: str
    spec: str = ""
    section_id: str = Field(foreign_key="sections.id")
    status: str = Field(default="pending", index=True)
    priority: int = 50
    position: int
    affected_paths: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    base_commit: str | None = None
    latest_commit: str | None = None
    """The newest tip taken in; the next run starts here."""
    current_attempt: int = 0
    attempt_base_commit: str | None = None
    squash_commit: str | None = None
    """The tip that did not go with the target, and that has to be brought in anew; while it is the
    newest tip, by the attempt to come."""
    agent: str | None = None
    """Who codes it, in place of the project's coder."""
    after: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Ids of tasks that have to be completed before this one is begun; `blocked` until then."""
    reverts: str | None = Field(default=None, index=True)
    """Id of the task whose landed commits this one takes back."""
    rejection_count: int = 0
    landing_failures: int = 0
    infrastructure_failures: int = 0
    reason: str | None = None
    awaits: str | None = None
    """The reviewer whose verdict is missing, where that is a person; nothing runs meanwhile."""
    approved_at: datetime | None = Field(default=None, sa_type=UtcTime)
    approved_tree: str | None = None
    """The content that was judged; what is to land with another one is checked again."""
    overridden: bool = False
    """A person approved it against, or without, its other reviewers: no check asks again."""
    landing_hash: str | None = None
    """What is being pushed; written before the push, so that a crash after it is no riddle."""
    landing_branch: str | None = None
    """Where to."""
    push_refused: bool = False
    """The remote said no for good; not tried again until somebody asks."""
    landed_hash: str | None = None
    """Its newest commit on the branch; none when there was nothing (more) to land."""
    landed_branch: str | None = None
    """Where that is: the target, or the branch that was made for a pull request."""
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcTime)
    updated_at: datetime = Field(default_factory=utc_now, sa_type=UtcTime)
    completed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """Kept for its history; no listing has it."""


class Attempt(SQLModel, table=True):
    __tablename__ = "attempts"
    metadata = metadata
    __table_args__ = (UniqueConstraint("task_id", "number"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    task_id: str = Field(foreign_key="tasks.id")
    number: int
    section_id: str | None = None
    """The section that it was worked on in; the task may have been moved since."""
    runner_id: str | None = None
    """Who worked on it last."""
    status: str = "running"
    """`running`, `interrupted`, `review`, `approved`, `rejected`, `rerouted`, `conflict`,
    `disputed`, `skipped`, `failed`."""
    base_commit: str
    tip: str | None = None
    reason: str | None = None
    files: int = 0
    added: int = 0
    """Lines, as `removed`: what it changed as a whole."""
    removed: int = 0
    outside: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Files that it changed outside its section."""
    started_at: datetime = Field(default_factory=utc_now, sa_type=UtcTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcTime)


class TaskCommit(SQLModel, table=True):
    __tablename__ = "task_commits"
    metadata = metadata
    __table_args__ = (UniqueConstraint("task_id", "hash"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    task_id: str = Field(foreign_key="tasks.id", index=True)
    attempt: int
    position: int
    hash: str
    message: str
    author: str
    created_at: datetime = Field(sa_type=UtcTime)
    status: str = "pending"
    rejection_reason: str | None = None
    landed_hash: str | None = None


class Verdict(SQLModel, table=True):
    """What one reviewer said about one attempt; never changed, a later one of the same reviewer
    on the same tip counts instead."""

    __tablename__ = "verdicts"
    metadata = metadata

    id: int | None = Field(default=None, primary_key=True)
    task_id: str = Field(foreign_key="tasks.id", index=True)
    attempt: int
    tip: str
    """The commit that was looked at."""
    reviewer: str
    """`checks`, `human`, or an agent's name."""
    decision: str
    """`approve`, `reject` or `dispute`."""
    reasons: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    files: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    actor: str | None = None
    """Of a person, who it was."""
    at: datetime = Field(default_factory=utc_now, sa_type=UtcTime)
    duration_s: float = 0


class Lease(SQLModel, table=True):
    """A lock on a resource, held for a task, or by a runner for a build.

    The locks of a task stand and fall together: they have one fence.
    """

    __tablename__ = "leases"
    metadata = metadata
    __table_args__ = (
        UniqueConstraint("resource", "fence"),
        # A lock that somebody releases by its number must be the one that they saw.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    resource: str
    """`project`, `section:<id>`, `files:<glob>`, `zone:<name>`, `resource:<name>`, ..."""
    exclusive: bool
    # No foreign key: tasks are never deleted, and the check of each row is what a claim would wait
    # for longest on PostgreSQL.
    task_id: str | None = Field(default=None, index=True)
    runner_id: str
    fence: int
    """Whoever acts under this lease has to show it; each claim has a greater one."""
    granted_at: datetime = Field(default_factory=utc_now, sa_type=UtcTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """None: the controller itself holds it, until the task has landed or goes back."""


class Counter(SQLModel, table=True):
    """Numbers that only grow; `fence` is the last one that was given out."""

    __tablename__ = "counters"
    metadata = metadata

    name: str = Field(primary_key=True)
    value: int = 0


class Audit(SQLModel, table=True):
    __tablename__ = "audit"
    metadata = metadata

    id: int | None = Field(default=None, primary_key=True)
    task_id: str = Field(index=True)
    at: datetime = Field(default_factory=utc_now, sa_type=UtcTime)
    actor: str
    from_status: str | None
    """None: it was added."""
    to_status: str
    reason: str | None = None


class Event(SQLModel, table=True):
    __tablename__ = "events"
    metadata = metadata
    __table_args__ = (
        Index("events_by_section", "section", "seq"),
        # Without it SQLite hands out the numbers of deleted rows again.
        {"sqlite_autoincrement": True},
    )

    seq: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(default_factory=utc_now, sa_type=UtcTime)
    kind: str
    text: str = ""
    section: str | None = None
    runner_id: str | None = None
    task_id: str | None = Field(default=None, index=True)
    task: str | None = None
    attempt: int | None = None
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
