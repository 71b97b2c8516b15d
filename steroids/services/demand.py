"""Whether a section has work for a runner."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from steroids.scheduling.locks import reads
from steroids.scheduling.pick import TaskView
from steroids.services import sections
from steroids.store import project_models as db
from steroids.wire.task import TaskStatus

UNFINISHED = (
    TaskStatus.PENDING,
    TaskStatus.IN_PROGRESS,
    TaskStatus.REVIEW,
    TaskStatus.APPROVED,
)


def pending(session: Session) -> Sequence[TaskView]:
    query = select(db.Task).where(db.Task.status == TaskStatus.PENDING)
    return [TaskView(t.id, t.section_id, t.priority, t.position) for t in session.exec(query)]


def work_left(session: Session, section_id: str) -> bool:
    """Whether the section has a task that may yet need a runner.

    One whose push was refused for good waits for a person, and so do those that wait for it.
    """
    query = select(db.Task).where(col(db.Task.status).in_(UNFINISHED))
    tasks = session.exec(query).all()
    concerned = {section_id, *reads(section_id, sections.views(session))}
    stuck = any(task.push_refused and task.section_id in concerned for task in tasks)
    return not stuck and any(task.section_id == section_id for task in tasks)
