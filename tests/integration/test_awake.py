"""Which projects a controller looks at by itself: nothing is lost by not looking at the others."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from steroids.services import awake, rousing
from steroids.services.host import Host, OpenProject
from steroids.services.jobs import Jobs
from steroids.services.reconcile import Reconciler
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.assignment import Outcome
from steroids.wire.runner import RunnerStatus
from steroids.wire.task import TaskStatus
from tests.support.projects import another
from tests.support.service import AtOnce, Bench


def restarted(project: Bench) -> tuple[Host, Reconciler]:
    """A new controller of the same home, which nobody has asked anything."""
    project.host.close()
    project.host = Host(project.host.path, lambda name: project.engine, lambda: None, lambda: None)
    reconciler = Reconciler(project.host, Jobs(AtOnce(), lambda: None))
    reconciler.adopt()
    return project.host, reconciler


def test_an_approved_task_lands_though_nobody_asks_the_next_controller(project: Bench) -> None:
    project.section("api")
    task = project.task("Add a line", "api")
    runner = project.runner("api")
    assignment = project.claim(runner)
    assert assignment is not None
    tip = project.work(assignment, "Add a line", {"apps/api/b": "2\n"})
    project.submit(runner, assignment, tip, outcome=Outcome.DONE)
    project.put(task, TaskStatus.APPROVED, approved_at=utc_now())
    with project.host.store.write() as session:
        session.get_one(home.Runner, runner.id).status = RunnerStatus.STOPPED
    _, reconciler = restarted(project)
    reconciler.tick()
    assert project.look(task).status == TaskStatus.COMPLETED
    assert project.origin_log()[0] == "Add a line"


def test_a_project_with_nothing_to_do_is_not_even_opened(project: Bench) -> None:
    project.section("api")
    project.task("Nobody has asked for a runner", "api")
    host, reconciler = restarted(project)
    reconciler.tick()
    assert host.opened(project.project.id) is None


@pytest.mark.parametrize("what", ["wanted", "leased", "in review", "single"])
def test_one_where_something_goes_on_is_seen_to_from_the_start(project: Bench, what: str) -> None:
    project.section("api")
    task = project.task("Work", "api")
    with project.project.store.write() as session:
        if what == "wanted":
            section = session.get_one(db.Section, task.section_id)
            section.wanted, section.skipped = "x", True
        if what == "leased":
            lease = db.Lease(resource="project", exclusive=True, runner_id="gone", fence=1)
            lease.expires_at = utc_now() + timedelta(hours=1)
            session.add(lease)
        if what == "in review":
            row = session.get_one(db.Task, task.id)
            row.status, row.awaits = TaskStatus.REVIEW, "human"
    if what == "single":
        with project.host.store.write() as session:
            session.get_one(home.Project, project.project.id).wanted = "x"
    host, reconciler = restarted(project)
    reconciler.tick()
    assert host.opened(project.project.id) is not None


def test_it_falls_asleep_and_whoever_opens_it_wakes_it(
    project: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, reconciler = project.host, Reconciler(project.host, Jobs(AtOnce(), lambda: None))

    def awake_now() -> bool:
        with host.store.read() as session:
            return bool(host.awake.rows(session))

    reconciler.tick()
    assert awake_now(), "somebody has just opened it"
    monkeypatch.setattr(awake, "LINGER_S", 0.0)
    reconciler.tick()
    assert not awake_now()
    host.open(host.projects()[0], wake=False)
    assert not awake_now()
    host.project(project.project.id)
    assert awake_now()
    project.section("api")
    task = project.task("Work", "api")
    project.put(task, TaskStatus.REVIEW)
    monkeypatch.setattr(reconciler, "_review", lambda *_: None)
    reconciler.tick()
    assert awake_now(), "a review goes on"
    project.put(task, TaskStatus.SKIPPED)
    reconciler.tick()
    assert not awake_now()
    project.runner("api")
    assert awake_now(), "it has a living runner"


def test_a_store_that_others_have_changed_is_looked_at_again(
    project: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put back from a backup, say: no request tells of it."""
    project.section("api")
    task = project.task("Work", "api")
    host, reconciler = restarted(project)
    monkeypatch.setattr(rousing, "EVERY_S", 0.0)
    reconciler.tick()
    assert host.opened(project.project.id) is None
    project.put(task, TaskStatus.REVIEW, awaits="human")
    reconciler.tick()
    assert host.opened(project.project.id) is not None


def test_the_first_look_gives_runners_time_to_be_heard(project: Bench) -> None:
    """Their leases have expired while there was no controller to renew them."""
    project.section("api")
    task = project.task("Work", "api")
    runner = project.runner("api")
    assert project.claim(runner) is not None
    with project.project.store.write() as session:
        for lease in session.exec(select(db.Lease)):
            lease.expires_at = utc_now() - timedelta(hours=1)
            session.add(lease)
    reconciler = Reconciler(project.host, Jobs(AtOnce(), lambda: None))
    reconciler.tick()
    assert project.look(task).status == TaskStatus.IN_PROGRESS


def test_a_bug_with_one_project_keeps_no_other_from_its_turn(
    project: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By their paths: the other one comes first.
    other = another(project, tmp_path / "a")
    assert [row.id for row in project.host.projects()] == [other.id, project.project.id]
    _, reconciler = restarted(project)
    turns: list[str] = []

    def see_to(opened: OpenProject, row: home.Project) -> bool:
        turns.append(row.id)
        return 1 // (row.id != other.id) > 0

    for row in project.host.projects():
        project.host.open(row)
    monkeypatch.setattr(reconciler, "_project", see_to)
    with pytest.raises(ZeroDivisionError):
        reconciler.tick()
    assert turns == [other.id, project.project.id]
