"""The states of a task: which follow which, and the one function that changes them."""

from sqlmodel import Session

from steroids.errors import WrongState
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.task import TaskStatus as S

ALLOWED: dict[S, frozenset[S]] = {
    S.PENDING: frozenset({S.IN_PROGRESS, S.APPROVED, S.FAILED, S.DISPUTED, S.BLOCKED, S.SKIPPED}),
    S.IN_PROGRESS: frozenset({S.REVIEW, S.PENDING, S.FAILED, S.DISPUTED}),
    S.REVIEW: frozenset({S.APPROVED, S.PENDING, S.FAILED, S.DISPUTED, S.SKIPPED}),
    S.APPROVED: frozenset({S.COMPLETED, S.PENDING, S.FAILED, S.DISPUTED, S.SKIPPED}),
    S.COMPLETED: frozenset(),
    S.FAILED: frozenset({S.PENDING, S.BLOCKED, S.APPROVED, S.SKIPPED}),
    S.DISPUTED: frozenset({S.PENDING, S.BLOCKED, S.APPROVED, S.SKIPPED}),
    S.BLOCKED: frozenset({S.PENDING, S.SKIPPED}),
    S.SKIPPED: frozenset({S.PENDING, S.BLOCKED}),
}
"""A person may approve what was rejected, and skip what no runner has in hand."""


def added(session: Session, task: db.Task, *, actor: str) -> None:
    """The first audit row, in the transaction that adds the task."""
    session.add(db.Audit(task_id=task.id, actor=actor, from_status=None, to_status=task.status))


def move(session: Session, task: db.Task, to: S, *, actor: str, reason: str | None = None) -> None:
    """Change a task's state and write the audit row in the same transaction.

    Raises `WrongState` when the table does not have the transition.
    """
    if to not in ALLOWED[S(task.status)]:
        raise WrongState(
            f"Task '{task.title}' is {task.status} and cannot become {to}",
            hint=f"steroids tasks show {task.id[:8]}",
        )
    session.add(
        db.Audit(task_id=task.id, actor=actor, from_status=task.status, to_status=to, reason=reason)
    )
    task.status = to
    task.updated_at = utc_now()
    session.add(task)
