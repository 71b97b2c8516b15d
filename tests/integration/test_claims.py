import pytest
from sqlmodel import col, select

from steroids.errors import BundleRefused, LeaseLost, UsageError, WrongState
from steroids.services import commits, diffs, runners, submissions, transitions, verdicts
from steroids.store import project_models as db
from steroids.wire.assignment import Kind, Outcome
from steroids.wire.task import TaskStatus
from tests.support.service import Bench


def test_a_claim_takes_the_task_and_its_locks(project: Bench) -> None:
    project.section("Types")
    project.section("API", "Types")
    task = project.task("Add login", "API")
    assignment = project.claim(project.runner("API"))
    assert assignment is not None and assignment.kind is Kind.CODE
    assert assignment.checkout is not None and assignment.checkout.commit == project.first
    assert assignment.task is not None and assignment.task.attempt == 1
    now = project.look(task)
    assert (now.status, now.base_commit) == (TaskStatus.IN_PROGRESS, project.first)
    with project.project.store.read() as session:
        leases = session.exec(select(db.Lease)).all()
    assert {(lease.resource.split(":")[0], lease.exclusive) for lease in leases} == {
        ("section", True),
        ("section", False),
        ("project", False),
    }


def test_a_claim_whose_answer_got_lost_is_answered_the_same(project: Bench) -> None:
    project.section("API")
    project.task("One", "API")
    project.task("Two", "API")
    runner = project.runner("API")
    first, second = project.claim(runner), project.claim(runner)
    assert first is not None and second is not None
    assert (first.fence, first.task) == (second.fence, second.task)


def test_a_dependency_that_is_written_is_waited_for(project: Bench) -> None:
    project.section("Types")
    project.section("API", "Types")
    project.task("Change types", "Types")
    project.task("Use them", "API")
    types, api = project.runner("Types"), project.runner("API")
    writing = project.claim(types)
    assert writing is not None
    assert project.claim(api) is None
    row = next(each for each in runners.listing(project.host, project.project) if each.id == api.id)
    assert (row.status, row.waits_for) == ("waiting", "Types to finish 'Change types'")
    project.submit(types, writing, outcome=Outcome.FAILED, reason="no")
    assert project.claim(api) is not None


def test_an_exclusive_task_waits_for_all_and_then_for_none(project: Bench) -> None:
    project.section("API")
    project.section("Infra", exclusive=True)
    project.task("One", "API")
    project.task("Two", "API")
    project.task("Move everything", "Infra")
    api, infra = project.runner("API"), project.runner("Infra")
    working = project.claim(api)
    assert working is not None and project.claim(infra) is None
    project.submit(api, working, outcome=Outcome.UNUSABLE, reason="no")
    assert project.claim(api) is None, "the exclusive task waits already, so it is its turn"
    assert project.claim(infra) is not None
    assert project.claim(api) is None


def test_a_drained_section_stops_its_runner_unless_it_is_kept(project: Bench) -> None:
    project.section("API")
    project.section("Web")
    stop = project.claim(project.runner("API"))
    assert stop is not None and (stop.kind, stop.reason) == (Kind.STOP, "drained")
    assert project.claim(project.runner("Web", keep=True)) is None


