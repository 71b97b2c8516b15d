"""Open tasks beside one: what its agents are told to leave to others."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select as select_columns
from sqlalchemy import union_all
from sqlmodel import Session, col, select

from steroids.store import project_models as db
from steroids.wire.task import TaskStatus

MAX_OWN, MAX_OTHERS, NEXT = 20, 20, 3
IN_HAND = (TaskStatus.IN_PROGRESS, TaskStatus.REVIEW, TaskStatus.APPROVED)


@dataclass(frozen=True)
class Sibling:
    title: str
    status: str
    section: str


@dataclass(frozen=True)
class Siblings:
    own: list[Sibling]
    """Of the task's section, in working order."""
    others: list[Sibling]
    """Of other sections: what is being worked on, then what is next in each."""
    more: bool
    """There may be others yet."""


def of(session: Session, task: db.Task) -> Siblings:
    """Five queries, each of few rows that an index leads to: every claim asks, and a project may
    have thousands of tasks."""
    here = col(db.Task.section_id) == task.section_id
    in_hand = col(db.Task.status).in_(IN_HAND)
    own = _some(session, task, MAX_OWN, here, in_hand)
    for status in (TaskStatus.PENDING, TaskStatus.BLOCKED):
        own += _some(session, task, MAX_OWN, here, col(db.Task.status) == status)
    others = _some(session, task, MAX_OTHERS, ~here, in_hand)
    others += _next(session, task.section_id)
    more = len(own) > MAX_OWN or len(others) > MAX_OTHERS
    return Siblings(own[:MAX_OWN], others[:MAX_OTHERS], more)


def _next(session: Session, section_id: str) -> list[Sibling]:
    """The first pending tasks of each other section, in working order of these."""
    query = select(db.Section.id, db.Section.name).where(
        col(db.Section.removed_at).is_(None), db.Section.id != section_id
    )
    order = (col(db.Section.priority), col(db.Section.position))
    names = dict(session.exec(query.order_by(*order).limit(MAX_OTHERS)).all())
    if not names:
        return []
    # A part for each, since sorting all that wait would take longer the more there are.
    parts = [
        select_columns(col(db.Task.title), col(db.Task.section_id))
        .where(
            col(db.Task.section_id) == each,
            col(db.Task.status) == TaskStatus.PENDING,
            col(db.Task.removed_at).is_(None),
        )
        .order_by(col(db.Task.priority), col(db.Task.position))
        .limit(NEXT)
        .subquery()
        .select()
        for each in names
    ]
    rows = session.execute(union_all(*parts))
    return [Sibling(title, TaskStatus.PENDING, names[section]) for title, section in rows]


def _some(session: Session, task: db.Task, limit: int, *where: Any) -> list[Sibling]:
    """One more than the limit, to know whether there are more."""
    query = (
        select(db.Task.title, db.Task.status, db.Section.name)
        .join(db.Section)
        .where(*where, col(db.Task.id) != task.id, col(db.Task.removed_at).is_(None))
        .order_by(col(db.Task.priority), col(db.Task.position))
        .limit(limit + 1)
    )
    return [Sibling(*row) for row in session.exec(query)]
