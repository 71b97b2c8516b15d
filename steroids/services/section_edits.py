"""Changing sections, and taking one away."""

from collections import Counter

from msgspec import UNSET
from sqlmodel import Session, select

from steroids.errors import Busy, SectionBusy
from steroids.services import section_rules as rules
from steroids.services import sections
from steroids.services.events import record
from steroids.services.host import Host, OpenProject
from steroids.services.sections import AFTER, DEPEND
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.store import runners
from steroids.store.columns import utc_now
from steroids.wire.event import EventKind
from steroids.wire.section import Section, SectionEdit


class SectionInUse(Busy):
    code = "SECTION_IN_USE"


def edit(host: Host, project: OpenProject, word: str, body: SectionEdit) -> Section:
    """Change what is set in `body`; all of it or nothing.

    May be called while its runner works: relations, paths and priority count from the next claim
    on, checks from the next review, set-up, image and ports from the next runner.
    Raises what `sections.add` does, and `NotFound` for a relation to drop that is not there.
    """
    paths = UNSET if body.paths is UNSET else sections.paths_of(project, body.paths)
    settings = host.settings(project)
    with project.store.write() as session:
        row = sections.named(session, word)
        if body.name is not UNSET:
            others = [each for each in sections.every(session) if each.id != row.id]
            row.name = rules.name_of(body.name, others)
        if paths is not UNSET:
            row.paths = paths
        _relate(session, row, body)
        _override(row, body, settings)
        session.add(row)
        session.flush()
        edited = sections.one(session, row)
    host.changed()
    return edited


def _relate(session: Session, row: db.Section, body: SectionEdit) -> None:
    rows = sections.every(session)
    names = {each.id: each.name for each in rows}
    if body.dependencies is not UNSET:
        row.dependencies = rules.ids_of(body.dependencies, rows, row.name, DEPEND)
    if body.after is not UNSET:
        row.after = rules.ids_of(body.after, rows, row.name, AFTER)
    more = rules.ids_of(body.add_dependencies, rows, row.name, DEPEND)
    kept = rules.dropped(body.drop_dependencies, row.dependencies, rows, row.name, DEPEND)
    row.dependencies = list(dict.fromkeys([*kept, *more]))
    more = rules.ids_of(body.add_after, rows, row.name, AFTER)
    kept = rules.dropped(body.drop_after, row.after, rows, row.name, AFTER)
    row.after = list(dict.fromkeys([*kept, *more]))
    # The row is one of these, and has been changed.
    rules.refuse_cycle({each.id: each.dependencies for each in rows}, names, row.id, DEPEND)
    rules.refuse_cycle({each.id: each.after for each in rows}, names, row.id, AFTER)


def _override(row: db.Section, body: SectionEdit, settings: Settings) -> None:
    if body.isolation is not UNSET:
        row.isolation = body.isolation
    if body.check is not UNSET:
        rules.check_commands("check", body.check)
        row.check_commands = body.check
    if body.setup is not UNSET:
        rules.check_commands("set-up", body.setup or ())
        row.setup = body.setup
    if body.image is not UNSET:
        rules.check_image(body.image)
        row.image = body.image
    if body.resources is not UNSET:
        rules.check_resources(settings, body.resources)
        row.resources = body.resources
    if body.ports is not UNSET:
        rules.check_ports(body.ports)
        row.ports = body.ports
    if body.priority is not UNSET:
        rules.check_priority(body.priority)
        row.priority = body.priority
    if body.skipped is not UNSET:
        row.skipped = body.skipped


def remove(host: Host, project: OpenProject, word: str, *, dry_run: bool = False) -> Section:
    """Take a section away; its name is free then. Its row and its ended tasks stay, as history.

    Raises `NotFound`, `SectionBusy` while it has a living runner, `SectionInUse` while it has open
    tasks or other sections are related to it. With `dry_run` nothing else happens.
    """
    with project.store.write() as session:
        row = sections.named(session, word)
        _refuse_related(session, row)
        _refuse_tasks(session, row)
        _refuse_runner(host, project, row)
        if dry_run:
            return sections.one(session, row)
        removed = sections.one(session, row)
        row.removed_at = removed.removed_at = utc_now()
        if row.wanted is not None:
            # Whoever follows it waits for its end, and no runner will tell.
            record(session, EventKind.STOPPED, "removed", section=row.name)
        row.wanted = None
        session.add(row)
    host.changed()
    return removed


def _refuse_related(session: Session, row: db.Section) -> None:
    rows = sections.every(session)
    reading = [each.name for each in rows if row.id in each.dependencies]
    later = [each.name for each in rows if row.id in each.after]
    details = {"dependents": reading, "successors": later}
    if reading:
        raise SectionInUse(
            f"{_listed(reading)} depend{'s' if len(reading) == 1 else ''} on {row.name}",
            hint=f"steroids sections no-depends-on '{reading[0]}' '{row.name}'",
            details=details,
        )
    if later:
        raise SectionInUse(
            f"{_listed(later)} come{'s' if len(later) == 1 else ''} after {row.name}",
            hint=f"steroids sections edit '{later[0]}' --no-after '{row.name}'",
            details=details,
        )


def _refuse_tasks(session: Session, row: db.Section) -> None:
    statuses = session.exec(select(db.Task.status).where(db.Task.section_id == row.id))
    counts = Counter(str(status) for status in statuses if status in sections.OPEN)
    if counts:
        number = sum(counts.values())
        told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        raise SectionInUse(
            f"{row.name} has {number} unfinished task{'' if number == 1 else 's'}: {told}",
            hint=f"steroids tasks list --section '{row.name}'",
            details={"tasks": number},
        )


def _refuse_runner(host: Host, project: OpenProject, row: db.Section) -> None:
    with host.store.read() as session:
        active = runners.active(session, project.id)
    living = next((each for each in active if each.section_id == row.id), None)
    if living is not None:
        raise SectionBusy(
            f"{row.name} has a runner: {living.id[:8]}, {living.status}",
            hint=f"steroids down --section '{row.name}'",
            details={"runner": living.id},
        )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
