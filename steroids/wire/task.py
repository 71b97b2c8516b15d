from datetime import datetime
from enum import StrEnum

import msgspec

from steroids.wire.body import Body


class TaskStatus(StrEnum):
    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    REVIEW = "review"
    APPROVED = "approved"
    COMPLETED = "completed"
    FAILED = "failed"
    DISPUTED = "disputed"
    BLOCKED = "blocked"
    SKIPPED = "skipped"


ENDED = frozenset(
    {TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.DISPUTED, TaskStatus.SKIPPED}
)
"""States in which a runner has nothing more to do for a task."""


class TaskAdd(Body):
    title: str
    section: str
    spec: str = ""
    priority: int = 50
    affected_paths: list[str] = []
    agent: str | None = None
    """Who codes it, in place of the project's coder."""
    after: list[str] = []
    """Ids or titles of tasks that have to be completed first."""


class TaskEdit(Body):
    """What is unset stays as it is; null takes an override away."""

    title: str | msgspec.UnsetType = msgspec.UNSET
    section: str | msgspec.UnsetType = msgspec.UNSET
    spec: str | msgspec.UnsetType = msgspec.UNSET
    priority: int | msgspec.UnsetType = msgspec.UNSET
    affected_paths: list[str] | msgspec.UnsetType = msgspec.UNSET
    agent: str | msgspec.UnsetType | None = msgspec.UNSET
    after: list[str] | msgspec.UnsetType = msgspec.UNSET


class Task(Body):
    id: str
    title: str
    section: str
    section_id: str
    status: TaskStatus
    priority: int
    position: int
    spec: str
    affected_paths: list[str]
    base_commit: str | None
    latest_commit: str | None
    current_attempt: int
    attempt_base_commit: str | None
    rejection_count: int
    landing_failures: int
    infrastructure_failures: int
    reason: str | None
    """Why it is where it is: the last rejection, the failure, the push that was refused."""
    landed_hash: str | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    agent: str | None = None
    after: list[str] = []
    """Ids."""
    awaits: str | None = None
    """The reviewer whose verdict is missing, where that is a person."""
    reverts: str | None = None
    """Id of the task whose landed commits it takes back."""
    push_refused: bool = False
    landed_branch: str | None = None
    waits_for: str | None = None
    """Of one that is blocked: the tasks that have to be completed first, in words."""
    removed_at: datetime | None = None
    project: str | msgspec.UnsetType = msgspec.UNSET
    """Its path; only where tasks of several projects are listed."""


class TaskOne(Body):
    task: Task


class Tasks(Body):
    tasks: list[Task]
    notes: list[str] = []
    """What could not be listed, and why."""


class Sheet(StrEnum):
    """How a file of tasks is written."""

    MARKDOWN = "markdown"
    YAML = "yaml"


class TaskImport(Body):
    """A file of tasks; `name` is for messages."""

    name: str
    text: str
    sheet: Sheet | None = None
    """None: to be seen from its name, or else from how it begins."""
    section: str | None = None
    """Of tasks for which the file names none."""
    dry_run: bool = False


class LeftOut(Body):
    title: str
    section: str
    line: int
    reason: str
    task_id: str | None = None
    """The one that is there already."""


class Imported(Body):
    tasks: list[Task]
    """Those that were added, or with `dry_run` would be."""
    left_out: list[LeftOut]
    done: int
    """How many are ticked off in the file."""


class TaskCheckout(Body):
    attempt: int | None = None
    branch: str | None = None


class CheckedOut(Body):
    task_id: str
    attempt: int
    branch: str
    tip: str
    created: bool
    """False: the branch was there, and has come up to the tip or had it already."""


class Change(Body):
    """A row of the audit."""

    task_id: str
    task: str
    """Its title now."""
    at: datetime
    actor: str
    from_status: TaskStatus | None
    """None: it was added."""
    to_status: TaskStatus
    reason: str | None


class Changes(Body):
    audit: list[Change]
