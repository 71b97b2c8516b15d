"""What became of a task, from the store alone: no git process is asked."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from steroids.services import commits, tasks
from steroids.services.host import OpenProject
from steroids.services.reverted import reverted_by
from steroids.store import project_models as db
from steroids.wire.commit import Commit
from steroids.wire.history import History, Past
from steroids.wire.verdict import Decision, Given


def of(project: OpenProject, word: str) -> History:
    """Also of a task that was taken away. Raises `NotFound`, `Ambiguous`."""
    with project.store.read() as session:
        task = tasks.named(session, word, removed=True)
        back = reverted_by(session, task.id)
        return History(
            task=tasks.shown(session, task),
            attempts=past(session, task),
            reverted_by=back.id if back is not None else None,
        )


def past(session: Session, task: db.Task) -> list[Past]:
    """A task's attempts, the first one first."""
    rows = session.exec(
        select(db.Attempt).where(db.Attempt.task_id == task.id).order_by(col(db.Attempt.number))
    ).all()
    verdicts = session.exec(
        select(db.Verdict).where(db.Verdict.task_id == task.id).order_by(col(db.Verdict.id))
    ).all()
    found = [commits.wire(row, task) for row in commits.of_task(session, task.id)]
    return [
        _past(
            row,
            [_given(each) for each in verdicts if each.attempt == row.number],
            [each for each in found if each.attempt == row.number],
        )
        for row in rows
    ]


def is_anew(attempts: Sequence[Past], number: int) -> bool:
    """Whether that attempt starts elsewhere than where the one before it ended: at the target,
    with the work so far to be brought in again, since the two did not go together."""
    by_number = {each.number: each for each in attempts}
    before = by_number.get(number - 1)
    if before is None or before.tip is None:
        return False
    return before.tip != by_number[number].base_commit


def first_of(attempts: Sequence[Past], number: int) -> Past:
    """The attempt in which the work that this one goes on with was begun."""
    by_number = {each.number: each for each in attempts}
    while number - 1 in by_number and not is_anew(attempts, number):
        number -= 1
    return by_number[number]


def _past(row: db.Attempt, verdicts: list[Given], found: list[Commit]) -> Past:
    return Past(
        number=row.number,
        status=row.status,
        base_commit=row.base_commit,
        tip=row.tip,
        reason=row.reason,
        files=row.files,
        added=row.added,
        removed=row.removed,
        outside=row.outside,
        verdicts=verdicts,
        commits=found,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


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
