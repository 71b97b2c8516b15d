"""Ends of a runner that somebody wanted: stopped, or drained."""

import contextlib

from steroids.engines.spec import Handle
from steroids.errors import EngineError
from steroids.provisioning import container
from steroids.services import demand, verdicts
from steroids.services.events import record, say
from steroids.services.host import Host, OpenProject
from steroids.services.runners import ended, held
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.wire.event import EventKind
from steroids.wire.runner import ACTIVE, RunnerStatus

GRACE_S = 30.0


def stop(host: Host, project: OpenProject, runner: home.Runner, *, now: bool) -> None:
    """Stop a runner and remove its container; blocks until that is done.

    Gracefully it stops its agent and uploads what there is; with `now` it is killed, and its task
    goes on later from what was uploaded before.
    """
    _set(host, runner.id, RunnerStatus.STOPPING)
    host.changed()
    _see_out(host, runner, grace_s=0 if now else GRACE_S)
    give_back(host, project, runner, "its runner was stopped")
    ended(host, runner.id, RunnerStatus.STOPPED)
    with project.store.read() as session:
        section = session.get(db.Section, runner.section_id)
    name = section.name if section else None
    say(host, project, EventKind.STOPPED, "stopped", section=name, runner_id=runner.id)


def stop_job(host: Host, project: OpenProject, runner: home.Runner, now: bool) -> None:
    """`stop`, as a job: one that has ended in the meantime is left alone."""
    with host.store.read() as session:
        row = session.get_one(home.Runner, runner.id)
    if row.status in ACTIVE:
        stop(host, project, row, now=now)


def give_back(host: Host, project: OpenProject, runner: home.Runner, reason: str) -> None:
    """Return the task that a runner still holds; nothing counted against it."""
    with project.store.write() as session:
        for task in held(session, runner.id):
            section = session.get_one(db.Section, task.section_id)
            verdicts.give_back(session, task, reason, section=section.name, actor="runner")


def drained(host: Host, project: OpenProject, runner: home.Runner, section: db.Section) -> None:
    """The runner was told to stop since nothing was left: see it out, and say so.

    Unless somebody has added work in the meantime: then the section stays wanted, and the next
    round of reconciling starts another.
    """
    _set(host, runner.id, RunnerStatus.STOPPING)
    _see_out(host, runner, grace_s=GRACE_S)
    ended(host, runner.id, RunnerStatus.STOPPED)
    with project.store.write() as session:
        row = session.get_one(db.Section, section.id)
        if not demand.work_left(session, section.id):
            row.wanted = None
            session.add(row)
            record(session, EventKind.DRAINED, section=row.name, runner_id=runner.id)
    host.changed()


def _see_out(host: Host, runner: home.Runner, *, grace_s: float) -> None:
    if runner.container is not None:
        handle = Handle(**runner.container)
        engine = host.engine(runner.engine_address)
        # An engine that is away now is no reason to keep the runner on the books: what is left
        # of it is swept by reconciling when the engine is back.
        with contextlib.suppress(EngineError):
            engine.stop(handle, grace_s)
            engine.remove(handle)
    container.forget(host.path, runner.id)


def _set(host: Host, runner_id: str, status: RunnerStatus) -> None:
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner_id)
        row.status = status
        session.add(row)
