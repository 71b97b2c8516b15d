"""Taking in what a runner hands over: commits as a bundle, and how the agent's run ended."""

from pathlib import Path

from sqlmodel import Session, select

from steroids.errors import BundleRefused, LeaseLost
from steroids.git.bundle import take_in
from steroids.git.mirror import Mirror
from steroids.services import commits, delivery, outcomes
from steroids.services.delivery import Delivery
from steroids.services.events import record
from steroids.services.grants import INTERRUPTED
from steroids.services.host import Host, OpenProject
from steroids.settings import Settings
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.wire.assignment import Outcome, Submission
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus


def bundle_path(host: Host, runner_id: str) -> Path:
    """Where an upload waits to be taken in; out of every container's sight."""
    return host.path / "incoming" / f"{runner_id}.bundle"


def most_bytes(host: Host, runner: home.Runner) -> int:
    """How large a bundle of this runner may be."""
    return host.settings(host.project(runner.project_id)).max_bundle_bytes


def accept(host: Host, runner: home.Runner, body: Submission) -> None:
    """Take the commits in and move the task on; idempotent, since an answer may get lost.

    The commits come first, under a ref of the runner's own; the attempt's ref is only ever written
    by the task's owner, in the transaction that writes the same tip to the store. So whoever is
    late, or comes twice, or died in between, moves no ref, and what was not heard of is sent again.

    Raises `LeaseLost` when the task is no longer this runner's, `BundleRefused` when the commits
    are not what a runner may hand over; the task then stays as it is.
    """
    project = host.project(runner.project_id)
    settings = host.settings(project)
    incoming = f"refs/steroids/incoming/{runner.id}"
    with project.store.read() as session:
        if _taken_before(session, body):
            bundle_path(host, runner.id).unlink(missing_ok=True)
            return
        task = _owned(session, runner, body)
        attempt = commits.current_attempt(session, task)
    assert attempt is not None
    try:
        found = _take_in(host, project, runner, task, attempt, body, incoming, settings)
        with project.store.write() as session:
            # Its own first call may have come to an end while this one, sent again, was working.
            if not _taken_before(session, body):
                task = _owned(session, runner, body)
                section = session.get_one(db.Section, task.section_id)
                _register(session, project, task, section, runner, found)
                actor = f"runner {runner.id[:8]}"
                outcomes.conclude(session, task, section, body, actor, settings, found)
    finally:
        project.mirror.delete_ref(incoming)
    bundle_path(host, runner.id).unlink(missing_ok=True)
    host.changed()


def _take_in(
    host: Host,
    project: OpenProject,
    runner: home.Runner,
    task: db.Task,
    attempt: db.Attempt,
    body: Submission,
    ref: str,
    settings: Settings,
) -> Delivery:
    """Have the mirror know the tip. An agent may rewrite all that the task has, not more."""
    mirror, start, base = project.mirror, task.latest_commit, task.base_commit
    assert start is not None and base is not None
    if body.tip != start and delivery.takes_back(mirror, body.tip, start):
        if not mirror.is_ancestor(base, body.tip):
            raise BundleRefused(
                f"The tip {body.tip[:12]} does not build on {base[:12]}, where the task began",
                hint="rebase the commits onto it",
            )
    elif body.tip != start:
        take_in(
            mirror,
            bundle_path(host, runner.id),
            tip=body.tip,
            base=base,
            ref=ref,
            max_bytes=settings.max_bundle_bytes,
        )
    bases = {"task_base": base, "base": attempt.base_commit}
    return delivery.look(mirror, **bases, start=start, tip=body.tip)


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
    section: db.Section,
    runner: home.Runner,
    found: Delivery,
) -> None:
    attempt = commits.current_attempt(session, task)
    assert attempt is not None
    _keep(project.mirror, task, found.tip)
    for row in commits.register(session, project, task, attempt.base_commit, found.tip):
        first_line = row.message.splitlines()[0] if row.message.strip() else "(no message)"
        about = {"hash": row.hash, "author": row.author}
        record(session, EventKind.COMMIT, first_line, section=section.name, task=task, data=about)
    attempt.tip = task.latest_commit = found.tip
    attempt.status = "review"
    attempt.files, attempt.added, attempt.removed = found.files, found.added, found.removed
    attempt.outside = delivery.outside_of(section.paths, found)[: outcomes.MOST_OUTSIDE]
    session.add(attempt)
    session.add(task)
    plural = "" if found.commits == 1 else "s"
    record(
        session,
        EventKind.SUBMITTED,
        f"submitted {found.commits} commit{plural}  +{found.added} -{found.removed}",
        section=section.name,
        runner_id=runner.id,
        task=task,
        data={
            "commits": found.commits,
            "files": found.files,
            "added": found.added,
            "removed": found.removed,
        },
    )
    if found.rewrote:
        text = "rewrote commits of earlier runs; they are kept"
        record(session, EventKind.NOTICE, text, section=section.name, task=task)


def _keep(mirror: Mirror, task: db.Task, tip: str) -> None:
    """Point the attempt's ref at its tip; one that was there and is no part of it stays kept."""
    ref = commits.attempt_ref(task.id, task.current_attempt)
    before = mirror.resolve(ref)
    if before is not None and not mirror.is_ancestor(before, tip):
        mirror.set_ref(f"refs/steroids/kept/{task.id}/{before}", before)
    mirror.set_ref(ref, tip)
