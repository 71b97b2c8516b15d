"""An attempt in the user's own repository: its branch, and nothing else of theirs."""

import pytest

from steroids.errors import GitError, NotFound, UsageError, WrongState
from steroids.git.repository import BranchBusy
from steroids.services import task_checkout, verdicts
from steroids.store import project_models as db
from steroids.wire.task import CheckedOut, Task, TaskCheckout
from tests.support.service import Bench


def attempt(project: Bench, task: Task, files: dict[str, str]) -> str:
    """One more, rejected; returns its tip."""
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    tip = project.work(assignment, "work", files) if files else None
    project.submit(runner, assignment, tip)
    settings = project.host.settings(project.project)
    with project.project.store.write() as session:
        row = session.get_one(db.Task, task.id)
        verdicts.reject(session, row, "no", section="API", actor="checks", settings=settings)
        assert row.latest_commit is not None
        return row.latest_commit


def checkout(project: Bench, *, number: int | None = None, branch: str | None = None) -> CheckedOut:
    body = TaskCheckout(attempt=number, branch=branch)
    return task_checkout.checkout(project.project, "Work", body)


def refs(project: Bench) -> dict[str, str]:
    lines = project.repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split() for line in lines)


@pytest.fixture
def task(project: Bench) -> Task:
    project.section("API")
    return project.task("Work", "API")


def test_an_attempt_becomes_a_branch_and_the_next_one_brings_it_forward(
    project: Bench, task: Task
) -> None:
    repo = project.repo
    (repo.path / "README").write_text("in the middle of something\n")
    (repo.path / "new").write_text("and untracked\n")
    hook = repo.path / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hook-was-run\n")
    hook.chmod(0o755)
    before, state = refs(project), repo.git("status", "--porcelain")
    with pytest.raises(WrongState, match="'Work' has nothing to check out yet") as caught:
        checkout(project)
    assert caught.value.hint and refs(project) == before

    first = attempt(project, task, {"x": "1\n"})
    branch = f"steroids/{task.id[:8]}"
    assert checkout(project) == CheckedOut(
        task_id=task.id, attempt=1, branch=branch, tip=first, created=True
    )
    assert refs(project) == {**before, f"refs/heads/{branch}": first}
    assert repo.git("show", f"{branch}:x") == "1"
    second = attempt(project, task, {"y": "2\n"})
    found = checkout(project)
    assert (found.attempt, found.tip, found.created) == (2, second, False)
    assert checkout(project) == found, "again changes nothing"
    assert refs(project) == {**before, f"refs/heads/{branch}": second}
    assert repo.git("status", "--porcelain") == state
    assert not (repo.path / ".git" / "FETCH_HEAD").exists()
    assert not (repo.path / "hook-was-run").exists()
    assert not (repo.path / ".git" / "hook-was-run").exists()


def test_one_that_is_named_and_one_that_there_is_not(project: Bench, task: Task) -> None:
    first = attempt(project, task, {"x": "1\n"})
    attempt(project, task, {"y": "2\n"})
    found = checkout(project, number=1, branch="look")
    assert (found.branch, found.tip) == ("look", first)
    assert project.repo.git("rev-parse", "refs/heads/look") == first
    for number in (0, 3, -1):
        with pytest.raises(NotFound, match=f"has no attempt {number}"):
            checkout(project, number=number)
    assert project.claim(project.runner("API")) is not None
    with pytest.raises(WrongState, match="Attempt 3 of 'Work' has nothing to check out yet"):
        checkout(project, number=3)


def test_an_attempt_without_commits_is_where_it_began(project: Bench, task: Task) -> None:
    base = attempt(project, task, {})
    assert base == project.first
    assert checkout(project).tip == base


def test_a_branch_that_went_on_by_hand_is_left_alone(project: Bench, task: Task) -> None:
    attempt(project, task, {"x": "1\n"})
    branch = checkout(project).branch
    repo = project.repo
    repo.git("switch", "--quiet", branch)
    mine = repo.commit("by hand", {"z": "mine\n"})
    repo.git("switch", "--quiet", "main")
    for again in (None, 1):
        with pytest.raises(BranchBusy, match="has commits that") as caught:
            checkout(project, number=again)
        assert caught.value.exit_code == 6 and "--branch NAME" in str(caught.value.hint)
    second = attempt(project, task, {"y": "2\n"})
    with pytest.raises(BranchBusy):
        checkout(project)
    assert repo.git("rev-parse", branch) == mine
    assert checkout(project, branch="other").tip == second


def test_a_branch_that_is_checked_out_is_left_alone(project: Bench, task: Task) -> None:
    first = attempt(project, task, {"x": "1\n"})
    branch = checkout(project).branch
    repo = project.repo
    repo.git("worktree", "add", "--quiet", str(repo.path.parent / "tree"), branch)
    assert checkout(project).tip == first, "there is nothing to do"
    attempt(project, task, {"y": "2\n"})
    with pytest.raises(BranchBusy, match="is checked out") as caught:
        checkout(project)
    assert "--branch NAME" in str(caught.value.hint)
    with pytest.raises(BranchBusy, match="is checked out"):
        checkout(project, branch="main")
    assert repo.git("rev-parse", branch) == first


@pytest.mark.parametrize("name", ["-f", "a b", "a..b", "x.lock", "/x", "a:b"])
def test_a_name_that_is_none_for_a_branch(project: Bench, task: Task, name: str) -> None:
    attempt(project, task, {"x": "1\n"})
    with pytest.raises(UsageError, match="Not a branch name"):
        checkout(project, branch=name)


def test_a_name_that_is_in_the_way_is_said(project: Bench, task: Task) -> None:
    attempt(project, task, {"x": "1\n"})
    project.repo.git("branch", "steroids")
    with pytest.raises(GitError, match="Cannot make branch") as caught:
        checkout(project)
    assert "--branch NAME" in str(caught.value.hint)
