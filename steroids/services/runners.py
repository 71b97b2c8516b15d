"""Runners: who is wanted, who there is."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from steroids.engines.spec import Handle
from steroids.errors import NotFound
from steroids.provisioning import container
from steroids.services import demand, events, sections, target
from steroids.services.host import Host, OpenProject
from steroids.services.landing import retry_refused
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.store.columns import utc_now
from steroids.wire.runner import Down, Role, Runner, RunnerStatus, Target, Up, UpReply
from steroids.wire.task import TaskStatus


def up(host: Host, project: OpenProject, body: Up) -> UpReply:
    """Say which sections want a runner; reconciling starts them, now and after a crash.

    Raises `NoEngine` or `EngineUnavailable`, `GitError` when the target cannot be read, and
    `NotFound` for an unknown section: before anything is changed.
    """
    # First of all: the settings are those on the branch now, and a bad one may have been mended.
    target.fetch(project)
    settings = host.resolved(project).settings
    engine = host.engine(body.engine or settings.engine)
    engine.capabilities()
    retry_refused(host, project)
    since = events.last(project)
    with project.store.write() as session:
        if body.sections:
            named = [sections.named(session, word) for word in dict.fromkeys(body.sections)]
        else:
            named = list(sections.every(session))
        chosen = [each for each in named if body.keep or demand.work_left(session, each.id)]
        for section in chosen:
            section.wanted, section.keep = engine.address, body.keep
            session.add(section)
    starting = _starting(host, project, chosen, settings.runners.max_parallel)
    host.changed()
    return UpReply(
        sections=[section.name for section in chosen],
        starting=starting,
        since=since,
        notes=[
            f"{section.name} has no checks: its tasks are approved as submitted"
            for section in chosen
            if not section.check_commands
        ],
    )


def _starting(
    host: Host, project: OpenProject, chosen: Sequence[db.Section], limit: int
) -> list[str]:
    """Which of them get a runner now: the others have one, or have to wait for a place."""
    with host.store.read() as session:
        running = {row.section_id for row in rows.active(session, project.id, Role.SECTION)}
    new = [section for section in chosen if section.id not in running]
    new.sort(key=lambda section: (section.priority, section.position))
    return [section.name for section in new[: max(0, limit - len(running))]]


def down(host: Host, project: OpenProject, body: Down) -> list[home.Runner]:
    """Nobody wants runners in these sections any more (none named: in all).

    Returns those that run; `stop` each of them to see them out.
    """
    with project.store.write() as session:
        every = sections.every(session)
        chosen = [sections.named(session, word) for word in body.sections] or list(every)
        for section in chosen:
            section.wanted = None
            session.add(section)
    ids = {section.id for section in chosen}
    with host.store.read() as session:
        active = rows.active(session, project.id)
    return [row for row in active if row.section_id in ids and row.role == Role.SECTION]


def held(session: Session, runner_id: str) -> Sequence[db.Task]:
    """The tasks in progress that this runner has leases for."""
    query = (
        select(db.Task)
        .join(db.Lease, col(db.Lease.task_id) == col(db.Task.id))
        .where(db.Lease.runner_id == runner_id, db.Task.status == TaskStatus.IN_PROGRESS)
        .distinct()
    )
    return session.exec(query).all()


def listing(host: Host, project: OpenProject) -> list[Runner]:
    """The living runners of a project."""
    with host.store.read() as session:
        active = rows.active(session, project.id)
    with project.store.read() as session:
        names = {section.id: section.name for section in sections.every(session)}
        ids = [row.task_id for row in active if row.task_id]
        titles = {t.id: t.title for t in (session.get(db.Task, each) for each in ids) if t}
    return [wire(row, names, titles) for row in active]


def find(host: Host, project: OpenProject, section: str) -> Target:
    """Where to reach the container of a section's runner, by the engine's own program."""
    with project.store.read() as session:
        wanted = sections.named(session, section)
    with host.store.read() as session:
        active = rows.active(session, project.id, Role.SECTION)
    row = next((row for row in active if row.section_id == wanted.id and row.container), None)
    if row is None or row.container is None:
        raise NotFound(
            f"Section {wanted.name} has no runner now",
            hint=f"steroids up --section '{wanted.name}' --keep -d",
        )
    return Target(
        engine=row.engine,
        address=row.engine_address,
        container=Handle(**row.container).name,
        user=container.AGENT,
        workdir=container.WORKSPACE,
    )


def wire(row: home.Runner, names: dict[str, str], titles: dict[str, str]) -> Runner:
    return Runner(
        id=row.id,
        role=Role(row.role),
        section=names.get(row.section_id or ""),
        status=RunnerStatus(row.status),
        engine=row.engine,
        container=Handle(**row.container).name if row.container else None,
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
        task_id=row.task_id,
        task=titles.get(row.task_id or ""),
        waits_for=row.waits_for,
    )


def ended(host: Host, runner_id: str, status: RunnerStatus) -> None:
    """Mark it stopped or lost; from then on its token is worth nothing."""
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner_id)
        rows.end(row, status, utc_now())
        session.add(row)
