"""The demo's own verification sees what is missing, doubled, unfinished or left over."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from steroids.cli.example.proof import CONTESTED, LINES, TRAILER, Outcome, problems
from steroids.wire.commit import Commit
from steroids.wire.event import Event, EventKind
from steroids.wire.task import Task, TaskStatus
from tests.support.repos import Repo, new_repo

NOW = datetime(2025, 5, 1, tzinfo=UTC)


def task(name: str, status: TaskStatus = TaskStatus.COMPLETED) -> Task:
    return Task(
        id=name,
        title=f"Task {name}",
        section="API",
        section_id="s",
        status=status,
        priority=50,
        position=0,
        spec="",
        affected_paths=[],
        base_commit=None,
        latest_commit=None,
        current_attempt=1,
        attempt_base_commit=None,
        rejection_count=0,
        landing_failures=0,
        infrastructure_failures=0,
        reason=None,
        landed_hash=None,
        created_at=NOW,
        updated_at=NOW,
        completed_at=NOW,
    )


def told(landed: str, owner: str) -> Commit:
    return Commit(
        hash="0" * 40,
        task_id=owner,
        attempt=1,
        message="work",
        author="a",
        created_at=NOW,
        status="approved",
        landed_hash=landed,
    )


def events(*kinds: EventKind) -> list[Event]:
    return [Event(seq=number, at=NOW, kind=kind) for number, kind in enumerate(kinds)]


class Demo:
    """A branch with a commit of each of two tasks, and a controller that says just that."""

    def __init__(self, folder: Path) -> None:
        lines = "".join(f"- {line}\n" for line in LINES)
        self.repo: Repo = new_repo(folder, {CONTESTED: lines})
        self.tasks = [task("t1"), task("t2")]
        self.commits = {each.id: [told(self.land(each.id), each.id)] for each in self.tasks}
        self.events = events(EventKind.REJECTED, EventKind.CONFLICT)
        self.containers: list[str] = []

    def land(self, owner: str) -> str:
        return self.repo.commit(f"work\n\n{TRAILER}: {owner}", {f"{owner}.txt": owner})

    def problems(self) -> list[str]:
        outcome = Outcome(self.tasks, self.commits, self.events, self.containers)
        return problems(self.repo.path / ".git", outcome, tasks=2)


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path / "repo")


def test_all_is_well(demo: Demo) -> None:
    assert demo.problems() == []


def test_a_missing_commit_is_found(demo: Demo) -> None:
    lost = demo.repo.head
    demo.repo.git("reset", "--hard", "HEAD~1")
    assert demo.problems() == [f"'Task t2': {lost[:7]} is not on main"]


def test_a_doubled_commit_is_found(demo: Demo) -> None:
    again = demo.land("t1")
    assert demo.problems() == [f"'Task t1': {again[:7]} is doubled"]


def test_a_commit_of_nobody_is_found(demo: Demo) -> None:
    stray = demo.land("t9")
    assert demo.problems() == [f"{stray[:7]} is of no task"]


def test_a_task_that_never_landed_is_found(demo: Demo) -> None:
    demo.tasks[1] = task("t2", TaskStatus.DISPUTED)
    demo.commits["t2"] = []
    demo.repo.git("reset", "--hard", "HEAD~1")
    assert demo.problems() == [
        "'Task t2' is disputed, not completed",
        "'Task t2' has no commit that landed",
    ]


@pytest.mark.parametrize(
    ("kinds", "problem"),
    [
        ((EventKind.CONFLICT,), "the checks rejected 0 attempts, not 1"),
        ((EventKind.REJECTED,) * 2, "the checks rejected 2 attempts, not 1"),
    ],
)
def test_a_demo_in_which_too_little_happened_is_found(
    demo: Demo, kinds: tuple[EventKind, ...], problem: str
) -> None:
    demo.events = events(*kinds)
    assert problem in demo.problems()


def test_a_line_that_a_conflict_has_cost_is_found(demo: Demo) -> None:
    demo.repo.commit("lost", {CONTESTED: f"- {LINES[0]}\n"})
    assert demo.problems() == [f"{CONTESTED} has the line about '{LINES[1]}' 0 times, not once"]


def test_conflict_markers_are_found(demo: Demo) -> None:
    text = f"<<<<<<< ours\n- {LINES[0]}\n=======\n- {LINES[1]}\n>>>>>>> theirs\n"
    demo.repo.commit("markers", {CONTESTED: text})
    assert demo.problems() == [f"{CONTESTED} has conflict markers"]


def test_a_container_that_is_left_is_found(demo: Demo) -> None:
    demo.containers = ["steroids-shop-api"]
    assert demo.problems() == ["containers are left: steroids-shop-api"]
