"""Whether a section has work for a runner."""

from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from steroids.scheduling.locks import Board, Held
from steroids.scheduling.rules import Rules, ZoneView
from steroids.services import sections
from steroids.settings import Runners, Zone
from steroids.store import project_models as db
from steroids.wire.task import TaskStatus

BEGUN = (TaskStatus.IN_PROGRESS, TaskStatus.REVIEW, TaskStatus.APPROVED)
UNFINISHED = (TaskStatus.PENDING, *BEGUN)
FOR_A_PERSON = (TaskStatus.FAILED, TaskStatus.DISPUTED, TaskStatus.BLOCKED)
"""Nothing goes on with these until somebody has looked at them."""


def rules_of(session: Session, settings: Runners) -> Rules:
    """What sections and zones demand of tasks now."""
    views = sections.views(session)
    ordered = any(each.after for each in views.values())
    return Rules(
        views,
        [_zone(each) for each in settings.zones],
        sections.unfinished(session) if ordered else frozenset(),
        settings.exclusive_scope == "dependents",
    )


def _zone(zone: Zone) -> ZoneView:
    return ZoneView(
        zone.name,
        1 if zone.exclusive else zone.max_runners,
        tuple(zone.paths),
        frozenset(name.casefold() for name in zone.sections),
    )


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
    if _behind_refused(session, section_id, rules):
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


def _behind_refused(session: Session, section_id: str, rules: Rules) -> bool:
    """Whether a task that the remote refused holds what this section needs."""
    refused = [each for each in _refused(session) if each in rules.sections]
    if not refused:
        return False
    held = Board(Held(lock, "") for each in refused for lock in rules.locks_of_section(each))
    return section_id in refused or bool(held.blockers(rules.locks_of_section(section_id)))


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
