"""Taking a task back from landing, while it may be on its way."""

import threading
from pathlib import Path

import pytest

from steroids.errors import Busy, RemoteUnreachable, WrongState
from steroids.git.mirror import Mirror
from steroids.git.push import push
from steroids.services import landing_push, withdrawing
from steroids.services.verdicts import reject
from steroids.store import project_models as db
from steroids.wire.task import Task, TaskStatus
from tests.support.landing import approved, land, land_all, landed_tasks, real_checks
from tests.support.service import Bench


@pytest.fixture
def task(project: Bench) -> Task:
    project.section("API", check=())
    return approved(project, "Mine", {"mine": "1\n"})[0]


def take_back(project: Bench, task: Task) -> None:
    """As a person who rejects it."""
    settings = project.host.settings(project.project)
    with (
        withdrawing.withdrawing(project.host, project.project, task.id),
        project.project.store.write() as session,
    ):
        row = session.get_one(db.Task, task.id)
        reject(session, row, "no", section="API", actor="test", settings=settings)


def cut_off(monkeypatch: pytest.MonkeyPatch, project: Bench, task: Task, *, pushed: bool) -> None:
    """The controller dies in a landing, before the push or after it took effect."""

    def cut(mirror: Mirror, url: str, commit: str, branch: str, *, local: bool) -> None:
        if pushed:
            push(mirror, url, commit, branch, local=local)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(landing_push, "push", cut)
        land(project, task)


def test_a_task_that_waits_to_land_is_taken_back(project: Bench, task: Task) -> None:
    take_back(project, task)
    assert project.look(task).status is TaskStatus.PENDING
    assert land(project, task).status is TaskStatus.PENDING
    assert landed_tasks(project) == []


def test_a_task_that_is_not_approved_is_none_of_its_business(project: Bench) -> None:
    project.section("API")
    task = project.task("Mine", "API")
    with (
        project.project.landing,
        withdrawing.withdrawing(project.host, project.project, task.id),
    ):
        pass


def test_not_while_its_commits_are_on_their_way(
    project: Bench, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withdrawing, "PATIENCE_S", 0.01)
    refused: list[Busy] = []

    def slow(mirror: Mirror, url: str, commit: str, branch: str, *, local: bool) -> None:
        def person() -> None:
            with pytest.raises(Busy) as caught:
                take_back(project, task)
            refused.append(caught.value)

        thread = threading.Thread(target=person)
        thread.start()
        thread.join()
        push(mirror, url, commit, branch, local=local)

    monkeypatch.setattr(landing_push, "push", slow)
    assert land(project, task).status is TaskStatus.COMPLETED
    (error,) = refused
    assert error.exit_code == 6 and error.hint and "on their way to main" in error.message
    assert not project.project.landing.locked()


def test_a_person_need_not_wait_for_checks(
    project: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    checks = real_checks(monkeypatch, tmp_path / "checked")
    project.section("API", check=("true",))
    project.section("Web", check=("true",))
    tasks = [approved(project, f"Of {s}", {s: "1\n"}, s)[0] for s in ("API", "Web")]

    def person() -> None:
        checks.before = lambda: None
        take_back(project, tasks[0])

    checks.before = person
    first, second = land_all(project, tasks)
    assert first.status is TaskStatus.PENDING and second.status is TaskStatus.COMPLETED
    assert landed_tasks(project) == [second.id]


def test_what_was_cut_off_before_its_push_is_taken_back(
    project: Bench, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(monkeypatch, project, task, pushed=False)
    take_back(project, task)
    assert project.look(task).status is TaskStatus.PENDING
    with project.project.store.read() as session:
        row = session.get_one(db.Task, task.id)
        assert (row.landing_hash, row.landing_branch) == (None, None)


def test_what_was_cut_off_after_its_push_has_landed(
    project: Bench, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(monkeypatch, project, task, pushed=True)
    with pytest.raises(WrongState, match="has landed already"):
        take_back(project, task)
    assert project.look(task).status is TaskStatus.COMPLETED
    assert landed_tasks(project) == [task.id]
    assert not project.project.landing.locked()


def test_when_nobody_can_say_whether_it_landed_it_stays(
    project: Bench, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(monkeypatch, project, task, pushed=True)
    project.repo.git("remote", "set-url", "origin", "ssh://nobody@127.0.0.1:1/x")
    with pytest.raises(RemoteUnreachable):
        take_back(project, task)
    assert project.look(task).status is TaskStatus.APPROVED
    assert not project.project.landing.locked()
