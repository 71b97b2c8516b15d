"""Putting a runner on the books: the check whether it may be there, and its row, at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from steroids.engines.base import Engine
from steroids.errors import Busy, SectionBusy, WrongState
from steroids.services import demand, runners, sections
from steroids.services.host import Host, OpenProject
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.wire.body import to_builtins
from steroids.wire.runner import WORKERS, LoopProcess, Role

STOP_ALL = "steroids runners stop --all"


class SingleRunnerActive(Busy):
    code = "SINGLE_RUNNER_ACTIVE"


class RunnersActive(Busy):
    code = "RUNNERS_ACTIVE"


class TooManyRunners(Busy):
    code = "TOO_MANY_RUNNERS"


def register(
    host: Host,
    project: OpenProject,
    section: db.Section | None,
    engine: Engine,
    *,
    keep: bool,
    once: bool = False,
    loop: LoopProcess | None = None,
    limit: int | None = None,
) -> tuple[home.Runner, str]:
    """A new runner of the section (none: the single one of the project), and its token.

    Of any number of simultaneous calls for one section one succeeds: the check and the row are
    one transaction. Raises `SectionBusy`, `SingleRunnerActive`, `RunnersActive`, and
    `TooManyRunners` when there are `limit` already.
    """
    names = _names(project)
    with host.store.write() as session:
        active = [row for row in rows.active(session, project.id) if row.role in WORKERS]
        _refuse(project, section, active, names, limit)
        return rows.register(
            session,
            project_id=project.id,
            role=Role.SECTION if section is not None else Role.SINGLE,
            section_id=section.id if section is not None else None,
            engine=engine.name,
            engine_address=engine.address,
            keep=keep,
            once=once,
            loop=to_builtins(loop) if loop is not None else None,
        )


@dataclass(frozen=True)
class _Names:
    """By id, for people: read before the transaction, since they are in another store."""

    sections: dict[str, str]
    tasks: dict[str, str]


def _names(project: OpenProject) -> _Names:
    begun = select(db.Task).where(col(db.Task.status).in_(demand.BEGUN))
    with project.store.read() as session:
        return _Names(
            {each.id: each.name for each in sections.views(session).values()},
            {each.id: each.title for each in session.exec(begun)},
        )


def in_the_way(active: Sequence[home.Runner], section: db.Section | None) -> list[home.Runner]:
    """Those runners beside which one of this section cannot be started."""
    if section is None:
        return list(active)
    return [row for row in active if row.role == Role.SINGLE or row.section_id == section.id]


def refuse_skipped(section: db.Section) -> None:
    """Raises `WrongState`."""
    if section.skipped:
        raise WrongState(
            f"Cannot start runner: section {section.name} is skipped",
            hint=f"steroids sections unskip '{section.name}'",
        )


def refuse(host: Host, project: OpenProject, section: db.Section | None, limit: int) -> None:
    """Raises what `register` would raise now."""
    names = _names(project)
    with host.store.read() as session:
        active = [row for row in rows.active(session, project.id) if row.role in WORKERS]
    _refuse(project, section, active, names, limit)


def refuse_single(host: Host, project: OpenProject) -> None:
    """Raises `SingleRunnerActive` when one works, or is wanted, for all sections."""
    names = _names(project)
    with host.store.read() as session:
        row = session.get_one(home.Project, project.id)
        active = [each for each in rows.active(session, project.id) if each.role in WORKERS]
    single = [each for each in active if each.role == Role.SINGLE]
    if single or row.wanted:
        raise SingleRunnerActive(*_single("Cannot start runners", project, single, active, names))


def _refuse(
    project: OpenProject,
    section: db.Section | None,
    active: Sequence[home.Runner],
    names: _Names,
    limit: int | None,
) -> None:
    blocking = in_the_way(active, section)
    if not blocking:
        if limit is not None and len(active) >= limit:
            raise TooManyRunners(
                f"Cannot start runner: {_how_many(active)} active, and "
                f"runners.max_parallel is {limit}",
                f"steroids runners stop --id {active[0].id[:8]}   (or raise "
                "STEROIDS_RUNNERS__MAX_PARALLEL, runners.max_parallel in a config file)",
                _details(project, active, active, names),
            )
        return
    single = [row for row in blocking if row.role == Role.SINGLE]
    if single:
        raise SingleRunnerActive(*_single("Cannot start runner", project, single, active, names))
    details = _details(project, blocking, active, names)
    if section is None:
        raise RunnersActive(
            "Cannot start runner: without --section it works on every section, and "
            f"{_how_many(active)} active",
            f"{STOP_ALL}   (or: steroids runners start --force)",
            details,
        )
    raise SectionBusy(
        f"Cannot start runner: section {section.name} already has an active runner",
        f"steroids runners stop --id {blocking[0].id[:8]}   (or: {STOP_ALL})",
        details,
    )


def _how_many(active: Sequence[home.Runner]) -> str:
    return f"{len(active)} runners are" if len(active) > 1 else "1 runner is"


def _single(
    what: str,
    project: OpenProject,
    single: Sequence[home.Runner],
    active: Sequence[home.Runner],
    names: _Names,
) -> tuple[str, str, dict[str, Any]]:
    return (
        f"{what}: a single runner works on every section of this project",
        f"steroids runners stop --id {single[0].id[:8]}" if single else STOP_ALL,
        _details(project, single, active, names),
    )


def _details(
    project: OpenProject,
    blocking: Sequence[home.Runner],
    active: Sequence[home.Runner],
    names: _Names,
) -> dict[str, Any]:
    def plain(row: home.Runner) -> dict[str, object]:
        return to_builtins(runners.wire(project, row, names.sections, names.tasks))

    found: dict[str, Any] = {"existingRunners": [plain(row) for row in active]}
    return {"existingRunner": plain(blocking[0]), **found} if blocking else found
