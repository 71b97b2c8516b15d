"""The stores against the model: who has what, in which state everything is, how it got there."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from sqlmodel import col, select

from steroids.services.transitions import ALLOWED
from steroids.store import project_models as db
from steroids.wire.task import TaskStatus as S
from tests.support.lock_model import UNDER_WAY, Job, Model, collide
from tests.support.lock_world import World


def check(world: World, model: Model, landed: Sequence[str]) -> None:
    with world.project.store.read() as session:
        leases = session.exec(select(db.Lease)).all()
        tasks = {each.id: each for each in session.exec(select(db.Task))}
        attempts = session.exec(select(db.Attempt).order_by(col(db.Attempt.number))).all()
        trail = session.exec(select(db.Audit).order_by(col(db.Audit.id))).all()
        fence = session.get(db.Counter, "fence")
    _nobody_beside_another(model, leases)
    _each_has_its_own(model, tasks, leases)
    assert set(tasks) == set(model.jobs), "a task was lost"
    of_task: dict[str, list[db.Attempt]] = defaultdict(list)
    for attempt in attempts:
        of_task[attempt.task_id].append(attempt)
    ways: dict[str, list[db.Audit]] = defaultdict(list)
    for step in trail:
        ways[step.task_id].append(step)
    for job in model.jobs.values():
        row = tasks[job.id]
        assert row.status == job.status, f"T{job.position} is {row.status}, not {job.status}"
        counts = (row.infrastructure_failures, row.rejection_count, row.landing_failures)
        assert counts == (job.lost, job.rejected, job.conflicts), f"T{job.position} was miscounted"
        _attempts_follow_each_other(job, row, of_task[job.id])
        _way_is_allowed(job, ways[job.id])
    assert Counter(landed) == Counter(j.id for j in model.jobs.values() if j.status is S.COMPLETED)
    assert (fence.value if fence else 0) == model.last_fence


def _nobody_beside_another(model: Model, leases: Sequence[db.Lease]) -> None:
    """By what was related when each was claimed, and by the table alone."""
    under_way = [job for job in model.under_way() if job.need]
    for one, other in itertools.combinations(under_way, 2):
        assert one.need and other.need
        why = collide(one.need, other.need)
        assert why is None, f"{why}: T{one.position} and T{other.position}"
    shared: dict[str, list[db.Lease]] = defaultdict(list)
    for lease in leases:
        shared[lease.resource].append(lease)
    for resource, held in shared.items():
        assert len(held) == 1 or not any(each.exclusive for each in held), f"two have {resource}"


def _each_has_its_own(
    model: Model, tasks: Mapping[str, db.Task], leases: Sequence[db.Lease]
) -> None:
    held: dict[str, list[db.Lease]] = defaultdict(list)
    for lease in leases:
        held[lease.task_id or ""].append(lease)
    for task_id in held:
        assert task_id in tasks and S(tasks[task_id].status) in UNDER_WAY, "a lock of nobody's"
    for job in model.under_way():
        assert job.need is not None
        rows = held[job.id]
        names = sorted((each.resource, each.exclusive) for each in rows)
        assert names == sorted(job.need.rows()), f"T{job.position} has not its locks"
        assert {(each.fence, each.runner_id) for each in rows} == {(job.fence, job.runner)}
        ends = {each.expires_at for each in rows}
        assert ends == {job.expires_at}, f"the locks of T{job.position} end at another time"


def _attempts_follow_each_other(job: Job, row: db.Task, attempts: Sequence[db.Attempt]) -> None:
    numbers = [each.number for each in attempts]
    assert numbers == list(range(1, job.attempts + 1)) and row.current_attempt == job.attempts
    open_ = [each.number for each in attempts if each.status in ("running", "interrupted")]
    going_on = job.status is S.IN_PROGRESS or job.interrupted
    assert open_ == ([job.attempts] if going_on else []), "attempts that nobody has ended"


def _way_is_allowed(job: Job, way: Sequence[db.Audit]) -> None:
    added, *moves = way
    assert (added.from_status, added.to_status) == (None, S.PENDING), "it was never added"
    here = S.PENDING
    for step in moves:
        assert step.from_status == here, f"T{job.position} was not {step.from_status}"
        assert step.to_status in ALLOWED[here]
        here = S(step.to_status)
    assert here is job.status, f"how T{job.position} became {job.status} is not written down"
    assert sum(step.to_status == S.COMPLETED for step in way) <= 1, "done twice"
