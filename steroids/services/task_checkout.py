"""Bringing an attempt into the user's own repository."""

from sqlmodel import Session, col, select

from steroids.errors import GitError, NotFound, UsageError, WrongState
from steroids.git import repository
from steroids.git.refs import checked_branch
from steroids.services import tasks
from steroids.services.host import OpenProject
from steroids.services.naming import SHORT
from steroids.store import project_models as db
from steroids.wire.task import CheckedOut, TaskCheckout


def checkout(project: OpenProject, word: str, body: TaskCheckout) -> CheckedOut:
    """Point a branch of the user's repository at an attempt's tip; by default the newest that has
    one, as `steroids/<id>`. Neither the work tree nor any other ref is touched.

    Raises `NotFound` for an attempt that there is not, `WrongState` when it has not handed over
    anything yet, `UsageError` for a branch name that git does not allow, and `BranchBusy`.
    """
    with project.store.read() as session:
        task = tasks.named(session, word)
        attempt = _attempt(session, task, body.attempt)
    branch = _branch(body.branch or f"steroids/{task.id[:SHORT]}")
    assert attempt.tip is not None
    # By a ref of its own: of an attempt without commits there is no other.
    ref = f"refs/steroids/checkout/{task.id}/{attempt.number}"
    project.mirror.set_ref(ref, attempt.tip)
    created = repository.bring(project.path, project.mirror.path, ref, attempt.tip, branch)
    return CheckedOut(
        task_id=task.id,
        attempt=attempt.number,
        branch=branch,
        tip=attempt.tip,
        created=created,
    )


def _attempt(session: Session, task: db.Task, number: int | None) -> db.Attempt:
    hint = f"steroids tasks show {task.id[:SHORT]}"
    query = select(db.Attempt).where(db.Attempt.task_id == task.id)
    rows = session.exec(query.order_by(col(db.Attempt.number).desc())).all()
    chosen = [row for row in rows if row.number == number or number is None]
    if number is not None and not chosen:
        raise NotFound(f"Task '{task.title}' has no attempt {number}", hint=hint)
    found = next((row for row in chosen if row.tip is not None), None)
    if found is None:
        which = f"Attempt {number} of '{task.title}'" if number else f"'{task.title}'"
        raise WrongState(f"{which} has nothing to check out yet", hint=hint)
    return found


def _branch(name: str) -> str:
    try:
        return checked_branch(name)
    except GitError as error:
        raise UsageError(error.message, hint=error.hint) from None
