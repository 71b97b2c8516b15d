"""What runners tell about themselves: alive, what they see, how one-shot work ended."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from steroids.provisioning import setup_log
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


def ready(host: Host, runner: home.Runner, came_at: datetime) -> None:
    """Called with each claim, once all of the runner is there; the first one says that it is up.

    `came_at`: when it claimed. It may have waited for its database since.
    """
    host.heard[runner.id] = time.monotonic()
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner.id)
        row.heartbeat_at = utc_now()
        first = row.status == RunnerStatus.STARTING
        if first:
            row.status = RunnerStatus.IDLE
        ports = row.ports
        session.add(row)
    if first and runner.role in WORKERS:
        project = host.project(runner.project_id)
        took_s = (came_at - (runner.launched_at or runner.started_at)).total_seconds()
        name = section_name(project, runner)
        with project.store.write() as session:
            text = f"runner {runner.id[:8]} ready"
            data = {"durationS": round(took_s, 3), "ports": ports}
            record(session, EventKind.READY, text, section=name, runner_id=runner.id, data=data)
        host.spoke()


def reload(host: Host, runner: home.Runner) -> home.Runner:
    with host.store.read() as session:
        return session.get_one(home.Runner, runner.id)


def assigned(host: Host, jobs: Jobs, runner: home.Runner, assignment: Assignment) -> None:
    """See out a runner that was just told that nothing is left, or that it is given up."""
    if assignment.kind is not Kind.STOP or runner.status == RunnerStatus.STOPPING:
        return
    project = host.project(runner.project_id)
    if why := host.over.get(runner.id):
        jobs.once(("stop", runner.id), stopping.give_up, host, project, runner, why)
        return
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
    if runner.role == Role.SETUP and runner.database is None:
        setup_log.append(_log_of(host, runner), [said.text for said in fresh])
    project = host.project(runner.project_id)
    with project.store.write() as session:
        task = session.get(db.Task, runner.task_id) if runner.task_id else None
        section_id = runner.section_id or (task.section_id if task else None)
        section = session.get(db.Section, section_id) if section_id else None
        # What migrates is a set-up's container, too.
        step = {"step": "database"} if runner.database is not None else {}
        for said in fresh:
            kind = EventKind.PROGRESS if runner.role == Role.SETUP else _allowed(said.kind)
            record(
                session,
                kind,
                said.text[:MAX_TEXT_CHARS],
                section=section.name if section else None,
                runner_id=runner.id,
                task=task,
                data={"role": runner.role, **step},
            )
    host.spoke()


def _log_of(host: Host, runner: home.Runner) -> Path:
    assert runner.assignment is not None
    checkout = msgspec.json.decode(runner.assignment, type=Assignment).checkout
    assert checkout is not None
    return setup_log.log_path(host.path, runner.project_id, checkout.setup_key)


def _allowed(kind: EventKind) -> EventKind:
    """A runner reports what it sees; what became of a task is the controller's to say."""
    return kind if kind is EventKind.NOTICE else EventKind.LOG
