"""Tasks: adding, finding, showing."""

from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, func, select

from steroids.errors import Ambiguous, NotFound
from steroids.services import naming, sections, task_order, task_rules
from steroids.services.globs import checked
from steroids.services.host import Host, OpenProject
from steroids.services.transitions import added
from steroids.store import project_models as db
from steroids.wire.task import Task, TaskAdd, TaskStatus

AFFECTS_HINT = "steroids tasks add TITLE --section S --affects 'apps/api/src/**'"
USER = "user"
"""As the actor: whoever types the commands."""


def add(host: Host, project: OpenProject, body: TaskAdd) -> Task:
    """Raises `UsageError` for what a task cannot be, or what its agent could never work on, and
    `NotFound` or `Ambiguous` for a section or a task that it names."""
    title = checked_new(host, project, body)
    with project.store.write() as session:
        section = sections.named(session, body.section)
        row = new_row(body, title, section.id, last_position(session) + 1)
        enter(session, row, ids_of(session, body.after))
        session.flush()
        made = wire_all(session, [(row, section.name)])[0]
    host.changed()
    return made


def checked_new(host: Host, project: OpenProject, body: TaskAdd) -> str:
    """Its title as it is kept. Raises what `add` raises, but for what it names."""
    title = task_rules.title_of(body.title)
    task_rules.check_priority(body.priority)
    task_rules.check_work(host.settings(project), title, body.spec, body.agent)
    checked(project, body.affected_paths, AFFECTS_HINT)
    return title


def new_row(body: TaskAdd, title: str, section_id: str, position: int) -> db.Task:
    """Of what has been checked; to be entered."""
    return db.Task(
        title=title,
        spec=body.spec,
        section_id=section_id,
        priority=body.priority,
        affected_paths=list(dict.fromkeys(body.affected_paths)),
        agent=body.agent,
        position=position,
    )


def enter(session: Session, row: db.Task, after: list[str]) -> None:
    """Have it in the books, after these (ids of tasks that are there)."""
    row.after, row.status = after, task_order.begins_as(session, after)
    session.add(row)
    added(session, row, actor=USER)


def last_position(session: Session) -> int:
    return session.exec(select(func.max(db.Task.position))).one() or 0


def listing(
    project: OpenProject,
    *,
    statuses: Sequence[TaskStatus] = (),
    section: str | None = None,
    search: str | None = None,
) -> list[Task]:
    """In the order of adding. `search` looks for text in title and spec, in any case.

    `section` may also be one that has been removed. Raises `NotFound`, `Ambiguous`.
    """
    with project.store.read() as session:
        query = select(db.Task, db.Section.name).join(db.Section).order_by(col(db.Task.position))
        query = query.where(col(db.Task.removed_at).is_(None))
        if statuses:
            query = query.where(col(db.Task.status).in_(statuses))
        if section is not None:
            query = query.where(col(db.Task.section_id).in_(_sections_named(session, section)))
        if search:
            title, spec = col(db.Task.title), col(db.Task.spec)
            query = query.where(
                title.icontains(search, autoescape=True) | spec.icontains(search, autoescape=True)
            )
        return wire_all(session, session.exec(query).all())


def _sections_named(session: Session, word: str) -> list[str]:
    """Ids: of the living section of that name, or else of all that once had it."""
    try:
        return [sections.named(session, word).id]
    except Ambiguous:
        raise
    except NotFound:
        removed = select(db.Section).where(col(db.Section.removed_at).is_not(None))
        rows = session.exec(removed).all()
        same = [row.id for row in rows if row.name.casefold() == word.casefold()]
        return same or [
            naming.find("section", word, rows, lambda row: row.id, lambda row: row.name).id
        ]


def ids_of(session: Session, words: Iterable[str]) -> list[str]:
    """Ids of the tasks that are named, each once. Raises `NotFound`, `Ambiguous`."""
    return list(dict.fromkeys(named(session, word).id for word in words))


def named(session: Session, word: str, *, removed: bool = False) -> db.Task:
    """By id, a prefix of it, or title; with `removed` also one that was taken away, unless
    another is meant. Raises `NotFound`, `Ambiguous`."""
    # Columns, since a project may have many and specs are long.
    query = select(db.Task.id, db.Task.title).order_by(col(db.Task.position))
    living = session.exec(query.where(col(db.Task.removed_at).is_(None))).all()
    try:
        found = naming.find("task", word, living, lambda row: row[0], lambda row: row[1])
    except Ambiguous:
        raise
    except NotFound:
        if not removed:
            raise
        gone = session.exec(query.where(col(db.Task.removed_at).is_not(None))).all()
        found = naming.find("task", word, gone, lambda row: row[0], lambda row: row[1])
    return session.get_one(db.Task, found[0])


def one(project: OpenProject, word: str) -> Task:
    with project.store.read() as session:
        return shown(session, named(session, word))


def shown(session: Session, row: db.Task) -> Task:
    section = session.get_one(db.Section, row.section_id)
    return wire_all(session, [(row, section.name)])[0]


def wire_all(session: Session, rows: Sequence[tuple[db.Task, str]]) -> list[Task]:
    """These, each with the name of its section."""
    before = task_order.waiting(session, [row for row, _ in rows])
    return [wire(row, section, before.get(row.id, ())) for row, section in rows]


def wire(row: db.Task, section: str, before: Sequence[db.Task] = ()) -> Task:
    """`before` are the tasks that it waits for, when it is blocked."""
    waits_for = task_order.words(before) if before else None
    reason = row.reason
    if waits_for is not None:
        way_out = task_order.way_out(row, before)
        reason = f"waits for {waits_for}" + (f"\nhint: {way_out}" if way_out else "")
    return Task(
        id=row.id,
        title=row.title,
        section=section,
        section_id=row.section_id,
        status=TaskStatus(row.status),
        priority=row.priority,
        position=row.position,
        spec=row.spec,
        affected_paths=row.affected_paths,
        base_commit=row.base_commit,
        latest_commit=row.latest_commit,
        current_attempt=row.current_attempt,
        attempt_base_commit=row.attempt_base_commit,
        rejection_count=row.rejection_count,
        landing_failures=row.landing_failures,
        infrastructure_failures=row.infrastructure_failures,
        reason=reason,
        agent=row.agent,
        after=row.after,
        awaits=row.awaits,
        reverts=row.reverts,
        push_refused=row.push_refused,
        waits_for=waits_for,
        landed_hash=row.landed_hash,
        landed_branch=row.landed_branch,
        created_at=row.created_at,
        updated_at=row.updated_at,
        completed_at=row.completed_at,
        removed_at=row.removed_at,
    )
