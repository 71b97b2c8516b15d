"""Tasks: adding, finding, showing."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from steroids.agents.script import script_of
from steroids.errors import UsageError
from steroids.services import sections
from steroids.services.globs import checked
from steroids.services.host import Host, OpenProject
from steroids.services.naming import find
from steroids.store import project_models as db
from steroids.wire.task import Task, TaskAdd, TaskStatus

MAX_TITLE_CHARS = 200
MAX_SPEC_CHARS = 1_000_000
AFFECTS_HINT = "steroids tasks add TITLE --section S --affects 'apps/api/src/**'"


def add(host: Host, project: OpenProject, body: TaskAdd) -> Task:
    """Raises `UsageError` for an empty title, a bad glob, or a spec that its agent could never
    work on."""
    title = " ".join(body.title.split())
    if not title:
        raise UsageError("A task needs a title", hint="steroids tasks add TITLE --section S")
    if not title.isprintable() or len(title) > MAX_TITLE_CHARS:
        raise UsageError(
            f"A title is one line of at most {MAX_TITLE_CHARS} characters, without control ones",
            hint="put the rest into the spec: --spec FILE.md",
        )
    if len(body.spec) > MAX_SPEC_CHARS:
        raise UsageError(f"The spec has over {MAX_SPEC_CHARS} characters", hint="make it shorter")
    if script_of(body.spec) is None:
        raise UsageError(
            f"The spec of '{title}' has no ```sh block, which is what the agent 'script' runs",
            hint=f"steroids tasks add '{title}' --section '{body.section}' --spec FILE.md",
        )
    affected_paths = checked(project, body.affected_paths, AFFECTS_HINT)
    with project.store.write() as session:
        section = sections.named(session, body.section)
        newest = select(db.Task.position).order_by(col(db.Task.position).desc())
        row = db.Task(
            title=title,
            spec=body.spec,
            section_id=section.id,
            priority=body.priority,
            affected_paths=affected_paths,
            position=(session.exec(newest).first() or 0) + 1,
        )
        session.add(row)
    host.changed()
    return wire(row, section.name)


def listing(
    project: OpenProject,
    *,
    statuses: Sequence[TaskStatus] = (),
    section: str | None = None,
    search: str | None = None,
) -> list[Task]:
    """In the order of adding. `search` looks for text in title and spec, in any case."""
    with project.store.read() as session:
        query = select(db.Task, db.Section.name).join(db.Section).order_by(col(db.Task.position))
        if statuses:
            query = query.where(col(db.Task.status).in_(statuses))
        if section is not None:
            query = query.where(db.Task.section_id == sections.named(session, section).id)
        if search:
            text = f"%{search}%"
            query = query.where(col(db.Task.title).ilike(text) | col(db.Task.spec).ilike(text))
        return [wire(row, name) for row, name in session.exec(query)]


def named(session: Session, word: str) -> db.Task:
    """Raises `NotFound`, `Ambiguous`."""
    rows = session.exec(select(db.Task).order_by(col(db.Task.position))).all()
    return find("task", word, rows, lambda row: row.id, lambda row: row.title)


def one(project: OpenProject, word: str) -> Task:
    with project.store.read() as session:
        row = named(session, word)
        section = session.get_one(db.Section, row.section_id)
        return wire(row, section.name)


def wire(row: db.Task, section: str) -> Task:
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
        reason=row.reason,
        agent=row.agent,
        after=row.after,
        awaits=row.awaits,
        reverts=row.reverts,
        push_refused=row.push_refused,
        landed_hash=row.landed_hash,
        landed_branch=row.landed_branch,
        created_at=row.created_at,
        updated_at=row.updated_at,
        completed_at=row.completed_at,
    )
