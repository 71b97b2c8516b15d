"""The reconciler lands batches, and says what keeps it from that."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from steroids.services import landing, landing_refusal
from steroids.services.jobs import Jobs
from steroids.services.reconcile import Reconciler
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus
from tests.support.landing import approved, configure, events, landed_tasks
from tests.support.service import Bench

AWAY = "ssh://nobody@127.0.0.1:1/x"


class AtOnce(Executor):
    """Jobs are done where they are asked for."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        fn(*args, **named)
        return Future()


@pytest.fixture
def reconciler(project: Bench) -> Reconciler:
    return Reconciler(project.host, Jobs(AtOnce(), lambda: None))


def test_it_takes_as_many_at_a_time_as_the_settings_say(
    project: Bench, reconciler: Reconciler
) -> None:
    configure(project, "landing: {batch: 2}\n")
    tasks = []
    for section in ("A", "B", "C"):
        project.section(section)
        tasks.append(approved(project, f"Of {section}", {section: "1\n"}, section)[0])
    reconciler.tick()
    assert landing.queue(project.project) == [tasks[2].id]
    assert landed_tasks(project) == [task.id for task in tasks[:2]]
    reconciler.tick()
    assert landing.queue(project.project) == []


def test_a_remote_that_is_away_is_named_once_and_asked_again_when_somebody_says_so(
    project: Bench, reconciler: Reconciler
) -> None:
    configure(project, "push: {attempts: 1}\n")
    project.section("API")
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    there = project.repo.git("remote", "get-url", "origin")
    project.repo.git("remote", "set-url", "origin", AWAY)
    for told in (1, 1, 2):
        if told == 2:
            # Somebody who asks is told again.
            landing_refusal.retry_refused(project.host, project.project)
        reconciler.tick()
        now = project.look(task)
        assert now.status is TaskStatus.APPROVED and not now.push_refused
        assert now.reason is not None and now.reason.startswith("landing waits: ")
        assert "127.0.0.1" in now.reason
        said = [e for e in events(project, EventKind.NOTICE) if "landing waits" in e.text]
        assert len(said) == told and said[0].task_id is None

    project.repo.git("remote", "set-url", "origin", there)
    reconciler.tick()
    assert project.look(task).status is TaskStatus.APPROVED, "it was put off"
    assert landing_refusal.retry_refused(project.host, project.project) == []
    reconciler.tick()
    now = project.look(task)
    assert (now.status, now.reason) == (TaskStatus.COMPLETED, None)
