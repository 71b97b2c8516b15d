"""The parts of the repo that runners work in: which there are, and adding one."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select as select_columns
from sqlmodel import Session, col, func, select

from steroids.errors import UsageError
from steroids.scheduling.sections import SectionView, blocked_by
from steroids.services import section_rules as rules
from steroids.services.globs import check_roots, checked
from steroids.services.host import Host, OpenProject
from steroids.services.naming import find
from steroids.store import project_models as db
from steroids.wire.section import Isolation, Section, SectionAdd
from steroids.wire.task import ENDED, TaskStatus

PATH_HINT = "steroids sections add NAME --path 'apps/api/**'"
DEPEND, AFTER = "depend on", "come after"
KEEPING = frozenset(TaskStatus) - {TaskStatus.COMPLETED, TaskStatus.SKIPPED}
OPEN = frozenset(TaskStatus) - ENDED
VIEWED = (
    col(db.Section.id),
    col(db.Section.name),
    col(db.Section.isolation),
    col(db.Section.dependencies),
    col(db.Section.after),
    col(db.Section.paths),
    col(db.Section.skipped),
    col(db.Section.priority),
    col(db.Section.position),
)


def add(host: Host, project: OpenProject, body: SectionAdd) -> Section:
    """Raises `UsageError` for what a section cannot be, `DuplicateName`, `Cycle` if it names
    itself, `NotFound` for another that it names."""
    paths = paths_of(project, body.paths)
    rules.check_new(body, host.settings(project))
    with project.store.write() as session:
        rows = every(session)
        name = rules.name_of(body.name, rows)
        row = db.Section(
            name=name,
            paths=paths,
            isolation=body.isolation,
            dependencies=rules.ids_of(body.dependencies, rows, name, DEPEND),
            after=rules.ids_of(body.after, rows, name, AFTER),
            check_commands=body.check,
            setup=body.setup,
            image=body.image,
            resources=body.resources,
            ports=body.ports,
            priority=body.priority,
            position=max((row.position for row in rows), default=0) + 1,
        )
        session.add(row)
        session.flush()
        added = one(session, row)
    host.changed()
    return added


def paths_of(project: OpenProject, globs: Collection[str]) -> list[str]:
    """The globs of a section, as they are kept. Raises `UsageError`."""
    if not globs:
        raise UsageError("A section needs a path", hint=PATH_HINT)
    paths = checked(project, globs, PATH_HINT)
    check_roots(project, paths, PATH_HINT)
    return paths


def listing(project: OpenProject) -> list[Section]:
    """In working order: by priority, then position."""
    with project.store.read() as session:
        return _wired(session, every(session))


def show(project: OpenProject, word: str) -> Section:
    """Raises `NotFound`, `Ambiguous`."""
    with project.store.read() as session:
        return one(session, named(session, word))


def every(session: Session) -> Sequence[db.Section]:
    """The living ones, in working order."""
    query = select(db.Section).where(col(db.Section.removed_at).is_(None))
    order = (col(db.Section.priority), col(db.Section.position))
    return session.exec(query.order_by(*order)).all()


def named(session: Session, word: str) -> db.Section:
    """A living one. Raises `NotFound`, `Ambiguous`."""
    return find("section", word, every(session), lambda row: row.id, lambda row: row.name)


_VIEWS = select_columns(*VIEWED).where(col(db.Section.removed_at).is_(None))


def views(session: Session) -> dict[str, SectionView]:
    """The living sections as scheduling sees them, by id. Columns, since every claim asks."""
    rows = session.execute(_VIEWS)
    return {
        row["id"]: SectionView(
            id=row["id"],
            name=row["name"],
            exclusive=row["isolation"] == Isolation.EXCLUSIVE,
            dependencies=frozenset(row["dependencies"]),
            after=frozenset(row["after"]),
            paths=tuple(row["paths"]),
            skipped=row["skipped"],
            priority=row["priority"],
            position=row["position"],
        )
        for row in rows.mappings()
    }


def unfinished(session: Session) -> set[str]:
    """Ids of the living sections that keep those after them from beginning.

    A task that failed or is disputed keeps them too: what comes after needs its work, as a job
    does that another one `needs:` in CI.
    """
    query = (
        select(db.Task.section_id)
        .join(db.Section)
        .where(col(db.Task.status).in_(KEEPING), col(db.Section.removed_at).is_(None))
        .distinct()
    )
    return set(session.exec(query))


def open_tasks(session: Session) -> "Counter[str]":
    """How many tasks of each section are not at an end, by its id."""
    query = select(db.Task.section_id, func.count()).where(col(db.Task.status).in_(OPEN))
    return Counter(dict(session.exec(query.group_by(db.Task.section_id)).all()))


def one(session: Session, row: db.Section) -> Section:
    return _wired(session, [row])[0]


def _wired(session: Session, rows: Sequence[db.Section]) -> list[Section]:
    known, counts, open_ = views(session), open_tasks(session), unfinished(session)
    return [_wire(row, known, counts, open_) for row in rows]


def _wire(
    row: db.Section,
    known: Mapping[str, SectionView],
    counts: "Counter[str]",
    open_: Collection[str],
) -> Section:
    before = blocked_by(known[row.id], known, open_) if row.id in known else []
    return Section(
        id=row.id,
        name=row.name,
        paths=row.paths,
        isolation=Isolation(row.isolation),
        dependencies=[known[each].name for each in row.dependencies if each in known],
        after=[known[each].name for each in row.after if each in known],
        check=row.check_commands,
        setup=row.setup,
        image=row.image,
        resources=row.resources,
        ports=row.ports,
        priority=row.priority,
        position=row.position,
        skipped=row.skipped,
        blocked_by=[each.name for each in before],
        tasks=counts[row.id],
        removed_at=row.removed_at,
    )
