"""Turns of set-up and checks with what they share: a simulator, a port, on the host itself files.

A container has all of that for itself. What a project declares as shared, and what runners of the
engine `local` share, is used by one at a time, from the build's start to the end of the tests.
"""

from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from steroids.scheduling.sections import reachable
from steroids.services import sections
from steroids.services.clock import steady_now
from steroids.services.grants import next_fences
from steroids.services.host import Host
from steroids.settings import Settings
from steroids.store import home_models as home
from steroids.store import project_models as db

LOCAL = "local"
"""The engine whose runners share a machine."""


def resources(
    session: Session, section: db.Section | None, engine: str, settings: Settings
) -> list[str]:
    """What a build of this section (none: of the project as a whole) has to have for itself."""
    declared = settings.shared_resources
    own = section.resources if section is not None else None
    wanted = [f"resource:{name}" for name in declared if own is None or name in own]
    if engine == LOCAL:
        related = {each.id: each.dependencies for each in sections.views(session).values()}
        # The project's own set-up is everybody's.
        packages = (
            {section.id, *reachable(section.id, related)} if section is not None else set(related)
        )
        wanted += [f"package:{each}" for each in packages]
    return sorted(wanted)


def begin(host: Host, runner: home.Runner) -> bool:
    """Whether this runner may build now; False: others do, ask again. May be asked repeatedly."""
    project = host.project(runner.project_id)
    settings = host.settings(project)
    now = steady_now()
    with project.store.write() as session:
        section = _section(session, runner)
        wanted = resources(session, section, runner.engine, settings)
        held = session.exec(select(db.Lease).where(col(db.Lease.resource).in_(wanted))).all()
        others = [each for each in held if each.runner_id != runner.id and _living(each, now)]
        if not others:
            _grant(session, runner.id, wanted, now, settings)
    _note(host, runner, f"a turn with {_name(others[0].resource)}" if others else None)
    return not others


def end(host: Host, runner: home.Runner) -> None:
    """Give the turn back; one that has none is fine."""
    project = host.project(runner.project_id)
    with project.store.write() as session:
        release(session, runner.id)
    host.changed()


def release(session: Session, runner_id: str) -> None:
    """Take back what a runner holds for a build."""
    session.exec(
        delete(db.Lease).where(
            col(db.Lease.runner_id) == runner_id, col(db.Lease.task_id).is_(None)
        )
    )


def _section(session: Session, runner: home.Runner) -> db.Section | None:
    """Whose set-up it runs; a single runner's is that of the section that it works on."""
    if runner.section_id is not None:
        return session.get_one(db.Section, runner.section_id)
    task = session.get(db.Task, runner.task_id) if runner.task_id else None
    return session.get_one(db.Section, task.section_id) if task is not None else None


def _living(lease: db.Lease, now: datetime) -> bool:
    return lease.expires_at is None or lease.expires_at > now


def _grant(
    session: Session, runner_id: str, wanted: list[str], now: datetime, settings: Settings
) -> None:
    session.exec(delete(db.Lease).where(col(db.Lease.resource).in_(wanted)))
    fence = next_fences(session, 1)
    expires_at = now + timedelta(seconds=settings.runners.heartbeat_timeout_s)
    session.add_all(
        db.Lease(
            resource=resource,
            exclusive=True,
            runner_id=runner_id,
            fence=fence,
            expires_at=expires_at,
        )
        for resource in wanted
    )


def _note(host: Host, runner: home.Runner, waits_for: str | None) -> None:
    if runner.waits_for == waits_for:
        return
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner.id)
        row.waits_for = waits_for
        session.add(row)


def _name(resource: str) -> str:
    kind, _, name = resource.partition(":")
    return name if kind == "resource" else "the packages that it builds"
