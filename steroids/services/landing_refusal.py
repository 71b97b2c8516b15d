"""What did not get to the remote: refused for good, or for now, or broken on the way."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from steroids.errors import SteroidsError
from steroids.services.events import record, say
from steroids.services.host import Host, OpenProject
from steroids.store import project_models as db
from steroids.wire.event import EventKind
from steroids.wire.runner import Held
from steroids.wire.task import TaskStatus

WAITS = "landing waits: "


def refused(
    host: Host, project: OpenProject, task_ids: Sequence[str], error: SteroidsError
) -> None:
    """They stay approved, and nothing is tried again until somebody asks (`retry`)."""
    with project.store.write() as session:
        for task_id in task_ids:
            task = session.get_one(db.Task, task_id)
            if task.status != TaskStatus.APPROVED:
                continue
            section = session.get_one(db.Section, task.section_id)
            task.push_refused = True
            task.reason = f"{error.message}\nhint: {_hint(error)}"
            session.add(task)
            data = {"hint": _hint(error), "code": error.code}
            record(
                session,
                EventKind.PUSH_REFUSED,
                error.message,
                section=section.name,
                task=task,
                data=data,
            )
    host.changed()


def _hint(error: SteroidsError) -> str:
    again = "steroids push"
    return f"{error.hint}   (then: {again})" if error.hint and again not in error.hint else again


def waits(
    host: Host, project: OpenProject, task_ids: Sequence[str], error: SteroidsError, *, news: bool
) -> None:
    """Say why nothing lands just now, where people look for it; with `news` as an event, too."""
    reason = f"{WAITS}{error.message}"
    with project.store.write() as session:
        for task in _approved(session, task_ids):
            if task.reason != reason:
                task.reason = reason
                session.add(task)
    if news:
        say(host, project, EventKind.NOTICE, reason, data={"code": error.code, "hint": error.hint})


def held(project: OpenProject) -> list[Held]:
    """What is approved and does not get to its branch, with the reason."""
    query = (
        select(db.Task, db.Section.name)
        .join(db.Section)
        .where(db.Task.status == TaskStatus.APPROVED, col(db.Task.reason).is_not(None))
    )
    with project.store.read() as session:
        return [
            Held(
                task_id=task.id,
                task=task.title,
                section=section,
                refused=task.push_refused,
                reason=task.reason or "",
            )
            for task, section in session.exec(query.order_by(col(db.Task.approved_at)))
        ]


def broke(host: Host, project: OpenProject, task_id: str, error: SteroidsError) -> None:
    """Landing failed for a reason that is neither the task's nor the remote's: bounded."""
    settings = host.settings(project)
    with project.store.write() as session:
        task = session.get_one(db.Task, task_id)
        section = session.get_one(db.Section, task.section_id)
        task.infrastructure_failures += 1
        session.add(task)
        record(
            session,
            EventKind.NOTICE,
            f"landing broke: {error.message}",
            section=section.name,
            task=task,
        )
    if task.infrastructure_failures >= settings.max_attempts_lost:
        refused(host, project, [task_id], error)


def retry_refused(host: Host, project: OpenProject) -> list[str]:
    """Try again now what the remote refused, and whatever waits for it; returns the ids of those
    that were refused."""
    query = select(db.Task).where(
        db.Task.status == TaskStatus.APPROVED, col(db.Task.push_refused).is_(True)
    )
    with project.store.write() as session:
        tasks = session.exec(query.order_by(col(db.Task.approved_at))).all()
        for task in tasks:
            task.push_refused = False
            task.reason = None
            session.add(task)
    host.eager.add(project.id)
    host.changed()
    return [task.id for task in tasks]


def _approved(session: Session, task_ids: Sequence[str]) -> list[db.Task]:
    rows = [session.get_one(db.Task, task_id) for task_id in task_ids]
    return [row for row in rows if row.status == TaskStatus.APPROVED and not row.push_refused]
