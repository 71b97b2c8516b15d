"""Leases over time, with real git and SQLite: renewed, expired, fenced off, released."""

from datetime import timedelta

import pytest
from sqlmodel import select

from steroids.errors import LeaseLost, NotFound
from steroids.services import builds, leases, reports, runners
from steroids.services.clock import steady_now
from steroids.services.leases import LockHeld
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store import runners as rows
from steroids.wire.assignment import Assignment, Heartbeat, Outcome
from steroids.wire.runner import Role, RunnerStatus
from steroids.wire.task import Task, TaskStatus
from tests.support.service import Bench


def claimed(project: Bench, section: str = "API") -> tuple[Task, home.Runner, Assignment]:
    project.section(section)
    task = project.task(f"Work in {section}", section)
    runner = project.runner(section)
    assignment = project.claim(runner)
    assert assignment is not None
    return task, runner, assignment


def let_expire(project: Bench) -> None:
    """As if nobody had been heard for longer than a lease lasts."""
    with project.project.store.write() as session:
        for lease in session.exec(select(db.Lease)):
            if lease.expires_at is not None:
                lease.expires_at = steady_now() - timedelta(seconds=1)
                session.add(lease)


def test_a_heartbeat_renews_and_says_whose_the_task_is(project: Bench) -> None:
    _, runner, assignment = claimed(project)
    let_expire(project)
    assert reports.heartbeat(project.host, runner, Heartbeat(fence=assignment.fence))
    assert leases.end_stale(project.host, project.project) == 0
    assert not reports.heartbeat(project.host, runner, Heartbeat(fence=assignment.fence + 1))


def test_a_lease_that_ran_out_gives_the_task_back_and_fences_its_runner_off(project: Bench) -> None:
    task, runner, assignment = claimed(project)
    let_expire(project)
    assert leases.end_stale(project.host, project.project) == 1
    now = project.look(task)
    assert (now.status, now.infrastructure_failures) == (TaskStatus.PENDING, 1)
    assert not reports.heartbeat(project.host, runner, Heartbeat(fence=assignment.fence))
    tip = project.work(assignment, "late", {"x": "1\n"})
    with pytest.raises(LeaseLost):
        project.submit(runner, assignment, tip)
    again = project.claim(runner)
    assert again is not None and again.fence > assignment.fence
    with pytest.raises(LeaseLost):
        project.submit(runner, assignment, tip)


def test_what_the_controller_holds_does_not_run_out(project: Bench) -> None:
    task, runner, assignment = claimed(project)
    project.submit(runner, assignment, project.work(assignment, "work", {"x": "1\n"}))
    let_expire(project)
    assert leases.end_stale(project.host, project.project) == 0
    assert project.look(task).status is TaskStatus.REVIEW
    assert leases.listing(project.host, project.project)


def test_a_started_controller_gives_everybody_the_time_to_be_heard(project: Bench) -> None:
    task, _, _ = claimed(project)
    let_expire(project)
    leases.renew_all(project.host, project.project)
    assert leases.end_stale(project.host, project.project) == 0
    assert project.look(task).status is TaskStatus.IN_PROGRESS


def test_a_task_whose_runner_is_gone_goes_back(project: Bench) -> None:
    task, runner, _ = claimed(project)
    assert leases.end_stale(project.host, project.project) == 0
    runners.ended(project.host, runner.id, RunnerStatus.LOST)
    assert leases.end_stale(project.host, project.project) == 1
    now = project.look(task)
    assert (now.status, now.infrastructure_failures) == (TaskStatus.PENDING, 1)
    assert leases.listing(project.host, project.project) == []


def test_infrastructure_failures_are_bounded_and_say_so(project: Bench) -> None:
    task, runner, _ = claimed(project)
    for _ in range(3):
        let_expire(project)
        leases.end_stale(project.host, project.project)
        project.claim(runner)
    now = project.look(task)
    assert (now.status, now.infrastructure_failures) == (TaskStatus.FAILED, 3)
    assert now.reason is not None and "3 runners were lost" in now.reason


def test_releasing_a_living_runners_lock_needs_force_and_tells_it(project: Bench) -> None:
    task, runner, assignment = claimed(project)
    held = leases.listing(project.host, project.project)
    section = next(each for each in held if each.name == "section API")
    with pytest.raises(LockHeld) as caught:
        leases.release(project.host, project.project, "section API", force=False)
    assert caught.value.exit_code == 6 and runner.id[:8] in caught.value.message
    assert f"steroids locks release {section.id} --force" in str(caught.value.hint)
    released = leases.release(project.host, project.project, str(section.id), force=True)
    assert {each.id for each in released} == {each.id for each in held}, "all of the task's"
    assert not reports.heartbeat(project.host, runner, Heartbeat(fence=assignment.fence))
    now = project.look(task)
    assert (now.status, now.infrastructure_failures) == (TaskStatus.PENDING, 0)


