"""Whether a section has work for a runner."""

from collections.abc import Collection, Sequence

from sqlmodel import Session, col, func, select

from steroids.scheduling.rules import Rules
from steroids.scheduling.sections import reachable
from steroids.services import sections
from steroids.store import project_models as db
from steroids.wire.task import TaskStatus

BEGUN = (TaskStatus.IN_PROGRESS, TaskStatus.REVIEW, TaskStatus.APPROVED)
UNFINISHED = (TaskStatus.PENDING, *BEGUN)
FOR_A_PERSON = (TaskStatus.FAILED, TaskStatus.DISPUTED, TaskStatus.BLOCKED)
"""Nothing goes on with these until somebody has looked at them."""


def rules_of(session: Session) -> Rules:
    """What is known of the sections, for those who grant no locks."""
    views = sections.views(session)
    return Rules(views, unfinished=sections.unfinished(session))


def work_left(session: Session, section_id: str, rules: Rules) -> bool:
    """Whether the section has a task that may yet need a runner.

    One whose push was refused for good waits for a person, and so do those that wait for it; so
    does what comes after a section whose tasks failed, and the pending tasks of a skipped one.
    """
    section = rules.sections.get(section_id)
    if section is None:
        return False
    if not _any(session, section_id, BEGUN if section.skipped else UNFINISHED):
        return False
    if _refused(session) & {section_id, *_reads(rules, section_id)}:
        return False
    return not stuck_behind(session, section_id, rules) or _any(session, section_id, BEGUN)


def claimable(session: Session, section_id: str, rules: Rules) -> bool:
    """Whether a runner could begin a task there now, but for the locks of others."""
    section = rules.sections[section_id]
    if section.skipped or rules.blocked_by(section_id):
        return False
    return _any(session, section_id, (TaskStatus.PENDING,))


def stuck_behind(session: Session, section_id: str, rules: Rules) -> list[str]:
    """Names of the sections that this one comes after and that will not be finished as it is."""
    refused = _refused(session)
    return [
        each.name
        for each in rules.blocked_by(section_id)
        if each.skipped or each.id in refused or _any(session, each.id, FOR_A_PERSON)
    ]


def pending_count(session: Session, section_id: str) -> int:
    query = select(func.count()).where(
        col(db.Task.section_id) == section_id, col(db.Task.status) == TaskStatus.PENDING
    )
    return session.exec(query).one()


def _reads(rules: Rules, section_id: str) -> Collection[str]:
    return reachable(section_id, {each.id: each.dependencies for each in rules.sections.values()})


def _refused(session: Session) -> set[str]:
    """Ids of sections with a task that the remote refused."""
    query = select(db.Task.section_id).where(
        db.Task.status == TaskStatus.APPROVED, col(db.Task.push_refused).is_(True)
    )
    return set(session.exec(query))


def _any(session: Session, section_id: str, statuses: Sequence[TaskStatus]) -> bool:
    query = select(db.Task.id).where(
        db.Task.section_id == section_id, col(db.Task.status).in_(statuses)
    )
    return session.exec(query.limit(1)).first() is not None
