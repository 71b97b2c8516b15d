"""A runner for one task: which that is, and whether it is over. In the transaction of a claim."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from steroids.services.demand import BEGUN
from steroids.services.prospects import FOR_A_PERSON
from steroids.store import project_models as db
from steroids.wire.task import ENDED, TaskStatus


@dataclass(frozen=True)
class State:
    section_id: str
    status: str
    for_a_person: bool
    """Nothing goes on with it until somebody has looked."""

    @property
    def over(self) -> bool:
        """No runner has anything to do for it, or to wait for, as it is."""
        return self.status in ENDED or self.for_a_person

    @property
    def pending(self) -> bool:
        return self.status == TaskStatus.PENDING

    @property
    def begun(self) -> bool:
        return self.status in BEGUN


def task_of(session: Session, runner_id: str) -> str | None:
    """Id of the task that the runner has worked on; none: it has not begun one yet."""
    mine = select(db.Attempt.task_id).where(db.Attempt.runner_id == runner_id)
    return session.exec(mine.limit(1)).first()


def state_of(session: Session, task_id: str) -> State:
    query = select(db.Task.section_id, db.Task.status, FOR_A_PERSON)
    section_id, status, held = session.exec(query.where(col(db.Task.id) == task_id)).one()
    return State(section_id, status, bool(held))
