"""Changing a task."""

from collections.abc import Sequence

from msgspec import UNSET
from sqlmodel import Session

from steroids.errors import WrongState
from steroids.services import sections, task_order, task_rules, tasks
from steroids.services.globs import checked
from steroids.services.host import Host, OpenProject
from steroids.services.transitions import move
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.task import Task, TaskEdit, TaskStatus

AT_REST = frozenset(
    {
        TaskStatus.PENDING,
        TaskStatus.BLOCKED,
        TaskStatus.FAILED,
        TaskStatus.DISPUTED,
        TaskStatus.SKIPPED,
    }
)
"""Nobody works on it, and no commits of it are being judged or landed."""
HINT = "steroids tasks edit T --affects 'apps/api/src/**'"


def edit(host: Host, project: OpenProject, word: str, body: TaskEdit) -> Task:
    """Change what is set in `body`; all of it or nothing.

    May be called until it is completed: title, spec, priority, agent and files count from the next
    claim on. Section and predecessors only while it rests (`AT_REST`); what it had done in another
    section stays its own. Raises what `tasks.add` does, `Cycle`, and `WrongState`.
    """
    settings = host.settings(project)
    with project.store.write() as session:
        row = tasks.named(session, word)
        if row.status == TaskStatus.COMPLETED:
            raise WrongState(
                f"'{row.title}' is completed: nobody would work by what is changed",
                hint=f"steroids tasks revert {row.id[:8]}   (or a new one: {task_rules.ADD})",
            )
        if body.section is not UNSET:
            _refuse_busy(row, "section")
        if body.after is not UNSET:
            _refuse_busy(row, "predecessors")
        _change(project, row, body, settings)
        if body.section is not UNSET:
            row.section_id = sections.named(session, body.section).id
        if body.after is not UNSET:
            _reorder(session, row, tasks.ids_of(session, body.after))
        row.updated_at = utc_now()
        session.add(row)
        session.flush()
        edited = tasks.shown(session, row)
    host.changed()
    return edited


def _change(project: OpenProject, row: db.Task, body: TaskEdit, settings: Settings) -> None:
    if body.title is not UNSET:
        row.title = task_rules.title_of(body.title)
    if body.priority is not UNSET:
        task_rules.check_priority(body.priority)
        row.priority = body.priority
    if body.affected_paths is not UNSET:
        row.affected_paths = checked(project, body.affected_paths, HINT)
    if body.spec is not UNSET:
        row.spec = body.spec
    if body.agent is not UNSET:
        row.agent = body.agent
    if body.spec is not UNSET or body.agent is not UNSET:
        task_rules.check_work(settings, row.title, row.spec, row.agent)


def _refuse_busy(row: db.Task, what: str) -> None:
    if TaskStatus(row.status) not in AT_REST:
        raise WrongState(
            f"'{row.title}' is {row.status}: its {what} cannot be changed now",
            hint=f"steroids tasks show {row.id[:8]}",
        )


def _reorder(session: Session, row: db.Task, after: Sequence[str]) -> None:
    task_order.refuse_cycle(session, row, after)
    row.after = list(after)
    if row.status not in (TaskStatus.PENDING, TaskStatus.BLOCKED):
        return
    status = task_order.begins_as(session, after)
    if status != row.status:
        reason = "what it comes after was changed"
        move(session, row, status, actor=tasks.USER, reason=reason)
