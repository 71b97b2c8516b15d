"""A controller that dies anywhere in a landing: the next one finishes it, once."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from steroids.services import (
    landing_batch,
    landing_branch,
    landing_complete,
    landing_push,
    landing_verify,
    target,
    task_order,
)
from steroids.store import project_models as db
from steroids.wire.task import Task, TaskStatus
from tests.support.landing import approved, land_all, landed_tasks, outsider
from tests.support.service import Bench

SECTIONS = ("API", "Web", "Mobile")
STEPS = {
    "destination": (target, "destination"),
    "settle": (landing_complete, "settle"),
    "replay": (landing_batch, "replay"),
    "verify": (landing_verify, "verify"),
    "choose": (landing_branch, "choose"),
    "write down": (landing_push, "_write_down"),
    "note": (target, "_note"),
    "push": (landing_push, "push"),
    "ask": (landing_push, "remote_contains"),
    "remember": (target, "advanced"),
    "complete": (landing_complete, "complete"),
    "one of them completed": (task_order, "completed"),
}


def dies(
    monkeypatch: pytest.MonkeyPatch, step: str, *, after: bool, call: int = 1
) -> Callable[[], int]:
    """The controller dies before or after this step, at its `call`th time; the answer counts."""
    owner, name = STEPS[step]
    real, calls = getattr(owner, name), 0

    def cut_off(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            raise KeyboardInterrupt
        answer = real(*args, **named)
        if calls == call:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(owner, name, cut_off)
    return lambda: calls


def assert_landed_once(project: Bench, tasks: list[Task], branch: str = "main") -> None:
    ids = [task.id for task in tasks]
    assert Counter(landed_tasks(project, branch)) == Counter(ids)
    where = project.origin or project.repo
    for task in tasks:
        now = project.look(task)
        assert now.status is TaskStatus.COMPLETED and now.landed_hash and now.landed_branch
        mine = where.git("log", "-1", "--format=%B", now.landed_hash)
        assert f"Steroids-Task: {task.id}" in mine
        assert where.git("merge-base", "--is-ancestor", now.landed_hash, now.landed_branch) == ""
    with project.project.store.read() as session:
        completed = select(db.Audit.task_id).where(db.Audit.to_status == TaskStatus.COMPLETED)
        assert Counter(session.exec(completed)) == Counter(ids)
        assert session.exec(select(db.Lease)).all() == []
        assert not [row for row in session.exec(select(db.Task)) if row.landing_hash]
    assert project.project.mirror.refs("refs/steroids/landing") == {}
    assert not project.project.landing.locked()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", [step for step in STEPS if step != "choose"])
@pytest.mark.parametrize("count", [1, 3])
def test_what_was_cut_off_lands_once(
    project: Bench, monkeypatch: pytest.MonkeyPatch, count: int, step: str, after: bool
) -> None:
    tasks = []
    for section in SECTIONS[:count]:
        project.section(section)
        tasks.append(approved(project, f"Of {section}", {f"apps/{section}/x": "1\n"}, section)[0])
    outsider(project, "Theirs, before", {"before": "1\n"})

    in_batch = count if step in ("replay", "one of them completed") else 1
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        calls = dies(patched, step, after=after, call=in_batch)
        land_all(project, tasks)
    assert calls() == in_batch
    outsider(project, "Theirs, meanwhile", {"meanwhile": "1\n"})
    land_all(project, tasks)

    assert_landed_once(project, tasks)
    assert {"Theirs, before", "Theirs, meanwhile"} < {*project.origin_log()}
    # In the order of approval, with whatever between.
    assert landed_tasks(project) == [task.id for task in tasks]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", [step for step in STEPS if step != "remember"])
def test_so_does_a_branch_of_its_own(
    project: Bench, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    (project.host.path / "config.yaml").write_text("landing: {mode: branch}\n")
    project.section("API")
    task, _ = approved(project, "Mine", {"mine": "1\n"})
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        dies(patched, step, after=after)
        land_all(project, [task])
    outsider(project, "Theirs, meanwhile", {"meanwhile": "1\n"})
    (now,) = land_all(project, [task])

    assert project.origin is not None and now.landed_branch is not None
    assert_landed_once(project, [task], now.landed_branch)
    branches = project.origin.git("branch", "--format=%(refname:short)").splitlines()
    assert branches == ["main", now.landed_branch]
