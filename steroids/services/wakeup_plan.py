"""What a wakeup would do about one project: which of its sections are to get runners."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session, col, select

from steroids.errors import SteroidsError
from steroids.services import demand, sections, wakeup_patience
from steroids.services.glimpse import Glimpse
from steroids.services.host import Host, OpenProject
from steroids.services.prospects import prospects
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.runner import Role
from steroids.wire.task import TaskStatus
from steroids.wire.wakeup import Action, Woken


@dataclass(frozen=True)
class Plan:
    """Sections to be started, first those whose turn it is; `again` are wanted already, and it is
    reconciling that starts them."""

    row: home.Project
    project: OpenProject
    living: int
    free: int
    """How many more runners the project itself has room for."""
    new: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    single: bool = False
    """It is the single runner for all sections that is started again."""


def of(
    host: Host, row: home.Project, living: Sequence[home.Runner], seen: Glimpse | None
) -> Plan | Woken:
    """A plan, or at once what is to be said where there is nothing to start. `seen` is what a look
    from outside found; None: it could not tell. Raises `SteroidsError` of a project that cannot be
    opened."""
    if any(each.role == Role.SINGLE for each in living):
        return said(row, Action.RUNNING, "a single runner works on all sections", len(living))
    if seen is not None and seen.idle and not living and row.wanted is None:
        return said(row, Action.NONE, "nothing to do")
    project = host.open(row)
    free = host.settings(project).runners.max_parallel - len(living)
    missing = _missing(host, project, {each.section_id for each in living})
    if row.wanted is not None:
        return Plan(row, project, len(living), 1, single=True)
    if (missing.new or missing.again) and free > 0:
        return Plan(row, project, len(living), free, missing.new, missing.again)
    if living:
        full = bool(missing.new or missing.again)
        reason = f"as many as runners.max_parallel allows ({len(living)})" if full else "at work"
        return said(row, Action.RUNNING, reason, len(living))
    if missing.later is not None:
        reason = f"it could not be started; tried again at {missing.later:%H:%M} UTC"
        return failed(row, SteroidsError(reason, hint="steroids up"))
    return said(row, Action.NONE, _why_none(project))


@dataclass
class _Missing:
    """Names of sections without a runner and with a task for one: nobody has asked for them, or
    somebody has."""

    new: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    later: datetime | None = None
    """When the first of those may be tried that are left alone for now."""


def _missing(host: Host, project: OpenProject, staffed: Collection[str | None]) -> _Missing:
    settings = host.settings(project)
    found = _Missing()
    now = utc_now()
    with project.store.read() as session:
        rules = demand.rules_of(session, settings.runners)
        idle = [
            each
            for each in sections.every(session)
            if each.id not in staffed and demand.claimable(session, each.id, rules)
        ]
        ahead = prospects(session, rules, [each.id for each in idle])
        for each in sorted(idle, key=lambda each: (each.priority, each.position)):
            if each.wanted is not None:
                found.again.append(each.name)
            # One whose locks a person's review holds has pending tasks too, and no future now.
            elif ahead.work_left(each.id):
                _choose(session, each.name, found, now)
    return found


def _choose(session: Session, name: str, found: _Missing, now: datetime) -> None:
    later = wakeup_patience.until(session, name)
    if later is None or later <= now:
        found.new.append(name)
    elif found.later is None or later < found.later:
        found.later = later


def _why_none(project: OpenProject) -> str:
    query = select(db.Task.status).where(col(db.Task.removed_at).is_(None)).distinct()
    with project.store.read() as session:
        found = set(session.exec(query))
    if found & {TaskStatus.PENDING, TaskStatus.BLOCKED}:
        return "what is pending waits for other tasks, or for a person"
    begun = found & {TaskStatus.REVIEW, TaskStatus.APPROVED}
    return "its work is being reviewed or landed" if begun else "nothing to do"


def said(row: home.Project, action: Action, reason: str, runners: int = 0) -> Woken:
    return Woken(project=row.path, action=action, reason=reason, runners=runners)


def failed(row: home.Project, error: SteroidsError, runners: int = 0) -> Woken:
    """It should be served, and cannot be."""
    reason = f"{error.message}   ({error.hint})" if error.hint else error.message
    return Woken(
        project=row.path, action=Action.SKIPPED, reason=reason, runners=runners, failed=True
    )