def test_a_lock_under_review_cannot_be_released(project: Bench) -> None:
    _, runner, assignment = claimed(project)
    project.submit(runner, assignment, project.work(assignment, "work", {"x": "1\n"}))
    with pytest.raises(LockHeld, match="is being reviewed"):
        leases.release(project.host, project.project, "section API", force=True)
    with pytest.raises(NotFound):
        leases.release(project.host, project.project, "section Nowhere", force=True)


def test_cleanup_looks_first_when_asked(project: Bench) -> None:
    task, runner, _ = claimed(project)
    assert leases.cleanup(project.host, project.project, dry_run=False) == []
    runners.ended(project.host, runner.id, RunnerStatus.LOST)
    found = leases.cleanup(project.host, project.project, dry_run=True)
    assert found and project.look(task).status is TaskStatus.IN_PROGRESS
    assert leases.cleanup(project.host, project.project, dry_run=False) == found
    assert project.look(task).status is TaskStatus.PENDING


def test_shared_resources_are_used_by_one_build_at_a_time(project: Bench) -> None:
    (project.host.path / "config.yaml").write_text("shared_resources: [simulator, seed]\n")
    project.section("API")
    project.section("Web")
    api, web = project.runner("API"), project.runner("Web")
    assert builds.begin(project.host, api)
    assert builds.begin(project.host, api), "asked again, since the answer may have got lost"
    assert not builds.begin(project.host, web)
    listed = {each.id: each for each in runners.listing(project.host, project.project)}
    assert listed[web.id].waits_for == "a turn with seed"
    assert {each.name for each in leases.listing(project.host, project.project)} == {
        "resource simulator",
        "resource seed",
    }
    builds.end(project.host, api)
    assert builds.begin(project.host, web)
    let_expire(project)
    assert builds.begin(project.host, api), "whoever is not heard of has lost its turn"


def test_a_build_of_a_dead_container_is_nobodys_turn(project: Bench) -> None:
    (project.host.path / "config.yaml").write_text("shared_resources: [simulator]\n")
    with project.host.store.write() as session:
        row, _ = rows.register(
            session,
            project_id=project.project.id,
            role=Role.SETUP,
            section_id=None,
            engine="fake",
            engine_address="x",
        )
    assert builds.begin(project.host, row)
    runners.ended(project.host, row.id, RunnerStatus.STOPPED)
    leases.end_stale(project.host, project.project)
    assert leases.listing(project.host, project.project) == []


def test_what_waits_for_others_to_finish_does_not_hold_them_up(project: Bench) -> None:
    """An exclusive section that waits goes first; but not when it waits for just these."""
    project.section("API")
    project.section("Release", exclusive=True, after=("API",))
    project.task("Work", "API")
    project.task("Release it", "Release")
    release, api = project.runner("Release"), project.runner("API")
    assert project.claim(release) is None
    listed = {each.id: each for each in runners.listing(project.host, project.project)}
    assert listed[release.id].waits_for == "API to be finished"
    assert project.claim(api) is not None


def test_a_refused_push_lets_go_those_who_would_wait_for_ever(project: Bench) -> None:
    task, runner, assignment = claimed(project)
    project.section("Infra", exclusive=True)
    project.task("Move everything", "Infra")
    project.submit(runner, assignment, project.work(assignment, "work", {"x": "1\n"}))
    with project.project.store.write() as session:
        row = session.get_one(db.Task, task.id)
        row.status, row.push_refused = TaskStatus.APPROVED, True
        session.add(row)
    stop = project.claim(project.runner("Infra"))
    assert stop is not None and stop.reason == "drained"


def test_a_failed_submission_leaves_no_lease(project: Bench) -> None:
    _, runner, assignment = claimed(project)
    project.submit(runner, assignment, outcome=Outcome.UNUSABLE, reason="no script")
    assert leases.listing(project.host, project.project) == []


def test_a_section_behind_a_refused_push_does_not_hold_up_the_others(project: Bench) -> None:
    """It waits for a person, so its turn would be everybody's wait."""
    task, runner, assignment = claimed(project)
    project.section("Types")
    project.section("App", "Types")
    project.task("Types first", "Types")
    project.task("App", "App")
    project.submit(runner, assignment, project.work(assignment, "work", {"x": "1\n"}))
    with project.project.store.write() as session:
        row = session.get_one(db.Task, task.id)
        row.status, row.push_refused = TaskStatus.APPROVED, True
        lease = session.exec(select(db.Lease).where(db.Lease.resource == "project")).one()
        types = next(s for s in session.exec(select(db.Section)) if s.name == "Types")
        session.add_all(
            [
                row,
                db.Lease(
                    **{**lease.model_dump(), "id": None} | {"resource": f"section:{types.id}"}
                ),
            ]
        )
    waiting = project.runner("Types", keep=True)
    assert project.claim(waiting) is None
    with project.host.store.write() as session:
        waited = session.get_one(home.Runner, waiting.id)
        waited.waits_since = steady_now() - timedelta(hours=1)
        session.add(waited)
    assert project.claim(project.runner("App")) is not None
