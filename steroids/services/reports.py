"""What runners tell about themselves: alive, what they see, how one-shot work ended."""

import time
from datetime import timedelta

from steroids.services import leases, stopping
from steroids.services.clock import steady_now
from steroids.services.events import record
from steroids.services.host import Host
from steroids.services.jobs import Jobs
from steroids.services.launching import section_name
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.assignment import Assignment, Heartbeat, Kind, Result
from steroids.wire.body import encode
from steroids.wire.event import Batch, EventKind
from steroids.wire.runner import WORKERS, Role, RunnerStatus

MAX_TEXT_CHARS = 8_000


def ready(host: Host, runner: home.Runner) -> None:
    """Called with each claim; the first one says that the runner is up."""
    first = runner.heartbeat_at is None
    host.heard[runner.id] = time.monotonic()
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner.id)
        row.heartbeat_at = utc_now()
        if row.status == RunnerStatus.STARTING:
            row.status = RunnerStatus.IDLE
        session.add(row)
    if first and runner.role in WORKERS:
        project = host.project(runner.project_id)
        took_s = (utc_now() - (runner.launched_at or runner.started_at)).total_seconds()
        name = section_name(project, runner)
        with project.store.write() as session:
            text = f"runner {runner.id[:8]} ready"
            data = {"durationS": round(took_s, 3)}
            record(session, EventKind.READY, text, section=name, runner_id=runner.id, data=data)
        host.spoke()


def reload(host: Host, runner: home.Runner) -> home.Runner:
    with host.store.read() as session:
        return session.get_one(home.Runner, runner.id)


def assigned(host: Host, jobs: Jobs, runner: home.Runner, assignment: Assignment) -> None:
    """See out a runner that was just told that nothing is left."""
    if assignment.kind is not Kind.STOP or runner.status == RunnerStatus.STOPPING:
        return
    project = host.project(runner.project_id)
    jobs.once(("stop", runner.id), stopping.drained, host, project, runner)


def heartbeat(host: Host, runner: home.Runner, body: Heartbeat) -> bool:
    """Note that it lives, and renew its leases; False when its task is no longer its own."""
    host.heard[runner.id] = time.monotonic()
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner.id)
        row.heartbeat_at = utc_now()
        session.add(row)
    project = host.project(runner.project_id)
    timeout_s = host.settings(project).runners.heartbeat_timeout_s
    until = steady_now() + timedelta(seconds=timeout_s)
    with project.store.write() as session:
        return leases.renew(session, runner.id, body.fence, until)


def result(host: Host, runner: home.Runner, body: Result) -> None:
    """The end of one-shot work; the first answer counts."""
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner.id)
        if row.result is None:
            row.result = encode(body).decode()
            session.add(row)


def events(host: Host, runner: home.Runner, body: Batch) -> None:
    """Take in what it saw, once, however often a batch is sent."""
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner.id)
        fresh = body.events[max(0, row.events_taken - body.first) :]
        row.events_taken = max(row.events_taken, body.first + len(body.events))
        session.add(row)
    if not fresh:
        return
    project = host.project(runner.project_id)
    with project.store.write() as session:
        task = session.get(db.Task, runner.task_id) if runner.task_id else None
        section_id = runner.section_id or (task.section_id if task else None)
        section = session.get(db.Section, section_id) if section_id else None
        for said in fresh:
            kind = EventKind.PROGRESS if runner.role == Role.SETUP else _allowed(said.kind)
            record(
                session,
                kind,
                said.text[:MAX_TEXT_CHARS],
                section=section.name if section else None,
                runner_id=runner.id,
                task=task,
                data={"role": runner.role},
            )
    host.spoke()


def _allowed(kind: EventKind) -> EventKind:
    """A runner reports what it sees; what became of a task is the controller's to say."""
    return kind if kind is EventKind.NOTICE else EventKind.LOG
