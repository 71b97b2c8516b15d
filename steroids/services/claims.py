"""Giving a runner its next assignment: picking the task and granting its locks, at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlmodel import Session, col, select

from steroids.git import repository
from steroids.provisioning.setup import Setup, setup_at
from steroids.scheduling.locks import Held, Lock
from steroids.scheduling.pick import Grant, Wait, pick
from steroids.services import commits, demand, sections, target
from steroids.services.events import record
from steroids.services.host import Host, OpenProject
from steroids.services.transitions import move
from steroids.settings import Settings
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners
from steroids.store.columns import new_id, utc_now
from steroids.wire.assignment import Assignment, Author, Checkout, Kind, TaskBrief
from steroids.wire.event import EventKind
from steroids.wire.runner import Role, RunnerStatus
from steroids.wire.task import TaskStatus

TARGET_MAX_AGE_S = 2.0
PATIENCE_S = 20.0
"""How long a section that waits lets others have what it needs. Without it, one that changes what
all read would keep every second reader from starting; without an end to it, it would starve. An
exclusive section has no patience."""
NOBODY = Author(name="Steroids", email="steroids@localhost")
"""Commits where the user has set no name for git."""


def next_assignment(host: Host, runner: home.Runner) -> Assignment | None:
    """What this runner does now; none: there is work that it has to wait for, ask again.

    Idempotent: a runner that did not get the answer is told the same again.
    """
    if runner.role != Role.SECTION:
        assert runner.assignment is not None
        return msgspec.json.decode(runner.assignment, type=Assignment)
    project = host.project(runner.project_id)
    assert runner.section_id is not None
    if runner.status == RunnerStatus.STOPPING:
        return Assignment(kind=Kind.STOP, reason="asked to stop")
    settings = host.settings(project)
    waiting = _waiting_sections(host, project)
    with project.claiming:
        base = target.tip(project, TARGET_MAX_AGE_S) if _may_start(project, runner) else None
        with project.store.write() as session:
            task, lease, waits_for = _claim(session, runner, base, waiting, settings)
            section = session.get_one(db.Section, runner.section_id)
            left = task is not None or demand.work_left(session, section.id)
    if task is not None and lease is not None:
        _note(host, runner, RunnerStatus.WORKING, task.id, None)
        return _assignment(project, task, lease, section.name, settings)
    if not left and not runner.keep:
        return Assignment(kind=Kind.STOP, reason="drained")
    _note(host, runner, RunnerStatus.WAITING if left else RunnerStatus.IDLE, None, waits_for)
    return None


def _claim(
    session: Session,
    runner: home.Runner,
    base: str | None,
    waiting: Sequence[tuple[str, float]],
    settings: Settings,
) -> tuple[db.Task | None, db.Lease | None, str | None]:
    held = session.exec(
        select(db.Lease)
        .join(db.Task, col(db.Task.id) == col(db.Lease.task_id))
        .where(db.Lease.runner_id == runner.id, db.Task.status == TaskStatus.IN_PROGRESS)
    ).first()
    if held is not None:
        return session.get_one(db.Task, held.task_id), held, None
    if base is None:
        return None, None, None
    views = sections.views(session)
    assert runner.section_id is not None
    pending = demand.pending(session)
    queue = [
        section
        for section, waited_s in waiting
        if any(task.section_id == section for task in pending)
        and (waited_s >= PATIENCE_S or views[section].exclusive)
    ]
    decision = pick(runner.section_id, pending, views, _held(session), queue)
    if not isinstance(decision, Grant):
        return None, None, _explain(session, decision)
    task = session.get_one(db.Task, decision.task.id)
    _begin(session, task, base, runner)
    lease = _grant(session, decision.locks, task, runner, settings)
    section = views[task.section_id].name
    record(session, EventKind.CLAIMED, section=section, runner_id=runner.id, task=task)
    return task, lease, None


def _begin(session: Session, task: db.Task, base: str, runner: home.Runner) -> None:
    """Start the next attempt, or go on with one that was interrupted."""
    task.base_commit = task.base_commit or base
    task.latest_commit = task.latest_commit or task.base_commit
    attempt = commits.current_attempt(session, task)
    if attempt is None or attempt.status != "interrupted":
        number = task.current_attempt + 1
        attempt = db.Attempt(task_id=task.id, number=number, base_commit=task.latest_commit)
    attempt.status = "running"
    session.add(attempt)
    task.current_attempt = attempt.number
    task.attempt_base_commit = attempt.base_commit
    move(session, task, TaskStatus.IN_PROGRESS, actor=f"runner {runner.id[:8]}")


def _grant(
    session: Session,
    locks: frozenset[Lock],
    task: db.Task,
    runner: home.Runner,
    settings: Settings,
) -> db.Lease:
    fence = new_id()
    expires_at = utc_now() + timedelta(seconds=settings.runners.heartbeat_timeout_s)
    leases = [
        db.Lease(
            resource=lock.resource,
            exclusive=lock.exclusive,
            task_id=task.id,
            runner_id=runner.id,
            fence=fence,
            expires_at=expires_at,
        )
        for lock in sorted(locks, key=lambda lock: lock.resource)
    ]
    session.add_all(leases)
    return leases[0]


def renew(session: Session, runner_id: str, task_id: str, until: datetime) -> bool:
    """Extend the leases of a runner that works on a task; False when the task is not its own."""
    query = select(db.Lease).where(db.Lease.runner_id == runner_id, db.Lease.task_id == task_id)
    leases = session.exec(query).all()
    for lease in leases:
        if lease.expires_at is not None:
            lease.expires_at = until
            session.add(lease)
    return bool(leases)


def _may_start(project: OpenProject, runner: home.Runner) -> bool:
    with project.store.read() as session:
        return any(task.section_id == runner.section_id for task in demand.pending(session))


def _waiting_sections(host: Host, project: OpenProject) -> list[tuple[str, float]]:
    """Ids of the sections whose runners wait, and for how many seconds, the longest first."""
    now = utc_now()
    with host.store.read() as session:
        active = runners.active(session, project.id, Role.SECTION)
    waits = [
        (row.waits_since, row.section_id) for row in active if row.waits_since and row.section_id
    ]
    return [(section, (now - since).total_seconds()) for since, section in sorted(waits)]


def _held(session: Session) -> list[Held]:
    leases = session.exec(select(db.Lease).order_by(col(db.Lease.id)))
    return [Held(Lock(lease.resource, lease.exclusive), lease.task_id) for lease in leases]


def _explain(session: Session, decision: Wait | None) -> str | None:
    if decision is None:
        return None
    if decision.section_id is not None:
        return f"{session.get_one(db.Section, decision.section_id).name}, which waits longer"
    task = session.get(db.Task, decision.task_id)
    if task is None:
        return "its turn"
    section = session.get_one(db.Section, task.section_id)
    return f"{section.name} to finish '{task.title}'"


def _note(
    host: Host,
    runner: home.Runner,
    status: RunnerStatus,
    task_id: str | None,
    waits_for: str | None,
) -> None:
    if (runner.status, runner.task_id, runner.waits_for) == (status, task_id, waits_for):
        return
    with host.store.write() as session:
        row = session.get_one(home.Runner, runner.id)
        if row.status != RunnerStatus.STOPPING:
            row.status = status
        row.task_id, row.waits_for = task_id, waits_for
        row.waits_since = (row.waits_since or utc_now()) if waits_for else None
        session.add(row)


def _assignment(
    project: OpenProject, task: db.Task, lease: db.Lease, section: str, settings: Settings
) -> Assignment:
    assert task.latest_commit is not None
    setup: Setup = setup_at(project.mirror, task.latest_commit, settings.setup)
    fresh = task.latest_commit == task.attempt_base_commit
    name, email = repository.identity(project.path)
    return Assignment(
        kind=Kind.CODE,
        id=lease.fence,
        checkout=Checkout(
            commit=task.latest_commit,
            squash=task.squash_commit if fresh else None,
            setup=list(setup.commands),
            setup_key=setup.key,
            setup_timeout_s=settings.setup_timeout_s,
        ),
        task=TaskBrief(
            id=task.id,
            title=task.title,
            spec=task.spec,
            attempt=task.current_attempt,
            section=section,
            feedback=task.reason if task.current_attempt > 1 else None,
        ),
        author=Author(name=name or NOBODY.name, email=email or NOBODY.email),
        timeout_s=settings.coder_timeout_s,
        env=settings.env,
    )
