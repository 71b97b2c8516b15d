"""A runner for one task: decided in the transaction of the claim."""

import pytest

from steroids.services import runners, stopping, tasks
from steroids.store import home_models as home
from steroids.wire.assignment import Assignment, Kind, Outcome
from steroids.wire.event import EventKind
from steroids.wire.runner import RunnerStatus
from steroids.wire.task import Task, TaskStatus
from tests.support.reviewing import events
from tests.support.service import Bench


def once(project: Bench, section: str = "API") -> home.Runner:
    """Its runner, which is there for one task."""
    runner = project.runner(section)
    with project.host.store.write() as session:
        row = session.get_one(home.Runner, runner.id)
        row.once = True
        session.add(row)
    return row


def title(assignment: Assignment | None) -> str | None:
    assert assignment is not None
    return assignment.task.title if assignment.task is not None else None


def listed(project: Bench) -> list[Task]:
    return tasks.listing(project.project)


@pytest.fixture
def api(project: Bench) -> Bench:
    """A section with two tasks."""
    project.section("API")
    for name in ("One", "Two"):
        project.task(name, "API")
    return project


def test_what_comes_back_is_given_again_and_nothing_else(api: Bench) -> None:
    runner = once(api)
    first = api.claim(runner)
    assert title(first) == "One" and first is not None
    api.submit(runner, first, outcome=Outcome.FAILED, reason="no")
    # Back, and in front of it is another one meanwhile.
    api.task("Urgent", "API", priority=1)
    again = api.claim(runner)
    assert title(again) == "One" and again is not None and again.task is not None
    assert again.task.attempt == 2
    # Also a lost answer is answered the same.
    assert title(api.claim(runner)) == "One"


@pytest.mark.parametrize("status", [TaskStatus.REVIEW, TaskStatus.APPROVED])
def test_while_its_task_is_reviewed_and_landed_it_waits(api: Bench, status: TaskStatus) -> None:
    runner = once(api)
    first = api.claim(runner)
    assert first is not None and first.task is not None
    tip = api.work(first, "done", {"apps/api/b": "2\n"})
    api.submit(runner, first, tip)
    its = tasks.one(api.project, first.task.id)
    api.put(its, status)
    assert api.claim(runner) is None
    # A person has to look at it: that may take until Monday.
    held = {"awaits": "human"} if status is TaskStatus.REVIEW else {"push_refused": True}
    api.put(its, status, **held)
    over = api.claim(runner)
    assert over is not None and over.kind is Kind.STOP


@pytest.mark.parametrize(
    "status",
    [TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.DISPUTED, TaskStatus.SKIPPED],
)
def test_when_its_task_is_over_it_stops_though_there_are_others(
    api: Bench, status: TaskStatus
) -> None:
    runner = once(api)
    first = api.claim(runner)
    assert first is not None and first.task is not None
    api.submit(runner, first, outcome=Outcome.FAILED, reason="no")
    its = tasks.one(api.project, first.task.id)
    api.put(its, status)
    for _ in range(2):
        over = api.claim(runner)
        assert over is not None and over.kind is Kind.STOP
    others = [each.status for each in listed(api) if each.id != its.id]
    assert others == [TaskStatus.PENDING]


def test_it_is_no_part_of_what_is_wanted_when_it_ends(api: Bench) -> None:
    runner = once(api)
    first = api.claim(runner)
    assert first is not None
    api.submit(runner, first, outcome=Outcome.FAILED, reason="no")
    stopping.drained(api.host, api.project, runner)
    assert runners.one(api.host, api.project, runner.id).status is RunnerStatus.STOPPED
    last = events(api, EventKind.NOTICE, EventKind.DRAINED)[-1]
    assert (last.text, last.data) == ("ends: its one task is over", {"over": True})
