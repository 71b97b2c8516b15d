"""Landing at the services' level: real git, a real remote; no checks, so no container."""

import pytest
from sqlmodel import select

from steroids.errors import RemoteUnreachable
from steroids.git.mirror import Mirror
from steroids.git.push import push
from steroids.services import commits, landing, landing_push, landing_refusal, reviews, verdicts
from steroids.store import project_models as db
from steroids.wire.task import TaskStatus
from tests.support.landing import approved, hook, land, outsider
from tests.support.service import Bench


def test_what_is_approved_lands_with_its_trailer(project: Bench) -> None:
    project.section("API")
    task, _ = approved(project, "Add login", {"apps/api/login": "1\n"})
    now = land(project, task)
    assert now.status is TaskStatus.COMPLETED and now.landed_hash is not None
    assert project.origin is not None
    body = project.origin.git("log", "-1", "--format=%B", "main")
    assert body.splitlines()[0] == "Add login" and f"Steroids-Task: {task.id}" in body
    assert project.origin.git("rev-parse", "main") == now.landed_hash
    (commit,) = commits.listing(project.project, task.id)
    assert (commit.status, commit.landed_hash) == ("approved", now.landed_hash)
    with project.project.store.read() as session:
        assert session.exec(select(db.Lease)).all() == []


def test_it_lands_on_top_of_what_outsiders_pushed(project: Bench) -> None:
    project.section("API")
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    outsider(project, "Theirs", {"theirs": "1\n"})
    assert land(project, task).status is TaskStatus.COMPLETED
    assert project.origin_log()[:2] == ["Mine", "Theirs"]


def test_a_push_that_lost_a_race_is_rebased_and_tried_again(
    project: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.section("API")
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    real, races = push, ["Theirs 1", "Theirs 2"]

    def raced(mirror: Mirror, url: str, commit: str, branch: str, *, local: bool) -> None:
        if races:
            outsider(project, races.pop(0), {f"theirs{len(races)}": "1\n"})
        real(mirror, url, commit, branch, local=local)

    monkeypatch.setattr(landing_push, "push", raced)
    assert land(project, task).status is TaskStatus.COMPLETED
    assert project.origin_log()[:3] == ["Mine", "Theirs 2", "Theirs 1"]


def test_a_conflict_sends_the_task_back_with_both_sides_named(project: Bench) -> None:
    project.section("API")
    task, runner = approved(project, "Mine", {"README.md": "mine\n"})
    theirs = outsider(project, "Theirs", {"README.md": "theirs\n"})
    now = land(project, task)
    assert (now.status, now.landing_failures, now.rejection_count) == (TaskStatus.PENDING, 1, 0)
    assert now.reason is not None
    assert "README.md" in now.reason and theirs[:7] in now.reason and "Theirs" in now.reason
    again = project.claim(runner)
    assert again is not None and again.checkout is not None and again.task is not None
    assert again.task.attempt == 2 and again.task.feedback == now.reason
    assert again.checkout.commit == theirs
    assert again.checkout.squash == project.project.mirror.resolve(
        commits.attempt_ref(task.id, 1)
    ), "the old work is kept and given to the next attempt"
    tip = project.work(again, "Mine, after theirs", {"README.md": "theirs and mine\n"})
    project.submit(runner, again, tip)
    reviews.review(project.host, project.project, task.id, "fake")
    assert land(project, task).status is TaskStatus.COMPLETED
    assert project.origin_log()[:2] == ["Mine, after theirs", "Theirs"]


def test_conflicts_without_end_are_disputed(project: Bench) -> None:
    project.section("API")
    (project.host.path / "config.yaml").write_text("landing: {max_failures: 1}\n")
    task, _ = approved(project, "Mine", {"README.md": "mine\n"})
    outsider(project, "Theirs", {"README.md": "theirs\n"})
    assert land(project, task).status is TaskStatus.DISPUTED


def test_a_remote_that_refuses_is_asked_again_only_when_somebody_says_so(project: Bench) -> None:
    project.section("API")
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    refusal = hook(project, "pre-receive", "echo 'main is frozen' >&2; exit 1")
    now = land(project, task)
    assert now.status is TaskStatus.APPROVED
    assert now.reason is not None and "main is frozen" in now.reason
    assert landing.queue(project.project) == []
    refusal.unlink()
    assert landing_refusal.retry_refused(project.host, project.project) == [task.id]
    assert landing.queue(project.project) == [task.id]
    assert land(project, task).status is TaskStatus.COMPLETED


def test_a_remote_that_is_away_leaves_the_task_approved(project: Bench) -> None:
    project.section("API")
    (project.host.path / "config.yaml").write_text("push: {attempts: 2}\n")
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    project.repo.git("remote", "set-url", "origin", "ssh://nobody@127.0.0.1:1/x")
    with pytest.raises(RemoteUnreachable):
        land(project, task)
    assert project.look(task).status is TaskStatus.APPROVED
    assert landing.queue(project.project) == [task.id]


def test_work_that_is_on_main_already_lands_as_nothing(project: Bench) -> None:
    project.section("API")
    task, _ = approved(project, "Mine", {"same": "1\n"})
    outsider(project, "The same, by somebody else", {"same": "1\n"})
    assert land(project, task).status is TaskStatus.COMPLETED
    assert "Mine" not in project.origin_log()


def test_a_task_without_commits_lands_as_nothing(project: Bench) -> None:
    project.section("API")
    task = project.task("Already done", "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    project.submit(runner, assignment)
    reviews.review(project.host, project.project, task.id, "fake")
    before = project.origin_log()
    assert land(project, task).status is TaskStatus.COMPLETED
    assert project.origin_log() == before


def test_attempts_after_a_rejection_land_together_in_order(project: Bench) -> None:
    project.section("API")
    task = project.task("Mine", "API")
    runner = project.runner("API")
    first = project.claim(runner)
    assert first is not None
    project.submit(runner, first, project.work(first, "try", {"a": "1\n"}))
    settings = project.host.settings(project.project)
    with project.project.store.write() as session:
        row = session.get_one(db.Task, task.id)
        verdicts.reject(session, row, "no", section="API", actor="test", settings=settings)
    second = project.claim(runner)
    assert second is not None
    project.submit(runner, second, project.work(second, "mend", {"a": "2\n"}))
    reviews.review(project.host, project.project, task.id, "fake")
    assert land(project, task).status is TaskStatus.COMPLETED
    assert project.origin_log()[:2] == ["mend", "try"]
    assert [(each.attempt, each.status) for each in commits.listing(project.project, task.id)] == [
        (1, "rejected"),
        (2, "approved"),
    ]


def test_without_a_remote_the_checked_out_branch_is_left_alone(local_project: Bench) -> None:
    project = local_project
    project.section("API")
    before = project.repo.head
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    assert land(project, task).status is TaskStatus.COMPLETED
    assert project.repo.head == before and project.repo.git("status", "--porcelain") == ""
    assert project.repo.git("log", "-1", "--format=%s", "steroids/main") == "Mine"
    second, _ = approved(project, "Second", {"second": "1\n"})
    assert land(project, second).status is TaskStatus.COMPLETED
    subjects = project.repo.git("log", "-2", "--format=%s", "steroids/main").splitlines()
    assert subjects == ["Second", "Mine"]
