"""The registry of commits: which belong to which task and attempt."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from steroids.errors import NotFound
from steroids.services import tasks
from steroids.services.host import OpenProject
from steroids.store import project_models as db
from steroids.wire.commit import Attempt, Commit, Diff
from steroids.wire.verdict import Decision, Given


def attempt_ref(task_id: str, attempt: int) -> str:
    """Where an attempt's tip is kept for good."""
    return f"refs/steroids/tasks/{task_id}/{attempt}"


def register(
    session: Session, project: OpenProject, task: db.Task, base: str, tip: str
) -> list[db.TaskCommit]:
    """Register what of base..tip is not known yet as the task's current attempt's."""
    known = {row.hash for row in of_task(session, task.id)}
    new: list[db.TaskCommit] = []
    for commit in project.mirror.commits(base, tip):
        if commit.hash in known:
            continue
        row = db.TaskCommit(
            task_id=task.id,
            attempt=task.current_attempt,
            position=len(known) + len(new),
            hash=commit.hash,
            message=commit.message,
            author=f"{commit.author_name} <{commit.author_email}>",
            created_at=commit.authored_at,
        )
        session.add(row)
        new.append(row)
    return new


def of_task(session: Session, task_id: str) -> Sequence[db.TaskCommit]:
    """Oldest first."""
    return session.exec(
        select(db.TaskCommit)
        .where(db.TaskCommit.task_id == task_id)
        .order_by(col(db.TaskCommit.position))
    ).all()


def judge(session: Session, task: db.Task, status: str, reason: str | None = None) -> None:
    """Give the current attempt's commits its verdict."""
    for row in of_task(session, task.id):
        if row.attempt == task.current_attempt:
            row.status, row.rejection_reason = status, reason
            session.add(row)


def current_attempt(session: Session, task: db.Task) -> db.Attempt | None:
    return session.exec(
        select(db.Attempt)
        .where(db.Attempt.task_id == task.id)
        .order_by(col(db.Attempt.number).desc())
    ).first()


def listing(project: OpenProject, word: str) -> list[Commit]:
    with project.store.read() as session:
        rows = of_task(session, tasks.named(session, word).id)
    return [
        Commit(
            hash=row.hash,
            task_id=row.task_id,
            attempt=row.attempt,
            message=row.message,
            author=row.author,
            created_at=row.created_at,
            status=row.status,
            rejection_reason=row.rejection_reason,
            landed_hash=row.landed_hash,
        )
        for row in rows
    ]


def attempts(project: OpenProject, word: str) -> list[Attempt]:
    with project.store.read() as session:
        task = tasks.named(session, word)
        query = select(db.Attempt).where(db.Attempt.task_id == task.id)
        rows = session.exec(query.order_by(col(db.Attempt.number))).all()
        given = select(db.Verdict).where(db.Verdict.task_id == task.id)
        verdicts = session.exec(given.order_by(col(db.Verdict.id))).all()
    return [
        Attempt(
            number=row.number,
            status=row.status,
            base_commit=row.base_commit,
            tip=row.tip,
            reason=row.reason,
            files=row.files,
            added=row.added,
            removed=row.removed,
            outside=row.outside,
            verdicts=[_given(each) for each in verdicts if each.attempt == row.number],
            started_at=row.started_at,
            finished_at=row.finished_at,
        )
        for row in rows
    ]


def _given(row: db.Verdict) -> Given:
    return Given(
        attempt=row.attempt,
        tip=row.tip,
        reviewer=row.reviewer,
        decision=Decision(row.decision),
        reasons=row.reasons,
        files=row.files,
        actor=row.actor,
        at=row.at,
        duration_s=row.duration_s,
    )


def diff(project: OpenProject, word: str, *, attempt: int | None, whole: bool, stat: bool) -> Diff:
    """What an attempt changed (default: the newest), or with `whole` the task since its base."""
    with project.store.read() as session:
        task = tasks.named(session, word)
        query = select(db.Attempt).where(db.Attempt.task_id == task.id)
        rows = {row.number: row for row in session.exec(query)}
    if not rows and attempt is None:
        return Diff(base=None, tip=None, diff="")
    number = task.current_attempt if attempt is None else attempt
    if number not in rows:
        raise NotFound(
            f"Task '{task.title}' has no attempt {number}",
            hint=f"steroids tasks show {task.id[:8]}",
        )
    base = task.base_commit if whole else rows[number].base_commit
    tip = task.latest_commit if whole else rows[number].tip
    if base is None or tip is None:
        return Diff(base=base, tip=tip, diff="")
    raw = project.mirror.diff(base, tip, stat=stat)
    return Diff(base=base, tip=tip, diff=raw.decode("utf-8", "replace"))
