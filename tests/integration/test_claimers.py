"""Many who claim at once: each task is given out once, and never two of a section at a time."""

from pathlib import Path

from sqlmodel import col, func, select

from steroids.store import project_models as db
from steroids.store.session import Store
from steroids.wire.task import TaskStatus
from tests.support.claimers import Fleet, fill
from tests.support.stores import Place, race

SECTIONS = 40
TASKS = 5000


def check(store: Store, claimed: list[tuple[str, int]], tasks: int) -> None:
    """What the claimers were told (ids of tasks and fences) is in the store, and all of it."""
    with store.read() as session:
        ids = sorted(session.exec(select(db.Task.id)))
        assert sorted(task_id for task_id, _ in claimed) == ids
        done = select(func.count()).where(col(db.Task.status) == TaskStatus.COMPLETED)
        assert session.exec(done).one() == len(ids) == tasks
        begun = session.exec(select(db.Attempt.task_id, db.Attempt.number)).all()
        assert sorted(begun) == [(each, 1) for each in ids]
        told = session.exec(select(db.Event.task_id).where(db.Event.kind == "claimed"))
        assert sorted(each for each in told if each) == ids
        moves = select(db.Audit.task_id, db.Audit.from_status, db.Audit.to_status)
        moved = session.exec(moves.order_by(col(db.Audit.id))).all()
        assert session.exec(select(db.Lease)).all() == []
    assert {tuple(each)[1:] for each in moved} == {("pending", "in_progress")}
    # In the order of the transactions, the fences grow.
    fence_of = dict(claimed)
    assert [fence_of[task_id] for task_id, _, _ in moved] == list(range(1, tasks + 1))


def test_32_claimers_give_out_each_task_once(place: Place) -> None:
    store = place.open("project")
    fill(store, SECTIONS, TASKS)
    fleet = Fleet(store, 32, watched=True)
    fleet.run()
    check(store, [(each.task_id, each.fence) for each in fleet.claimed], TASKS)


def test_4_processes_of_8_claimers_give_out_each_task_once(place: Place, tmp_path: Path) -> None:
    """They know nothing of each other: what holds is in the store alone."""
    store = place.open("project")
    fill(store, SECTIONS, TASKS // 5)
    reports = [tmp_path / f"claimed{number}" for number in range(4)]
    race([place.python("tests.support.claimers", str(report), "8") for report in reports])
    told = [line.split() for report in reports for line in report.read_text().splitlines()]
    check(store, [(task_id, int(fence)) for task_id, fence in told], TASKS // 5)
