"""Runners: who is wanted, who there is."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from steroids.engines.spec import Capabilities, Handle
from steroids.provisioning import ports
from steroids.scheduling.globs import problem
from steroids.services import database_book, demand, judging, naming, sections
from steroids.services.host import Host, OpenProject
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.store.columns import utc_now
from steroids.wire.runner import WORKERS, Port, Role, Runner, RunnerStatus, Stop
from steroids.wire.task import TaskStatus


def chosen(host: Host, project: OpenProject, body: Stop) -> list[home.Runner]:
    """The living runners that somebody named: by id, by section, or all that claim tasks.

    Raises `NotFound` for an id or a section that there is not; a section without a runner is
    fine.
    """
    with host.store.read() as session:
        active = [row for row in rows.active(session, project.id) if row.role in WORKERS]
    if not body.ids and not body.sections:
        return active
    with project.store.read() as session:
        ids = {sections.named(session, word).id for word in body.sections}
    named = [
        naming.find("runner", word, active, lambda row: row.id, lambda row: row.id)
        for word in body.ids
    ]
    return [row for row in active if row.section_id in ids or row in named]


def unwant(host: Host, project: OpenProject, gone: Sequence[home.Runner]) -> None:
    """Nobody wants these any more, so that reconciling does not start them again."""
    ids = {row.section_id for row in gone}
    with project.store.write() as session:
        for section in sections.every(session):
            if section.id in ids:
                section.wanted = None
                session.add(section)
    if any(row.role == Role.SINGLE for row in gone):
        unwant_single(host, project)


def unwant_single(host: Host, project: OpenProject) -> None:
    with host.store.write() as session:
        row = session.get_one(home.Project, project.id)
        row.wanted = None
        session.add(row)


def held(session: Session, runner_id: str) -> Sequence[db.Task]:
    """The tasks in progress that this runner has leases for."""
    # Not a join made distinct: PostgreSQL does not compare columns of JSON.
    own = select(db.Lease.task_id).where(db.Lease.runner_id == runner_id)
    query = select(db.Task).where(
        col(db.Task.id).in_(own), db.Task.status == TaskStatus.IN_PROGRESS
    )
    return session.exec(query).all()


def listing(host: Host, project: OpenProject) -> list[Runner]:
    """The living runners of a project."""
    with host.store.read() as session:
        active = rows.active(session, project.id)
    return _listed(project, active)


def one(host: Host, project: OpenProject, runner_id: str) -> Runner:
    """A runner as it is now, or as it was at its end."""
    with host.store.read() as session:
        row = session.get_one(home.Runner, runner_id)
    return _listed(project, [row])[0]


def _listed(project: OpenProject, active: Sequence[home.Runner]) -> list[Runner]:
    with project.store.read() as session:
        names = {each.id: each.name for each in sections.views(session).values()}
        ids = [row.task_id for row in active if row.task_id]
        titles = {t.id: t.title for t in (session.get(db.Task, each) for each in ids) if t}
    return [wire(project, row, names, titles) for row in active]


def local_ports(host: Host) -> set[int]:
    """Ports of this host that living runners were given."""
    with host.store.read() as session:
        return {port for row in rows.active(session) for port in row.ports.values()}


NOT_ISOLATED = (
    "the engine 'local' keeps files apart, not the machine: agents run as you, see what you see"
)


def notes(
    host: Host, project: OpenProject, about: Sequence[db.Section] | None, engine: Capabilities
) -> list[str]:
    """What somebody who starts runners there (none: everywhere) on it should know."""
    settings = host.settings(project)
    with project.store.read() as session:
        rules = demand.rules_of(session, settings.runners)
        known = [each for each in sections.every(session) if not each.skipped]
    found = [] if engine.isolated else [NOT_ISOLATED]
    for section in known if about is None else about:
        if not judging.reviewers(section, settings):
            lacks = "no reviewers" if section.check_commands else "no checks"
            found.append(f"{section.name} has {lacks}: its tasks are approved as submitted")
        if section.ports and engine.isolated and not ports.publishes(settings.network):
            numbers = ", ".join(map(str, section.ports))
            found.append(f"{section.name}: {numbers} not published: network is {settings.network}")
        before = rules.blocked_by(section.id) if about is not None else []
        if before:
            names = ", ".join(each.name for each in before)
            found.append(f"{section.name} waits until {names} is finished")
    names_known = {each.name.casefold() for each in rules.sections.values()}
    for zone in settings.runners.zones:
        for name in zone.sections:
            if name.casefold() not in names_known:
                found.append(f"zone {zone.name} names '{name}', and there is no such section")
        for glob in zone.paths:
            wrong = problem(glob)
            if wrong:
                found.append(f"zone {zone.name}: '{glob}' {wrong}")
    return found


def wire(
    project: OpenProject, row: home.Runner, names: dict[str, str], titles: dict[str, str]
) -> Runner:
    return Runner(
        id=row.id,
        project=str(project.path),
        role=Role(row.role),
        section=names.get(row.section_id or ""),
        section_id=row.section_id,
        status=RunnerStatus(row.status),
        engine=row.engine,
        container=Handle(**row.container).name if row.container else None,
        container_id=Handle(**row.container).id if row.container else None,
        pid=row.pid,
        host=row.host,
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
        task_id=row.task_id,
        task=titles.get(row.task_id or ""),
        waits_for=row.waits_for,
        ports=[
            Port(inside=int(inside), published=outside) for inside, outside in row.ports.items()
        ],
        unlimited=row.unlimited,
        database=database_book.name(row),
    )


def ended(host: Host, runner_id: str, status: RunnerStatus) -> None:
    """Mark it stopped or lost; from then on its token is worth nothing."""
    host.forget(runner_id)
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner_id)
        rows.end(row, status, utc_now())
        session.add(row)
