"""What happened in a project, in order. The log that `up` and `logs` show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, select

from steroids.services import naming
from steroids.services.host import Host, OpenProject
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.wire.event import Event, EventKind

PAGE = 500


def record(
    session: Session,
    kind: EventKind,
    text: str = "",
    *,
    section: str | None = None,
    runner_id: str | None = None,
    task: db.Task | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Add an event to the caller's transaction, so that it says what the transaction did."""
    session.add(
        db.Event(
            kind=kind,
            text=text,
            section=section,
            runner_id=runner_id,
            task_id=task.id if task else None,
            task=task.title if task else None,
            attempt=task.current_attempt if task else None,
            data=data or {},
        )
    )


def say(host: Host, project: OpenProject, kind: EventKind, text: str = "", **about: Any) -> None:
    """Record an event of its own and wake those who follow."""
    with project.store.write() as session:
        record(session, kind, text, **about)
    host.spoke()


def last(project: OpenProject) -> int:
    with project.store.read() as session:
        return session.exec(select(func.max(db.Event.seq))).one() or 0


@dataclass(frozen=True)
class Which:
    """Those of these sections (none: of all), and of this runner, by a prefix of its id."""

    sections: Sequence[str] = ()
    runner: str | None = None


def known(host: Host, project: OpenProject, which: Which) -> Which:
    """The same, by whole names. What is gone by now counts too, since its events are there.

    Raises `NotFound` for a section or a runner that there has never been, and `Ambiguous`.
    """
    with project.store.read() as session:
        sections = [_section_name(session, word) for word in which.sections]
    if which.runner is None:
        return Which(sections)
    with host.store.read() as session:
        mine = select(home.Runner.id).where(home.Runner.project_id == project.id)
        ids = session.exec(mine).all()
    return Which(sections, naming.find("runner", which.runner, ids, str, str))


def _section_name(session: Session, word: str) -> str:
    newest_last = select(db.Section).order_by(col(db.Section.removed_at).nulls_last())
    by_name = {row.name: row for row in session.exec(newest_last)}
    heard_of = select(db.Event.seq).where(db.Event.section == word).limit(1)
    if word not in by_name and session.exec(heard_of).first() is not None:
        # It has another name now.
        return word
    rows = list(by_name.values())
    return naming.find("section", word, rows, lambda row: row.id, lambda row: row.name).name


def since(
    project: OpenProject, seq: int, which: Which = Which(), tail: int | None = None
) -> list[Event]:
    """The events after `seq`, a page at most; or with `tail` the last so many of those."""
    query = select(db.Event).where(col(db.Event.seq) > seq)
    if which.sections:
        query = query.where(col(db.Event.section).in_(which.sections))
    if which.runner:
        query = query.where(col(db.Event.runner_id).startswith(which.runner, autoescape=True))
    if tail is not None:
        newest_first = query.order_by(col(db.Event.seq).desc()).limit(tail)
    else:
        query = query.order_by(col(db.Event.seq)).limit(PAGE)
    with project.store.read() as session:
        rows = list(session.exec(newest_first if tail is not None else query))
    if tail is not None:
        rows.reverse()
    return [_wire(row) for row in rows]


def _wire(row: db.Event) -> Event:
    assert row.seq is not None
    return Event(
        seq=row.seq,
        at=row.at,
        kind=EventKind(row.kind),
        text=row.text,
        section=row.section,
        runner_id=row.runner_id,
        task_id=row.task_id,
        task=row.task,
        attempt=row.attempt,
        data=row.data,
    )
