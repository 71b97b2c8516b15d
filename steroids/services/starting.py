"""`runners start`: exactly one runner, or a refusal that says why."""

from steroids.errors import Busy
from steroids.provisioning import snapshot
from steroids.services import (
    events,
    launching,
    loops,
    project_changes,
    registration,
    runners,
    sections,
    stopping,
)
from steroids.services import target as target_branch
from steroids.services.host import Host, OpenProject
from steroids.services.jobs import Jobs
from steroids.services.landing_refusal import retry_refused
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.wire.runner import WORKERS, Runner, Start, Started

FORCE_TRIES = 3
"""Somebody else may start one in the moment between our stop and our start."""


def start(host: Host, jobs: Jobs, project: OpenProject, body: Start) -> Started:
    """Register a runner and begin to bring it up; its events tell how that goes.

    Raises what `registration.register` raises, `WrongState` for a skipped section, and before
    all of that `NoEngine`, `EngineUnavailable`, `GitError`, `BadConfig`, `NotFound`. With
    `force` the runners in the way are stopped first, gracefully; there are never two. One of a
    loop that is gone is in nobody's way. One that is for a loop, or for one task, is not started
    again when it has ended.
    """
    if body.loop is not None:
        loops.check(body.loop)
    project_changes.refuse_disabled(host, project)
    target_branch.fetch(project)
    settings = host.resolved(project).settings
    engine = host.engine(body.engine or settings.engine)
    what = engine.capabilities()
    section = _section(project, body)
    retry_refused(host, project)
    snapshot.try_again(project.id)
    loops.end_orphans(host, jobs, project).wait()
    replaced: list[Runner] = []
    for left in reversed(range(FORCE_TRIES if body.force else 1)):
        if body.force:
            replaced += _make_way(host, jobs, project, section)
        # Whoever follows the new one is not to take the end of the old one for its own.
        since = events.last(project)
        try:
            row, token = registration.register(
                host,
                project,
                section,
                engine,
                keep=body.keep,
                once=body.once,
                loop=body.loop,
                limit=settings.runners.max_parallel,
            )
            break
        except registration.TooManyRunners:
            raise
        except Busy:
            if not left:
                raise
    if body.loop is None and not body.once:
        _want(host, project, section, engine.address, keep=body.keep)
    jobs.once(("provision", row.id), launching.provision_or_say, host, project, row, token)
    notes = runners.notes(host, project, [section] if section else None, what)
    return Started(
        runner=runners.one(host, project, row.id), replaced=replaced, since=since, notes=notes
    )


def _section(project: OpenProject, body: Start) -> db.Section | None:
    if body.section is None:
        return None
    with project.store.read() as session:
        section = sections.named(session, body.section)
    registration.refuse_skipped(section)
    return section


def _make_way(
    host: Host, jobs: Jobs, project: OpenProject, section: db.Section | None
) -> list[Runner]:
    """Stop, gracefully, what a runner of this section cannot be beside; returns those."""
    with host.store.read() as session:
        active = [row for row in rows.active(session, project.id) if row.role in WORKERS]
    blocking = registration.in_the_way(active, section)
    before = [runners.one(host, project, row.id) for row in blocking]
    # Nobody else may start them again in between.
    runners.unwant(host, project, blocking)
    stopping.stop_all(host, jobs, project, blocking, now=False)
    return before


def _want(
    host: Host, project: OpenProject, section: db.Section | None, engine: str, *, keep: bool
) -> None:
    """From now on reconciling keeps it there, until it is drained or stopped."""
    with project.store.write() as session:
        for row in sections.every(session):
            if section is None:
                row.wanted = None
            elif row.id == section.id:
                row.wanted, row.keep = engine, keep
            session.add(row)
    if section is None:
        with host.store.write() as session:
            project_row = session.get_one(home.Project, project.id)
            project_row.wanted, project_row.keep = engine, keep
            session.add(project_row)
