"""The parts of the repo that runners work in."""

import re
from collections import Counter
from collections.abc import Sequence

import pathspec
from sqlmodel import Session, col, func, select

from steroids.errors import SteroidsError, UsageError
from steroids.scheduling.locks import SectionView
from steroids.services.host import Host, OpenProject
from steroids.services.naming import find
from steroids.store import project_models as db
from steroids.wire.section import Isolation, Section, SectionAdd
from steroids.wire.task import ENDED

PATH_HINT = "steroids sections add NAME --path 'apps/api/**'"


class DuplicateName(SteroidsError):
    code, exit_code, http_status = "DUPLICATE_NAME", 2, 409


def add(host: Host, project: OpenProject, body: SectionAdd) -> Section:
    """Raises `UsageError` for a bad name or glob, `DuplicateName`, `NotFound` for a dependency."""
    name = body.name.strip()
    if not re.fullmatch(r"[^\W_][\w .&/-]{0,63}", name):
        raise UsageError(f"'{body.name}' is no name for a section", hint="use letters and digits")
    _check_paths(project, body.paths)
    with project.store.write() as session:
        rows = every(session)
        if any(row.name.casefold() == name.casefold() for row in rows):
            raise DuplicateName(
                f"There is a section '{name}' already", hint="steroids sections list"
            )
        dependencies = [named(session, word).id for word in body.dependencies]
        row = db.Section(
            name=name,
            paths=body.paths,
            isolation=body.isolation,
            dependencies=dependencies,
            check_commands=body.check,
            priority=body.priority,
            position=max((row.position for row in rows), default=0) + 1,
        )
        session.add(row)
    host.changed()
    return _wire(row, {row.id: row.name for row in [*rows, row]}, Counter())


def listing(project: OpenProject) -> list[Section]:
    """In working order: by priority, then position."""
    with project.store.read() as session:
        rows = every(session)
        open_tasks = select(db.Task.section_id, func.count()).where(
            col(db.Task.status).not_in(ENDED)
        )
        counts = Counter(dict(session.exec(open_tasks.group_by(db.Task.section_id)).all()))
    names = {row.id: row.name for row in rows}
    return [_wire(row, names, counts) for row in rows]


def every(session: Session) -> Sequence[db.Section]:
    return session.exec(
        select(db.Section).order_by(col(db.Section.priority), col(db.Section.position))
    ).all()


def named(session: Session, word: str) -> db.Section:
    """Raises `NotFound`, `Ambiguous`."""
    return find("section", word, every(session), lambda row: row.id, lambda row: row.name)


def views(session: Session) -> dict[str, SectionView]:
    """The sections as scheduling sees them."""
    return {
        row.id: SectionView(
            row.id, row.name, row.isolation == Isolation.EXCLUSIVE, frozenset(row.dependencies)
        )
        for row in every(session)
    }


def _check_paths(project: OpenProject, paths: Sequence[str]) -> None:
    if not paths:
        raise UsageError("A section needs a path", hint=PATH_HINT)
    for path in paths:
        if path.startswith("/") or ".." in path.split("/") or not path.strip():
            raise UsageError(f"'{path}' is not a path inside the repository", hint=PATH_HINT)
        try:
            pathspec.GitIgnoreSpec.from_lines([path])
        except ValueError as error:
            raise UsageError(f"'{path}' is not a glob: {error}", hint=PATH_HINT) from None
        root = path.split("/")[0]
        if not any(project.path.glob(root)):
            raise UsageError(f"There is no '{root}' in {project.path}", hint=PATH_HINT)


def _wire(row: db.Section, names: dict[str, str], counts: "Counter[str]") -> Section:
    return Section(
        id=row.id,
        name=row.name,
        paths=row.paths,
        isolation=Isolation(row.isolation),
        dependencies=[names.get(each, each) for each in row.dependencies],
        check=row.check_commands,
        priority=row.priority,
        position=row.position,
        tasks=counts[row.id],
    )
