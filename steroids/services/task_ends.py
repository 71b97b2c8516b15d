"""A person takes a task out of the work, or puts it back in."""

from sqlmodel import Session, col, select

from steroids.errors import WrongState
from steroids.services import commits, task_order, tasks, verdicts
from steroids.services.events import record
from steroids.services.host import Host, OpenProject
from steroids.services.transitions import move
from steroids.services.withdrawing import withdrawing
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.event import EventKind
from steroids.wire.task import Task
from steroids.wire.task import TaskStatus as S

OPEN_ATTEMPT = ("running", "interrupted", "review", "approved")
SENT_BACK = ("rejected", "conflict", "disputed")
MAX_REASON_CHARS = 20_000
TO_REMOVE = frozenset({S.PENDING, S.BLOCKED, S.FAILED, S.DISPUTED, S.SKIPPED, S.COMPLETED})


def skip(host: Host, project: OpenProject, word: str, reason: str | None = None) -> Task:
    """Nobody works on it, reviews or lands it, until it is retried. Its commits are kept.

    Raises `WrongState` for one that a runner works on, or that is at its end, and `Busy` while its
    commits are on their way to the target.
    """
    while True:
        with project.store.read() as session:
            seen = tasks.named(session, word)
        with withdrawing(host, project, seen.id), project.store.write() as session:
            row = session.get_one(db.Task, seen.id)
            if row.status == S.APPROVED and seen.status != S.APPROVED:
                # Between the two looks: whether its commits are on their way is not known.
                continue
            _refuse_skip(session, row)
            take_out(session, row, _cleaned(reason))
            session.flush()
            skipped = tasks.shown(session, row)
        host.changed()
        return skipped


def _cleaned(reason: str | None) -> str | None:
    return (reason or "").replace("\0", "").strip()[:MAX_REASON_CHARS] or None


def take_out(session: Session, row: db.Task, reason: str | None) -> None:
    """To `skipped`, from any state that may become that; its attempt ends and its locks go."""
    attempt = commits.current_attempt(session, row)
    if attempt is not None and attempt.status in OPEN_ATTEMPT:
        attempt.status, attempt.reason, attempt.finished_at = "skipped", reason, utc_now()
        session.add(attempt)
    row.push_refused, row.awaits, row.reason = False, None, reason
    row.landing_hash = row.landing_branch = None
    move(session, row, S.SKIPPED, actor=tasks.USER, reason=reason)
    section = session.get_one(db.Section, row.section_id)
    text = "skipped" + (f": {reason}" if reason else "")
    record(session, EventKind.NOTICE, f"'{row.title}' {text}", section=section.name, task=row)
    verdicts.release(session, row.id)


def _refuse_skip(session: Session, row: db.Task) -> None:
    section = session.get_one(db.Section, row.section_id).name
    hints = {
        S.IN_PROGRESS: f"steroids runners stop --section '{section}'   (then skip it)",
        S.COMPLETED: f"steroids tasks revert {row.id[:8]}",
        S.SKIPPED: f"steroids tasks retry {row.id[:8]}",
    }
    if row.status in hints:
        verb = "is being worked on" if row.status == S.IN_PROGRESS else f"is {row.status} already"
        raise WrongState(f"Cannot skip '{row.title}': it {verb}", hint=hints[S(row.status)])


def retry(host: Host, project: OpenProject, word: str, reason: str | None = None) -> Task:
    """Have it worked on again, from the tip of its last attempt, with failures counted anew.

    For what failed, is disputed or was skipped; `reason` is told to the next attempt in place of
    why the last one was sent back. Raises `WrongState` for any other, and for one whose section
    was removed.
    """
    with project.store.write() as session:
        row = tasks.named(session, word)
        _refuse_retry(session, row)
        put_back(session, row, _cleaned(reason))
        session.flush()
        again = tasks.shown(session, row)
    host.changed()
    return again


def put_back(session: Session, row: db.Task, reason: str | None) -> None:
    """To `pending`, or `blocked` when what it comes after is not completed."""
    counts = (
        (row.rejection_count, "rejection"),
        (row.landing_failures, "landing failure"),
        (row.infrastructure_failures, "infrastructure failure"),
    )
    told = [f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counts if number]
    after_all = f"after {', '.join(told)}" if told else None
    row.rejection_count = row.landing_failures = row.infrastructure_failures = 0
    row.push_refused, row.awaits = False, None
    row.reason = reason or _last_rejection(session, row)
    status = task_order.begins_as(session, row.after)
    why = "; ".join(part for part in (reason, after_all) if part) or None
    move(session, row, status, actor=tasks.USER, reason=why)


def _last_rejection(session: Session, row: db.Task) -> str | None:
    """What the next attempt has to know: why the last one that was judged was sent back."""
    query = select(db.Attempt.reason).where(
        db.Attempt.task_id == row.id, col(db.Attempt.status).in_(SENT_BACK)
    )
    return session.exec(query.order_by(col(db.Attempt.number).desc())).first()


def _refuse_retry(session: Session, row: db.Task) -> None:
    short = row.id[:8]
    if row.status == S.APPROVED and row.push_refused:
        raise WrongState(
            f"'{row.title}' is approved, and the remote refused it: its commits are as they "
            "should be",
            hint="steroids push",
        )
    if row.status == S.COMPLETED:
        raise WrongState(
            f"'{row.title}' is completed",
            hint=f"steroids tasks revert {short}   (or a new one: steroids tasks add)",
        )
    if row.status not in (S.FAILED, S.DISPUTED, S.SKIPPED):
        raise WrongState(
            f"'{row.title}' is {row.status}: there is nothing to retry",
            hint=f"steroids tasks show {short}",
        )
    section = session.get_one(db.Section, row.section_id)
    if section.removed_at is not None:
        raise WrongState(
            f"Section {section.name} of '{row.title}' was removed",
            hint=f"steroids tasks edit {short} --section NAME",
        )


def remove(host: Host, project: OpenProject, word: str, *, dry_run: bool = False) -> Task:
    """Take it off all lists; its commits and its audit stay. With `dry_run` only say whether.

    Raises `WrongState` while it is worked on, reviewed or landed, `WaitedFor` while others wait
    for it.
    """
    with project.store.write() as session:
        row = tasks.named(session, word)
        if S(row.status) not in TO_REMOVE:
            raise WrongState(
                f"Cannot remove '{row.title}': it is {row.status}",
                hint=f"steroids tasks skip {row.id[:8]}   (then remove it)",
            )
        task_order.refuse_waited_for(session, row)
        if not dry_run:
            if row.status not in (S.COMPLETED, S.SKIPPED):
                take_out(session, row, "removed")
            row.removed_at = row.updated_at = utc_now()
            session.add(row)
            session.flush()
        removed = tasks.shown(session, row)
    host.changed()
    return removed
