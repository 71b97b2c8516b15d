"""Lockfiles written again, with a package manager of which only the answer is made up."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from steroids.provisioning import oneshot
from steroids.provisioning.oneshot import Unwanted
from steroids.provisioning.snapshot import Snapshot
from steroids.services import human, places, reverting
from steroids.wire.assignment import Assignment, Kind, Outcome, Result
from steroids.wire.event import EventKind
from steroids.wire.revert import Revert
from steroids.wire.task import Task, TaskStatus
from steroids.wire.verdict import Judge
from tests.support.landing import approved, configure, events, land, outsider
from tests.support.service import Bench

LOCK = "package-lock.json"


def lock(*packages: str) -> str:
    return json.dumps({"lockfileVersion": 3, "packages": {each: {} for each in packages}}) + "\n"


@dataclass
class Npm:
    """Stands for the container: answers, and keeps what it was asked."""

    answer: Result
    asked: list[Assignment] = field(default_factory=list)
    before: Callable[[], object] = lambda: None
    """What else happens while it works."""

    def run(self, site: object, assignment: Assignment, **about: Any) -> Result:
        self.asked.append(assignment)
        self.before()
        if not about["wanted"]():
            raise Unwanted("Nobody waits for it any more")
        return self.answer


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch) -> Npm:
    made = Npm(Result(outcome=Outcome.DONE, files={LOCK: lock("mine", "yours")}))
    monkeypatch.setattr(oneshot, "run", made.run)
    monkeypatch.setattr(places, "runner_image", lambda *about: None)
    monkeypatch.setattr(places, "snapshot_for", lambda *about: Snapshot("x", "x", built=False))
    return made


def parted(project: Bench, files: dict[str, str] | None = None) -> Task:
    """A task and an outsider that each changed the lockfile; the task is approved."""
    project.section("API")
    outsider(project, "Start", {LOCK: lock(), "package.json": "{}\n"})
    mine = {"apps/api/package.json": '{"mine": 1}\n'} if files is None else files
    task, _ = approved(project, "Mine", {LOCK: lock("mine"), **mine})
    outsider(project, "Theirs", {LOCK: lock("yours"), "apps/web/package.json": "{}\n"})
    return task


def test_what_the_package_manager_wrote_is_committed_on_top(project: Bench, npm: Npm) -> None:
    task = parted(project)
    assert project.origin is not None
    now = land(project, task)
    assert now.status is TaskStatus.COMPLETED
    assert project.origin_log()[:3] == [f"Write {LOCK} again", "Mine", "Theirs"]
    assert project.origin.git("show", f"main:{LOCK}") == lock("mine", "yours").strip()
    body = project.origin.git("log", "-1", "--format=%an%n%cn%n%B", "main").splitlines()
    assert body[:2] == ["Steroids", "Steroids"] and body[-1] == f"Steroids-Task: {task.id}"
    assert now.landed_hash == project.origin.git("rev-parse", "main")
    (asked,) = npm.asked
    assert asked.kind is Kind.CHECK and asked.collect == [LOCK]
    assert asked.commands[0].startswith("npm install") and asked.checkout is not None
    # On both sides' manifests, and without a set-up, which would fail on the old lockfile.
    assert asked.checkout.commit == project.origin.git("rev-parse", "main^")
    assert asked.checkout.setup == []
    (notice,) = [e for e in events(project, EventKind.NOTICE) if LOCK in e.text and e.task_id]
    assert "did not merge" in notice.text and notice.task_id == task.id


def test_when_it_was_right_as_it_is_nothing_is_committed(project: Bench, npm: Npm) -> None:
    npm.answer = Result(outcome=Outcome.DONE, files={LOCK: lock("yours")})
    assert land(project, parted(project)).status is TaskStatus.COMPLETED
    assert project.origin_log()[:2] == ["Mine", "Theirs"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            Result(
                outcome=Outcome.FAILED,
                command="npm install",
                exit_code=127,
                tail="$ npm install\nsh: 1: npm: not found\n",
            ),
            "`npm install` exited 127: sh: 1: npm: not found",
        ),
        (Result(outcome=Outcome.FAILED, command="npm install"), "took too long"),
        (Result(outcome=Outcome.DONE, files={LOCK: "<<<<<<< ours\n"}), "no such lockfile"),
        (Result(outcome=Outcome.DONE, files={LOCK: None}), "no such lockfile"),
        (Result(outcome=Outcome.DONE), "no such lockfile"),
    ],
    ids=["no such program", "too long", "broken", "gone", "no answer"],
)
def test_what_cannot_be_written_again_is_a_conflict_with_the_reason(
    project: Bench, npm: Npm, answer: Result, words: str
) -> None:
    npm.answer = answer
    now = land(project, parted(project))
    assert (now.status, now.landing_failures) == (TaskStatus.PENDING, 1)
    assert now.reason is not None and LOCK in now.reason and words in now.reason
    assert project.origin_log()[0] == "Theirs"


def test_a_change_of_the_lockfile_alone_is_never_lost(project: Bench, npm: Npm) -> None:
    now = land(project, parted(project, {"apps/api/b": "1\n"}))
    assert now.status is TaskStatus.PENDING and now.reason is not None
    assert "without its manifest" in now.reason
    assert npm.asked == []


def test_a_task_that_is_taken_back_meanwhile_is_not_waited_for(project: Bench, npm: Npm) -> None:
    task = parted(project)
    npm.before = lambda: human.reject(project.host, project.project, task.id, Judge(reason="No."))
    now = land(project, task)
    assert (now.status, now.reason, now.landing_failures) == (TaskStatus.PENDING, "No.", 0)
    assert project.origin_log()[0] == "Theirs" and len(npm.asked) == 1


@pytest.mark.parametrize("merge", ["rebase", "squash", "merge"])
def test_a_revert_has_its_lockfile_written_again_too(project: Bench, npm: Npm, merge: str) -> None:
    configure(project, f"landing: {{merge: {merge}}}\n")
    task = parted(project)
    land(project, task)
    later = lock("later", "mine", "yours")
    outsider(project, "Later", {LOCK: later, "apps/web/package.json": '{"later": 1}\n'})
    npm.answer = Result(outcome=Outcome.DONE, files={LOCK: lock("later", "yours")})
    made = reverting.revert(project.host, project.project, task.id, Revert())
    assert land(project, made).status is TaskStatus.COMPLETED
    assert project.origin is not None
    assert project.origin.git("show", f"main:{LOCK}") == lock("later", "yours").strip()
    assert project.origin_log()[0] == f"Write {LOCK} again"
    files = project.origin.git("ls-tree", "-r", "--name-only", "main").split()
    assert "apps/api/package.json" not in files and "apps/web/package.json" in files
