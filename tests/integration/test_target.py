"""What is known of the target branch, while work lands on it."""

import pytest

from steroids.git.mirror import Mirror
from steroids.git.push import remote_tip
from steroids.services import landing, reviews, target
from steroids.wire.task import Task
from tests.support.service import Bench


def approved(project: Bench) -> Task:
    """The first of two tasks in a section, ready to land: the second changes the same file."""
    project.section("API")
    task = project.task("First", "API")
    project.task("Second", "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    project.submit(runner, assignment, project.work(assignment, "one", {"apps/api/a": "2\n"}))
    reviews.review(project.host, project.project, task.id, "fake")
    return task


def land(project: Bench, task: Task) -> str:
    landing.land(project.host, project.project, task.id, "fake")
    landed = project.look(task).landed_hash
    assert landed is not None
    return landed


def test_a_task_starts_from_what_landed_while_its_claim_asked_for_the_target(
    project: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, landed = approved(project), []

    def slow_tip(*args: object) -> str:
        before = project.first
        landed.append(land(project, task))
        return before

    monkeypatch.setattr(target, "tip", slow_tip)
    assignment = project.claim(project.runner("API"))

    assert assignment is not None and assignment.checkout is not None
    assert assignment.task is not None and assignment.task.title == "Second"
    assert [assignment.checkout.commit] == landed


def test_a_fetch_from_before_a_landing_does_not_hide_it(
    project: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, landed, fetch = approved(project), [], Mirror.fetch
    theirs = project.repo.commit("theirs", {"theirs": "1\n"})
    project.repo.git("push", "--quiet", "origin", f"{theirs}:refs/heads/main")

    def slow_fetch(mirror: Mirror, url: str, branch: str) -> str:
        before = fetch(mirror, url, branch)
        monkeypatch.setattr(Mirror, "fetch", fetch)
        landed.append(land(project, task))
        return before

    monkeypatch.setattr(Mirror, "fetch", slow_fetch)
    found = target.fetch(project.project)

    assert [found] == [project.project.known.tip] == landed
    assert project.project.mirror.resolve(project.project.target_ref) == found


def test_neither_does_an_answer_from_before_it(
    project: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, landed, ask = approved(project), [], remote_tip

    def slow_answer(url: str, branch: str, mirror: Mirror) -> str | None:
        before = ask(url, branch, mirror)
        monkeypatch.setattr(target, "remote_tip", ask)
        landed.append(land(project, task))
        return before

    monkeypatch.setattr(target, "remote_tip", slow_answer)
    found = target.fetch(project.project)

    assert [found] == [project.project.known.tip] == landed
    assert project.project.mirror.resolve(project.project.target_ref) == found


def test_what_has_not_moved_is_not_fetched(project: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    before = target.fetch(project.project)
    monkeypatch.setattr(Mirror, "fetch", lambda *args: pytest.fail("fetched"))
    assert target.fetch(project.project) == before
