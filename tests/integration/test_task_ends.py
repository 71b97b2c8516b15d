"""Skipped, retried, removed: what a person may do with a task, and when not."""

from typing import Any

import pytest
from sqlmodel import select

from steroids.errors import Busy, NotFound, WrongState
from steroids.services import section_edits, task_audit, task_ends, tasks, verdicts
from steroids.services.task_order import WaitedFor
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.wire.assignment import Assignment
from steroids.wire.task import Task, TaskAdd, TaskStatus
from tests.support.service import SPEC, Bench

S = TaskStatus


def skip(project: Bench, word: str, reason: str | None = None) -> Task:
    return task_ends.skip(project.host, project.project, word, reason)


def retry(project: Bench, word: str, reason: str | None = None) -> Task:
    return task_ends.retry(project.host, project.project, word, reason)


def remove(project: Bench, word: str, *, dry_run: bool = False) -> Task:
    return task_ends.remove(project.host, project.project, word, dry_run=dry_run)


def in_review(project: Bench) -> tuple[Task, home.Runner, Assignment]:
    project.section("API")
    task = project.task("Work", "API")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    project.submit(runner, assignment, project.work(assignment, "work", {"x": "1\n"}))
    return task, runner, assignment


def approve(project: Bench, task: Task) -> None:
    with project.project.store.write() as session:
        row = session.get_one(db.Task, task.id)
        verdicts.approve(session, row, section="API", actor="checks", tree=None)


def leases(project: Bench) -> int:
    with project.project.store.read() as session:
        return len(session.exec(select(db.Lease)).all())


def attempts(project: Bench, task: Task) -> list[tuple[str, bool]]:
    with project.project.store.read() as session:
        rows = session.exec(select(db.Attempt).where(db.Attempt.task_id == task.id))
        return [(row.status, row.finished_at is not None) for row in rows]


def moves(project: Bench, task: Task) -> list[tuple[str | None, str, str, str | None]]:
    found = task_audit.audit(project.project, task.id)
    return [(each.from_status, each.to_status, each.actor, each.reason) for each in found]


def hint(caught: pytest.ExceptionInfo[Any]) -> str:
    assert caught.value.exit_code == 6
    return str(caught.value.hint)


@pytest.mark.parametrize("status", [S.PENDING, S.BLOCKED, S.FAILED, S.DISPUTED])
def test_what_nobody_has_in_hand_is_skipped(project: Bench, status: TaskStatus) -> None:
    project.section("API")
    task = project.task("Work", "API")
    project.put(task, status, reason="as before")
    skipped = skip(project, "Work", "not needed\n")
    assert (skipped.status, skipped.reason) == (S.SKIPPED, "not needed")
    assert moves(project, task)[-1] == (status, "skipped", "user", "not needed")
    assert project.claim(project.runner("API", keep=True)) is None


def test_what_is_in_review_is_skipped_with_its_attempt_and_its_locks(project: Bench) -> None:
    task, runner, _ = in_review(project)
    assert leases(project) == 2
    skip(project, "Work")
    assert leases(project) == 0
    assert attempts(project, task) == [("skipped", True)]
    again = retry(project, "Work")
    assert again.status == S.PENDING
    following = project.claim(runner)
    assert following is not None and following.task is not None and following.checkout is not None
    assert following.task.attempt == 2
    assert following.checkout.commit == project.look(task).latest_commit, "no work is lost"


def test_what_is_approved_is_skipped_unless_it_is_on_its_way(project: Bench) -> None:
    task, _, _ = in_review(project)
    approve(project, task)
    with project.project.landing, pytest.raises(Busy) as caught:
        skip(project, "Work")
    assert "tasks show" in hint(caught) and project.look(task).status == S.APPROVED
    project.put(task, S.APPROVED, push_refused=True, reason="protected")
    skipped = skip(project, "Work")
    assert (skipped.status, skipped.push_refused, skipped.reason) == (S.SKIPPED, False, None)
    assert leases(project) == 0 and attempts(project, task) == [("skipped", True)]


def test_what_is_not_to_be_skipped(project: Bench) -> None:
    project.section("API")
    task = project.task("Work", "API")
    assert project.claim(project.runner("API")) is not None
    with pytest.raises(WrongState, match="is being worked on") as caught:
        skip(project, "Work")
    assert hint(caught).startswith("steroids runners stop --section 'API'")
    for status, word in ((S.COMPLETED, "tasks revert"), (S.SKIPPED, "tasks retry")):
        project.put(task, status)
        with pytest.raises(WrongState, match=f"is {status} already") as caught:
            skip(project, "Work")
        assert word in hint(caught)


