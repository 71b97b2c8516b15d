"""What a section has for a runner now; `prospects` tells what it may yet have."""

from sqlmodel import Session, col, func, select

from steroids.scheduling.rules import Rules, ZoneView
from steroids.services import sections
from steroids.setting_groups import Runners, Zone
from steroids.store import project_models as db
from steroids.wire.task import TaskStatus

BEGUN = (TaskStatus.IN_PROGRESS, TaskStatus.REVIEW, TaskStatus.APPROVED)


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


def claimable(session: Session, section_id: str, rules: Rules) -> bool:
    """Whether a runner could begin a task there now, but for the locks of others."""
    section = rules.sections[section_id]
    if section.skipped or rules.blocked_by(section_id):
        return False
    query = select(db.Task.id).where(
        db.Task.section_id == section_id, db.Task.status == TaskStatus.PENDING
    )
    return session.exec(query.limit(1)).first() is not None


def pending_count(session: Session, section_id: str) -> int:
    query = select(func.count()).where(
        col(db.Task.section_id) == section_id, col(db.Task.status) == TaskStatus.PENDING
    )
    return session.exec(query).one()
