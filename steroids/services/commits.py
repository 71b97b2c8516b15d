"""The registry of commits: which belong to which task and attempt."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from steroids.errors import NotFound
from steroids.services import tasks
from steroids.services.host import OpenProject
from steroids.store import project_models as db
from steroids.wire.commit import Commit
from steroids.wire.task import TaskStatus


def attempt_ref(task_id: str, attempt: int) -> str:
    """Where an attempt's tip is kept for good."""
    return f"refs/steroids/tasks/{task_id}/{attempt}"


def register(
    session: Session, project: OpenProject, task: db.Task, base: str, tip: str
) -> list[db.TaskCommit]:
    """Register what of base..tip is not known yet as the task's current attempt's.

    What is on the target already is nobody's here: an agent may have merged it in.
    """
    known = {row.hash for row in of_task(session, task.id)}
    new: list[db.TaskCommit] = []
    for commit in project.mirror.commits(base, tip, without=project.known.tip):
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


def check_attempt(session: Session, task: db.Task, number: int) -> None:
    """Raises `NotFound` when the task has no such attempt."""
    query = select(db.Attempt.number).where(db.Attempt.task_id == task.id)
    numbers = session.exec(query).all()
    if number not in numbers:
        there = f"it has {len(numbers)}" if numbers else "it has none yet"
        raise NotFound(
            f"Task '{task.title}' has no attempt {number}: {there}",
            hint=f"steroids tasks history {task.id[:8]}",
        )


def listing(project: OpenProject, word: str, *, attempt: int | None = None) -> list[Commit]:
    """Oldest first; an attempt's stay its own, whatever became of them. Raises `NotFound`."""
    with project.store.read() as session:
        task = tasks.named(session, word)
        if attempt is not None:
            check_attempt(session, task, attempt)
        rows = of_task(session, task.id)
    return [wire(row, task) for row in rows if attempt in (None, row.attempt)]


def wire(row: db.TaskCommit, task: db.Task) -> Commit:
    """What a landing has written down before its push is not shown as landed."""
    landed = task.status == TaskStatus.COMPLETED
    return Commit(
        hash=row.hash,
        task_id=row.task_id,
        attempt=row.attempt,
        message=row.message,
        author=row.author,
        created_at=row.created_at,
        status=row.status,
        rejection_reason=row.rejection_reason,
        landed_hash=row.landed_hash if landed else None,
    )
