"""The ends of an attempt: given back, rejected, in conflict, failed, disputed, approved.

Each works within the caller's transaction and releases the task's leases where the task leaves
the runner's and the landing's hands.
"""

from sqlmodel import Session, col, delete

from steroids.services import commits
from steroids.services.events import record
from steroids.services.transitions import move
from steroids.settings import Settings
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus


def release(session: Session, task_id: str) -> None:
    session.exec(delete(db.Lease).where(col(db.Lease.task_id) == task_id))


def approve(
    session: Session,
    task: db.Task,
    *,
    section: str,
    actor: str,
    tree: str | None,
    overridden: bool = False,
    reason: str | None = None,
) -> None:
    """`tree` is the content that its reviewers saw, none when nobody did. `overridden`: a person
    approves it against, or without, the other reviewers, so that landing asks no check again."""
    _close_attempt(session, task, "approved", None)
    commits.judge(session, task, "approved")
    task.approved_at = utc_now()
    task.approved_tree, task.overridden = tree, overridden
    task.squash_commit = None
    task.reason = None
    move(session, task, TaskStatus.APPROVED, actor=actor, reason=reason)
    text = f"approved by {actor}{', whatever others say' if overridden else ''}"
    about = {"actor": actor, "overridden": overridden}
    record(session, EventKind.APPROVED, text, section=section, task=task, data=about)


def reject(
    session: Session,
    task: db.Task,
    reason: str,
    *,
    section: str,
    actor: str,
    settings: Settings,
    reviewer: str | None = None,
) -> None:
    """Back to pending for another attempt, which starts from this one's tip; or disputed.

    `reviewer` is whose verdict that is; none: its run or its landing failed.
    """
    _close_attempt(session, task, "rejected", reason)
    commits.judge(session, task, "rejected", reason)
    task.rejection_count += 1
    task.reason = reason
    about = {"reviewer": reviewer, "actor": actor} if reviewer is not None else None
    record(session, EventKind.REJECTED, reason, section=section, task=task, data=about)
    if task.rejection_count >= settings.review.max_rejections:
        _dispute(session, task, f"rejected {task.rejection_count} times", section, actor)
    else:
        move(session, task, TaskStatus.PENDING, actor=actor, reason=reason)
    release(session, task.id)


def conflict(
    session: Session, task: db.Task, reason: str, *, section: str, settings: Settings
) -> None:
    """Landing met a conflict: the next attempt brings the work in anew (`bring_in_anew`)."""
    _close_attempt(session, task, "conflict", reason)
    task.landing_failures += 1
    task.reason = reason
    bring_in_anew(task)
    for commit in commits.of_task(session, task.id):
        # A push may have lost a race before: what it was to push has never been there.
        commit.landed_hash = None
        session.add(commit)
    record(session, EventKind.CONFLICT, reason, section=section, task=task)
    if task.landing_failures >= settings.landing.max_failures:
        count = f"its landing conflicted {task.landing_failures} times"
        _dispute(session, task, count, section, "landing")
    else:
        move(session, task, TaskStatus.PENDING, actor="landing", reason=reason)
    release(session, task.id)


def bring_in_anew(task: db.Task) -> None:
    """The next attempt is to start at the target as it is then, in a workspace that has the work
    so far merged in. Until it begins nothing is changed: a person may still approve what there is.
    """
    task.squash_commit = task.latest_commit


def dispute(session: Session, task: db.Task, reason: str, *, section: str, actor: str) -> None:
    """A reviewer cannot decide: a person has to (`tasks dispute resolve`)."""
    _close_attempt(session, task, "disputed", reason)
    task.reason = reason
    _dispute(session, task, reason, section, actor)
    release(session, task.id)


def fail(session: Session, task: db.Task, reason: str, *, section: str, actor: str) -> None:
    _close_attempt(session, task, "failed", reason)
    task.reason = reason
    move(session, task, TaskStatus.FAILED, actor=actor, reason=reason)
    record(session, EventKind.ENDED, f"failed: {reason}", section=section, task=task)
    release(session, task.id)


def give_back(session: Session, task: db.Task, reason: str, *, section: str, actor: str) -> None:
    """To pending, the attempt to be continued by the next run; nobody's fault, nothing counted."""
    attempt = commits.current_attempt(session, task)
    if attempt is not None:
        attempt.status = "interrupted"
        session.add(attempt)
    move(session, task, TaskStatus.PENDING, actor=actor, reason=reason)
    record(session, EventKind.NOTICE, f"given back: {reason}", section=section, task=task)
    release(session, task.id)


def lost(session: Session, task: db.Task, reason: str, *, section: str, settings: Settings) -> None:
    """The machinery failed, not the task: given back, but not for ever."""
    task.infrastructure_failures += 1
    if task.infrastructure_failures >= settings.max_attempts_lost:
        count = f"{task.infrastructure_failures} runners were lost on it, the last: {reason}"
        fail(session, task, count, section=section, actor="reconcile")
    else:
        give_back(session, task, reason, section=section, actor="reconcile")


def _dispute(session: Session, task: db.Task, why: str, section: str, actor: str) -> None:
    move(session, task, TaskStatus.DISPUTED, actor=actor, reason=why)
    record(session, EventKind.ENDED, f"disputed: {why}", section=section, task=task)


def _close_attempt(session: Session, task: db.Task, status: str, reason: str | None) -> None:
    attempt = commits.current_attempt(session, task)
    if attempt is not None:
        attempt.status, attempt.reason, attempt.finished_at = status, reason, utc_now()
        session.add(attempt)
    # What the remote said was about what is not going to be pushed any more, and so was this.
    task.push_refused = False
    task.landing_hash = task.landing_branch = None
    task.awaits = None
