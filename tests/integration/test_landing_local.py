"""Projects without a remote: landing in the user's own repository, whose work trees are theirs."""

from pathlib import Path

import pytest

from steroids.services import landing, landing_refusal, target
from steroids.wire.event import EventKind
from steroids.wire.task import Task, TaskStatus
from tests.support.landing import approved, events, land, landed_tasks
from tests.support.repos import Repo
from tests.support.service import Bench

DONE, APPROVED = TaskStatus.COMPLETED, TaskStatus.APPROVED
SHELF = "steroids/main"


@pytest.fixture
def project(local_project: Bench) -> Bench:
    local_project.section("API")
    return local_project


def done(project: Bench, name: str, files: dict[str, str] | None = None) -> Task:
    task, _ = approved(project, name, files or {name.lower(): "1\n"})
    now = land(project, task)
    assert now.status is DONE
    return now


def tip(project: Bench, branch: str) -> str:
    return project.repo.git("rev-parse", "--verify", "--quiet", branch, check=False)


def test_what_is_checked_out_is_left_alone_and_a_hint_says_what_to_do(project: Bench) -> None:
    before = project.repo.head
    now = done(project, "Mine")
    assert now.landed_branch == SHELF and tip(project, SHELF) == now.landed_hash
    assert project.repo.head == before and project.repo.git("status", "--porcelain") == ""
    (event,) = events(project, EventKind.LANDED)
    assert event.data["hint"] == f"git merge {SHELF}" and event.data["hint"] in event.text
    done(project, "Second")
    assert len(landed_tasks(project, SHELF)) == 2


@pytest.mark.parametrize("way", ["work tree", "rebase"])
def test_another_work_tree_counts_too(project: Bench, tmp_path: Path, way: str) -> None:
    project.repo.git("checkout", "--quiet", "-b", "elsewhere")
    other = tmp_path / "other"
    project.repo.git("worktree", "add", "--quiet", str(other), "main")
    if way == "rebase":
        work = Repo(other)
        work.commit("Theirs", {"README": "theirs\n"})
        project.repo.commit("Mine", {"README": "mine\n"})
        work.git("rebase", "--quiet", "elsewhere", check=False)
        assert work.git("symbolic-ref", "-q", "HEAD", check=False) == ""
    before = tip(project, "main")
    assert done(project, "Mine").landed_branch == SHELF
    assert tip(project, "main") == before


def test_a_branch_that_nobody_has_checked_out_is_landed_on(project: Bench) -> None:
    project.repo.git("checkout", "--quiet", "-b", "elsewhere")
    now = done(project, "Mine")
    assert now.landed_branch == "main" and tip(project, "main") == now.landed_hash
    (event,) = events(project, EventKind.LANDED)
    assert "hint" not in event.data
    assert tip(project, SHELF) == ""


def test_what_was_put_aside_comes_along_when_the_branch_is_free_again(project: Bench) -> None:
    done(project, "First")
    project.repo.git("checkout", "--quiet", "-b", "elsewhere")
    assert done(project, "Second").landed_branch == "main"
    assert len(landed_tasks(project, "main")) == 2


def test_the_user_merged_and_went_on(project: Bench) -> None:
    done(project, "First")
    project.repo.git("merge", "--quiet", "--ff-only", SHELF)
    theirs = project.repo.commit("Theirs", {"theirs": "1\n"})
    now = done(project, "Second")
    assert now.landed_branch == SHELF
    assert project.repo.git("rev-parse", f"{SHELF}^") == theirs


def test_the_user_went_on_without_merging(project: Bench) -> None:
    first = done(project, "First")
    theirs = project.repo.commit("Theirs", {"theirs": "1\n"})
    done(project, "Second")
    assert project.repo.git("rev-parse", f"{SHELF}^") == first.landed_hash
    # Nobody has it checked out now, but it does not have what landed: that stays where it is.
    project.repo.git("checkout", "--quiet", "-b", "elsewhere")
    assert done(project, "Third").landed_branch == SHELF
    assert tip(project, "main") == theirs
    project.repo.git("checkout", "--quiet", "main")
    project.repo.git("merge", "--quiet", SHELF)
    merged = project.repo.head
    done(project, "Fourth")
    assert project.repo.git("rev-parse", f"{SHELF}^") == merged


def test_the_user_deleted_the_branch(project: Bench) -> None:
    done(project, "First")
    project.repo.git("branch", "--quiet", "-D", SHELF)
    now = done(project, "Second")
    assert project.repo.git("rev-parse", f"{SHELF}^") == project.first
    assert now.landed_hash == tip(project, SHELF)


def test_the_user_wrote_the_target_anew(project: Bench) -> None:
    first = done(project, "First")
    project.repo.git("commit", "--quiet", "--amend", "--message", "first, in other words")
    now = done(project, "Second")
    assert now.landed_branch == SHELF
    assert project.repo.git("rev-parse", f"{SHELF}^") == first.landed_hash


@pytest.mark.parametrize("configured", [None, "updateInstead", "ignore"])
def test_the_branch_that_is_put_aside_may_be_checked_out_itself(
    project: Bench, tmp_path: Path, configured: str | None
) -> None:
    if configured is not None:
        project.repo.git("config", "receive.denyCurrentBranch", configured)
    done(project, "First")
    other = Repo(tmp_path / "other")
    project.repo.git("worktree", "add", "--quiet", str(other.path), SHELF)
    before = other.head
    task, _ = approved(project, "Second", {"second": "1\n"})
    now = land(project, task)
    assert now.status is APPROVED and now.push_refused
    assert f"{SHELF} is checked out" in (now.reason or "")
    assert (other.head, other.git("status", "--porcelain")) == (before, "")
    project.repo.git("worktree", "remove", str(other.path))
    assert landing_refusal.retry_refused(project.host, project.project) == [task.id]
    assert land(project, task).status is DONE


@pytest.mark.parametrize("configured", ["updateInstead", "ignore"])
def test_not_even_a_checkout_at_the_last_moment_is_written_to(
    project: Bench, monkeypatch: pytest.MonkeyPatch, configured: str
) -> None:
    project.repo.git("config", "receive.denyCurrentBranch", configured)
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    before = project.repo.head
    monkeypatch.setattr("steroids.git.repository.checked_out", lambda *args: False)
    now = land(project, task)
    assert now.status is APPROVED and "checked out" in (now.reason or "")
    assert project.repo.head == before and project.repo.git("status", "--porcelain") == ""


def test_tasks_start_from_what_landed(project: Bench) -> None:
    landed = done(project, "First").landed_hash
    assert target.fetch(project.project) == landed
    task = project.task("Second", "API")
    assignment = project.claim(project.runner("API"))
    assert assignment is not None and assignment.checkout is not None
    assert assignment.checkout.commit == landed
    assert landing.queue(project.project) == [] and project.look(task).base_commit == landed
