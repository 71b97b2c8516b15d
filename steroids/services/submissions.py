"""Taking in what a runner hands over: commits as a bundle, and how the agent's run ended."""

from pathlib import Path

from sqlmodel import Session, select

from steroids.errors import BundleRefused, LeaseLost
from steroids.git.bundle import take_in
from steroids.home import MARKER
from steroids.services import commits, verdicts
from steroids.services.events import record
from steroids.services.grants import INTERRUPTED
from steroids.services.host import Host, OpenProject
from steroids.services.ownership import is_host_state
from steroids.services.transitions import move
from steroids.settings import Settings
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.wire.assignment import Outcome, Submission
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus

MAX_BUNDLE_BYTES = 512 * 1024 * 1024


def bundle_path(host: Host, runner_id: str) -> Path:
    """Where an upload waits to be taken in; out of every container's sight."""
    return host.path / "incoming" / f"{runner_id}.bundle"


def accept(host: Host, runner: home.Runner, body: Submission) -> None:
    """Take the commits in and move the task on; idempotent, since an answer may get lost.

    Raises `LeaseLost` when the task is no longer this runner's, `BundleRefused` when the commits
    are not what a runner may hand over; the task then stays as it is.
    """
    project = host.project(runner.project_id)
    settings = host.settings(project)
    with project.store.read() as session:
        if _taken_before(session, body):
            return
        task = _owned(session, runner, body)
        start = task.latest_commit
        assert start is not None
    if body.tip != start:
        take_in(
            project.mirror,
            bundle_path(host, runner.id),
            tip=body.tip,
            base=start,
            ref=commits.attempt_ref(task.id, task.current_attempt),
            max_bytes=MAX_BUNDLE_BYTES,
        )
        _refuse_host_state(project, body.tip)
    with project.store.write() as session:
        task = _owned(session, runner, body)
        section = session.get_one(db.Section, task.section_id)
        _register(session, project, task, section.name, runner, body)
        _conclude(session, task, section, body, runner, settings)
    bundle_path(host, runner.id).unlink(missing_ok=True)
    host.changed()


def _refuse_host_state(project: OpenProject, tip: str) -> None:
    for path in project.mirror.tree(tip, [f":(icase){MARKER}"]):
        if is_host_state(path):
            raise BundleRefused(
                f"{path} is where Steroids keeps its own state on each host",
                hint="take it out of the commits",
            )


def _owned(session: Session, runner: home.Runner, body: Submission) -> db.Task:
    lease = session.exec(
        select(db.Lease).where(db.Lease.fence == body.fence, db.Lease.runner_id == runner.id)
    ).first()
    task = session.get(db.Task, lease.task_id) if lease and lease.task_id else None
    if task is None or task.id != body.task_id or task.status != TaskStatus.IN_PROGRESS:
        raise LeaseLost(f"Task {body.task_id[:8]} is no longer this runner's", hint="steroids ps")
    return task


def _taken_before(session: Session, body: Submission) -> bool:
    query = select(db.Attempt).where(
        db.Attempt.task_id == body.task_id, db.Attempt.number == body.attempt
    )
    attempt = session.exec(query).first()
    if attempt is None or attempt.tip != body.tip or attempt.status == "running":
        return False
    # What was handed over by a stop is in, but no end of the attempt: that is still to be refused.
    return (attempt.status == INTERRUPTED) == (body.outcome is Outcome.STOPPED)


def _register(
    session: Session,
    project: OpenProject,
    task: db.Task,
    section: str,
    runner: home.Runner,
    body: Submission,
) -> None:
    attempt = commits.current_attempt(session, task)
    assert attempt is not None
    for row in commits.register(session, project, task, attempt.base_commit, body.tip):
        first_line = row.message.splitlines()[0] if row.message.strip() else "(no message)"
        about = {"hash": row.hash, "author": row.author}
        record(session, EventKind.COMMIT, first_line, section=section, task=task, data=about)
    attempt.tip = body.tip
    attempt.status = "review"
    task.latest_commit = body.tip
    session.add(attempt)
    session.add(task)
    files, added, removed = project.mirror.counts(attempt.base_commit, body.tip)
    attempt.files, attempt.added, attempt.removed = files, added, removed
    count = len(project.mirror.commits(attempt.base_commit, body.tip))
    record(
        session,
        EventKind.SUBMITTED,
        f"submitted {count} commit{'' if count == 1 else 's'}  +{added} -{removed}",
        section=section,
        runner_id=runner.id,
        task=task,
        data={"commits": count, "files": files, "added": added, "removed": removed},
    )


def _conclude(
    session: Session,
    task: db.Task,
    section: db.Section,
    body: Submission,
    runner: home.Runner,
    settings: Settings,
) -> None:
    actor = f"runner {runner.id[:8]}"
    reason = (body.reason or "no reason given")[:20_000]
    match body.outcome:
        case Outcome.DONE:
            move(session, task, TaskStatus.REVIEW, actor=actor)
            _hold(session, task)
        case Outcome.FAILED:
            verdicts.reject(
                session, task, reason, section=section.name, actor=actor, settings=settings
            )
        case Outcome.UNUSABLE:
            verdicts.fail(session, task, reason, section=section.name, actor=actor)
        case Outcome.STOPPED:
            verdicts.give_back(session, task, reason, section=section.name, actor=actor)


def _hold(session: Session, task: db.Task) -> None:
    """From here on the controller holds the locks itself, until the task has landed."""
    for lease in session.exec(select(db.Lease).where(db.Lease.task_id == task.id)):
        lease.expires_at = None
        session.add(lease)
