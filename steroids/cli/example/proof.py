"""Whether the demo came to what it promises. Looks at the remote itself, not at what was said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from steroids.cli.example import BRANCH, git
from steroids.wire.commit import Commit
from steroids.wire.event import Event, EventKind
from steroids.wire.task import Task, TaskStatus

TRAILER = "Steroids-Task"
CONTESTED = "docs/CHANGELOG.md"
LINES = ("GET /health", "how long ago")
"""What two sections' tasks write there."""


@dataclass(frozen=True)
class Outcome:
    """What the controller says when all is over."""

    tasks: Sequence[Task]
    commits: Mapping[str, Sequence[Commit]]
    """By the task's id."""
    events: Sequence[Event]
    containers: Sequence[str]
    """Names of those that are still there."""

    def count(self, kind: EventKind) -> int:
        return sum(event.kind is kind for event in self.events)


def landed_on(origin: Path) -> list[tuple[str, str]]:
    """Hash and task of every commit on the remote's branch, newest first; "" is nobody's task.

    Raises `GitError`.
    """
    form = f"%H %(trailers:key={TRAILER},valueonly,separator=%x20)"
    lines = git(origin, "log", f"--format={form}", BRANCH).splitlines()
    return [(name, task.strip()) for name, _, task in (line.partition(" ") for line in lines)]


def problems(origin: Path, outcome: Outcome, *, tasks: int) -> list[str]:
    """What is not as it should be, a sentence each; empty when all is well. Raises `GitError`."""
    found = [
        f"'{task.title}' is {task.status}, not completed"
        for task in outcome.tasks
        if task.status is not TaskStatus.COMPLETED
    ]
    if len(outcome.tasks) != tasks:
        found.append(f"there are {len(outcome.tasks)} tasks, not {tasks}")
    found += _misplaced(landed_on(origin), outcome)
    rejected = outcome.count(EventKind.REJECTED)
    if rejected != 1:
        found.append(f"the checks rejected {rejected} attempts, not 1")
    found += _merged(git(origin, "show", f"{BRANCH}:{CONTESTED}"))
    if outcome.containers:
        found.append(f"containers are left: {', '.join(outcome.containers)}")
    return found


def _merged(text: str) -> list[str]:
    """What is wrong with the file that two tasks write at one place.

    Whether they meet in a conflict is a matter of time: on a machine that is slow enough one has
    landed before the other starts. What must hold is that neither's line is lost.
    """
    found = [
        f"{CONTESTED} has the line about '{line}' {text.count(line)} times, not once"
        for line in LINES
        if text.count(line) != 1
    ]
    if any(line.startswith(("<<<<<<<", ">>>>>>>")) for line in text.splitlines()):
        found.append(f"{CONTESTED} has conflict markers")
    return found


def _misplaced(on_main: Sequence[tuple[str, str]], outcome: Outcome) -> list[str]:
    """Commits that are not on the branch exactly once, by hash and by their task's trailer."""
    found = []
    for task in outcome.tasks:
        there = {name for name, owner in on_main if owner == task.id}
        meant = {c.landed_hash for c in outcome.commits.get(task.id, ()) if c.landed_hash}
        if not meant:
            found.append(f"'{task.title}' has no commit that landed")
        found += [
            f"'{task.title}': {name[:7]} is not on {BRANCH}" for name in sorted(meant - there)
        ]
        found += [f"'{task.title}': {name[:7]} is doubled" for name in sorted(there - meant)]
    known = {task.id for task in outcome.tasks}
    found += [
        f"{name[:7]} is of no task" for name, owner in on_main if owner and owner not in known
    ]
    return found