@pytest.mark.parametrize("status", [S.FAILED, S.DISPUTED, S.SKIPPED])
def test_a_retry_counts_anew_and_tells_what_there_was(project: Bench, status: TaskStatus) -> None:
    project.section("API")
    task = project.task("Work", "API")
    counts = {"rejection_count": 15, "landing_failures": 1, "infrastructure_failures": 0}
    project.put(task, status, reason="rejected 15 times", **counts)
    again = retry(project, "Work", "mind the tests")
    assert (again.status, again.reason) == (S.PENDING, "mind the tests")
    assert [getattr(again, name) for name in counts] == [0, 0, 0]
    told = "mind the tests; after 15 rejections, 1 landing failure"
    assert moves(project, task)[-1] == (status, "pending", "user", told)


def test_a_retry_goes_on_with_what_the_last_rejection_said(project: Bench) -> None:
    task, runner, _ = in_review(project)
    settings = project.host.settings(project.project)
    with project.project.store.write() as session:
        row = session.get_one(db.Task, task.id)
        verdicts.reject(session, row, "no tests", section="API", actor="x", settings=settings)
    skip(project, "Work", "later")
    assert attempts(project, task) == [("rejected", True)], "an attempt ends once"
    assert retry(project, "Work").reason == "no tests"
    following = project.claim(runner)
    assert following is not None and following.task is not None
    assert following.task.feedback == "no tests"


def test_a_retry_waits_for_what_the_task_comes_after(project: Bench) -> None:
    project.section("API")
    first = project.task("First", "API")
    body = TaskAdd(title="Then", section="API", spec=SPEC, after=["First"])
    then = tasks.add(project.host, project.project, body)
    skip(project, "Then")
    assert retry(project, "Then").status == S.BLOCKED
    skip(project, "Then")
    project.put(first, S.COMPLETED)
    assert retry(project, "Then").status == S.PENDING
    assert project.look(then).waits_for is None


def test_what_is_not_to_be_retried(project: Bench) -> None:
    project.section("API")
    task = project.task("Work", "API")
    refusals: list[tuple[TaskStatus, dict[str, Any], str, str]] = [
        (S.PENDING, {}, "is pending: there is nothing to retry", "tasks show"),
        (S.BLOCKED, {}, "is blocked: there is nothing to retry", "tasks show"),
        (S.IN_PROGRESS, {}, "nothing to retry", "tasks show"),
        (S.REVIEW, {}, "nothing to retry", "tasks show"),
        (S.APPROVED, {}, "nothing to retry", "tasks show"),
        (S.APPROVED, {"push_refused": True}, "the remote refused it", "steroids push"),
        (S.COMPLETED, {}, "is completed", "tasks revert"),
    ]
    for status, more, words, command in refusals:
        project.put(task, status, **more)
        with pytest.raises(WrongState, match=words) as caught:
            retry(project, "Work")
        assert command in hint(caught)
    project.put(task, S.FAILED, push_refused=False)
    section_edits.remove(project.host, project.project, "API")
    with pytest.raises(WrongState, match="Section API of 'Work' was removed") as caught:
        retry(project, "Work")
    assert "tasks edit" in hint(caught) and "--section" in hint(caught)


@pytest.mark.parametrize("status", [S.PENDING, S.BLOCKED, S.FAILED, S.DISPUTED, S.SKIPPED])
def test_what_is_removed_is_claimed_by_nobody(project: Bench, status: TaskStatus) -> None:
    project.section("API")
    task = project.task("Work", "API")
    project.put(task, status)
    before = project.look(task)
    assert remove(project, "Work", dry_run=True) == before == project.look(task)
    removed = remove(project, "Work")
    assert removed.status == S.SKIPPED and removed.removed_at is not None
    with pytest.raises(NotFound):
        project.look(task)
    assert tasks.listing(project.project) == []
    last = moves(project, task)[-1]
    assert last[1] == ("pending" if status is S.SKIPPED else "skipped")
    # Nothing that is left keeps its section.
    section_edits.remove(project.host, project.project, "API", dry_run=True)
    assert project.claim(project.runner("API", keep=True)) is None


def test_what_is_not_to_be_removed(project: Bench) -> None:
    project.section("API")
    task = project.task("Work", "API")
    for status in (S.IN_PROGRESS, S.REVIEW, S.APPROVED):
        project.put(task, status)
        for dry_run in (True, False):
            with pytest.raises(WrongState, match=f"it is {status}") as caught:
                remove(project, "Work", dry_run=dry_run)
            assert "tasks skip" in hint(caught)
    project.put(task, S.PENDING)
    for title in ("Then", "Later"):
        body = TaskAdd(title=title, section="API", spec=SPEC, after=["Work"])
        tasks.add(project.host, project.project, body)
    with pytest.raises(WaitedFor, match="'Then' and 1 more come after 'Work'") as waited:
        remove(project, "Work")
    assert "--no-after" in hint(waited) and len(waited.value.details["followers"]) == 2
    remove(project, "Then")
    with pytest.raises(WaitedFor, match="'Later' comes after 'Work'"):
        remove(project, "Work")
    project.put(task, S.COMPLETED)
    assert remove(project, "Work").status == S.COMPLETED
    assert project.look(tasks.listing(project.project)[0]).waits_for is None
