"""How tasks became what they are: every change of state."""

from sqlmodel import col, select

from steroids.services import tasks
from steroids.services.host import OpenProject
from steroids.store import project_models as db
from steroids.wire.task import Change, TaskStatus


def audit(project: OpenProject, word: str | None = None) -> list[Change]:
    """The changes of one task (none: of all), oldest first; of those that were removed too.

    Raises `NotFound`, `Ambiguous`.
    """
    with project.store.read() as session:
        query = select(db.Audit, db.Task.title).where(col(db.Task.id) == db.Audit.task_id)
        if word is not None:
            task = tasks.named(session, word, removed=True)
            query = query.where(db.Audit.task_id == task.id)
        return [
            Change(
                task_id=row.task_id,
                task=title,
                at=row.at,
                actor=row.actor,
                from_status=TaskStatus(row.from_status) if row.from_status else None,
                to_status=TaskStatus(row.to_status),
                reason=row.reason,
            )
            for row, title in session.exec(query.order_by(col(db.Audit.id)))
        ]
