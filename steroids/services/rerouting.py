"""Moving a task to the section that its changes lie in."""

from collections.abc import Sequence

from sqlmodel import Session, select

from steroids.services import commits, sections, verdicts
from steroids.services.bounds import outside
from steroids.services.events import record
from steroids.services.transitions import move
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus

STATUS = "rerouted"
"""Of the attempt that it ends."""


def find(session: Session, task: db.Task, changed: Sequence[str]) -> db.Section | None:
    """The one other section that all paths lie in, where the task was not worked on before.

    None when there is no such section or more than one, and for one that is skipped, where nobody
    would go on with it. A task never comes back, so it is not moved about without end.
    """
    before = set(
        session.exec(select(db.Attempt.section_id).where(db.Attempt.task_id == task.id))
    ) | {task.section_id}
    fitting = [
        each
        for each in sections.every(session)
        if each.id != task.section_id and each.paths and not outside(each.paths, changed)
    ]
    if len(fitting) != 1 or fitting[0].id in before or fitting[0].skipped:
        return None
    return fitting[0]


def reroute(
    session: Session, task: db.Task, section: db.Section, to: db.Section, files: str, *, actor: str
) -> None:
    """End the attempt; the next one begins at its tip, in the section `to` and under its locks.

    Nothing is counted, and its commits stay as they are. `files` says what lay outside. Whoever
    wanted it done where it was wants it done there: without a runner it would only lie there.
    """
    reason = f"moved to section {to.name}: it changed {files} outside {section.name}"
    attempt = commits.current_attempt(session, task)
    assert attempt is not None
    attempt.status, attempt.reason, attempt.finished_at = STATUS, reason, utc_now()
    session.add(attempt)
    task.section_id = to.id
    task.reason = reason
    move(session, task, TaskStatus.PENDING, actor=actor, reason=reason)
    to.wanted = to.wanted or section.wanted
    session.add(to)
    about = {"from": section.name, "to": to.name, "wanted": to.wanted is not None}
    record(session, EventKind.NOTICE, reason, section=section.name, task=task, data=about)
    verdicts.release(session, task.id)
