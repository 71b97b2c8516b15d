"""Whether a task was taken back, and by which one."""

from sqlmodel import Session, col, select

from steroids.store import project_models as db
from steroids.wire.task import TaskStatus

OPEN = frozenset(set(TaskStatus) - {TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.SKIPPED})


def reverts_of(session: Session, task_id: str) -> list[db.Task]:
    """The tasks that take this one back, or try to, oldest first."""
    query = select(db.Task).where(db.Task.reverts == task_id, col(db.Task.removed_at).is_(None))
    return list(session.exec(query.order_by(col(db.Task.position))).all())


def reverted_by(session: Session, task_id: str) -> db.Task | None:
    """The task that has taken this one back, or is about to. One that failed, was skipped, or was
    itself taken back again is none."""
    for row in reverts_of(session, task_id):
        if row.status in OPEN:
            return row
        if row.status == TaskStatus.COMPLETED:
            again = reverted_by(session, row.id)
            if again is None or again.status != TaskStatus.COMPLETED:
                return row
    return None