def test_a_runner_waits_while_its_own_task_is_in_review(project: Bench) -> None:
    project.section("API")
    project.task("One", "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    project.submit(runner, assignment, project.work(assignment, "work", {"a": "b"}))
    assert project.claim(runner) is None


def test_a_submission_registers_exactly_its_commits(project: Bench) -> None:
    project.section("API")
    task = project.task("One", "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    project.work(assignment, "first step", {"apps/api/x": "1\n"})
    tip = project.agent.commit("second step", {"apps/api/y": "2\n"})
    project.submit(runner, assignment, tip)
    found = commits.listing(project.project, task.id)
    assert [(each.message.strip(), each.attempt, each.status) for each in found] == [
        ("first step", 1, "pending"),
        ("second step", 1, "pending"),
    ]
    ref = commits.attempt_ref(task.id, 1)
    assert project.project.mirror.resolve(ref) == tip
    assert project.look(task).status is TaskStatus.REVIEW
    shown = diffs.of(project.project, task.id, attempt=None, whole=False)
    assert "+1" in shown.diff and "+2" in shown.diff


def test_a_submission_sent_twice_counts_once(project: Bench) -> None:
    project.section("API")
    task = project.task("One", "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    tip = project.work(assignment, "work", {"x": "1\n"})
    project.submit(runner, assignment, tip)
    project.submit(runner, assignment, tip, upload=False)
    assert len(commits.listing(project.project, task.id)) == 1


def test_a_runner_that_lost_its_lease_cannot_upload(project: Bench) -> None:
    project.section("API")
    task = project.task("One", "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    tip = project.work(assignment, "work", {"x": "1\n"})
    with project.project.store.write() as session:
        row = session.get_one(db.Task, task.id)
        settings = project.host.settings(project.project)
        verdicts.lost(session, row, "gone", section="API", settings=settings)
    with pytest.raises(LeaseLost):
        project.submit(runner, assignment, tip)
    again = project.claim(runner)
    assert again is not None and again.fence > assignment.fence
    with pytest.raises(LeaseLost):
        project.submit(runner, assignment, tip)
    assert commits.listing(project.project, task.id) == []


def test_a_refused_bundle_leaves_the_task_as_it_was(project: Bench) -> None:
    project.section("API")
    task = project.task("One", "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    path = submissions.bundle_path(project.host, runner.id)
    path.parent.mkdir()
    path.write_bytes(b"# v2 git bundle\nnonsense")
    before = project.project.mirror.refs()
    with pytest.raises(BundleRefused):
        project.submit(runner, assignment, "f" * 40, upload=False)
    assert project.look(task).status is TaskStatus.IN_PROGRESS
    assert project.project.mirror.refs() == before


def test_rewritten_history_is_refused(project: Bench) -> None:
    project.section("API")
    project.task("One", "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    project.agent.git("checkout", "--quiet", "--orphan", "new")
    tip = project.agent.commit("I start again", {"x": "1\n"})
    path = submissions.bundle_path(project.host, runner.id)
    path.parent.mkdir()
    project.agent.git("update-ref", "refs/heads/steroids", tip)
    project.agent.git("bundle", "create", "-q", str(path), "refs/heads/steroids")
    with pytest.raises(BundleRefused):
        project.submit(runner, assignment, tip, upload=False)


def test_a_rejected_attempt_is_followed_by_one_that_has_its_work(project: Bench) -> None:
    project.section("API")
    task = project.task("One", "API")
    runner = project.runner("API")
    first = project.claim(runner)
    assert first is not None
    tip = project.work(first, "work", {"x": "1\n"})
    project.submit(runner, first, tip, outcome=Outcome.FAILED, reason="exited 3")
    second = project.claim(runner)
    assert second is not None and second.task is not None and second.checkout is not None
    assert (second.task.attempt, second.task.feedback) == (2, "exited 3")
    assert second.checkout.commit == tip
    assert project.look(task).rejection_count == 1


def test_an_interrupted_attempt_goes_on_from_what_was_uploaded(project: Bench) -> None:
    project.section("API")
    task = project.task("One", "API")
    runner = project.runner("API")
    first = project.claim(runner)
    assert first is not None
    tip = project.work(first, "half", {"x": "1\n"})
    project.submit(runner, first, tip, outcome=Outcome.STOPPED, reason="stopped")
    second = project.claim(runner)
    assert second is not None and second.task is not None and second.checkout is not None
    assert (second.task.attempt, second.checkout.commit) == (1, tip)
    now = project.look(task)
    assert (now.rejection_count, now.infrastructure_failures) == (0, 0)
    whole = project.work(second, "rest", {"y": "1\n"})
    project.submit(runner, second, whole)
    assert [each.message.strip() for each in commits.listing(project.project, task.id)] == [
        "half",
        "rest",
    ]


def test_lost_runners_are_counted_apart_and_not_for_ever(project: Bench) -> None:
    project.section("API")
    task = project.task("One", "API")
    runner = project.runner("API")
    settings = project.host.settings(project.project)
    for _ in range(settings.max_attempts_lost):
        assert project.claim(runner) is not None
        with project.project.store.write() as session:
            row = session.get_one(db.Task, task.id)
            verdicts.lost(session, row, "gone", section="API", settings=settings)
    now = project.look(task)
    assert (now.status, now.rejection_count) == (TaskStatus.FAILED, 0)
    assert now.reason is not None and "3 runners were lost" in now.reason


def test_a_transition_that_the_table_lacks_raises_and_changes_nothing(project: Bench) -> None:
    project.section("API")
    task = project.task("One", "API")
    with pytest.raises(WrongState), project.project.store.write() as session:
        row = session.get_one(db.Task, task.id)
        transitions.move(session, row, TaskStatus.COMPLETED, actor="test")
    assert project.look(task).status is TaskStatus.PENDING


def test_every_change_of_state_is_audited(project: Bench) -> None:
    project.section("API")
    task = project.task("One", "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    project.submit(runner, assignment, outcome=Outcome.UNUSABLE, reason="nothing to do")
    with project.project.store.read() as session:
        rows = session.exec(select(db.Audit).order_by(col(db.Audit.id))).all()
    assert [(row.from_status, row.to_status, row.reason) for row in rows] == [
        (None, "pending", None),
        ("pending", "in_progress", None),
        ("in_progress", "failed", "nothing to do"),
    ]
    assert project.look(task).reason == "nothing to do"


@pytest.mark.parametrize("title", ["", "  ", "a\x00b", "a\x1b[31mb", "x" * 201])
def test_a_title_that_could_do_harm_is_refused(project: Bench, title: str) -> None:
    project.section("API")
    with pytest.raises(UsageError):
        project.task(title, "API")


@pytest.mark.parametrize(
    "path", [".steroids/steroids.db", ".steroids/controller.lock", ".Steroids/Steroids.db-wal"]
)
def test_commits_that_reach_for_the_hosts_state_are_refused(project: Bench, path: str) -> None:
    project.section("API")
    task = project.task("One", "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    tip = project.work(assignment, "take over", {path: "mine now\n"})
    with pytest.raises(BundleRefused, match="keeps its own state"):
        project.submit(runner, assignment, tip)
    assert project.look(task).status is TaskStatus.IN_PROGRESS


def test_commits_that_take_the_hosts_state_out_of_the_repository_are_welcome(
    project: Bench,
) -> None:
    (project.repo.path / ".steroids" / "steroids.db").touch()
    project.repo.git("add", "--force", ".steroids/steroids.db")
    project.repo.commit("by mistake")
    project.repo.git("push", "--quiet", "origin", "main")
    project.section("API")
    task = project.task("One", "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    project.work(assignment, "look", {})
    tip = project.agent.commit("mend", {".steroids/steroids.db": None})
    project.submit(runner, assignment, tip)
    assert project.look(task).status is TaskStatus.REVIEW


def test_commits_to_the_settings_of_the_repository_are_welcome(project: Bench) -> None:
    project.section("API")
    task = project.task("One", "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    tip = project.work(assignment, "set", {".steroids/config.yaml": "setup: []\n"})
    project.submit(runner, assignment, tip)
    assert project.look(task).status is TaskStatus.REVIEW
