from datetime import datetime
from enum import StrEnum

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


class TaskOne(Body):
    task: Task


class Tasks(Body):
    tasks: list[Task]
