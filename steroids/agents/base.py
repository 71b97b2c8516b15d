"""The contract of an agent: the program that does a run's work.

It runs inside the runner's container as the user `agent`, in the workspace, and sees neither the
runner's token nor anybody's credentials. Nothing here may import what the runner does not have.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

from steroids.wire.assignment import Outcome, TaskBrief

Emit = Callable[[str], None]
"""Takes a line of what the agent says or prints."""


class Part(StrEnum):
    """What the agent is to do, in `STEROIDS_ROLE`."""

    CODER = "coder"
    REVIEWER = "reviewer"


class Work(NamedTuple):
    """One run's work."""

    task: TaskBrief
    workspace: Path
    scratch: Path
    """A folder that only this run uses, outside the workspace, removed after it."""
    env: Mapping[str, str]
    """The whole environment of the agent's process."""
    uid: int | None
    """Whom it runs as; None: the runner's own user."""
    timeout_s: float
    part: Part = Part.CODER
    verdict: Path | None = None
    """Where a reviewer writes its verdict; it may write there, whoever it runs as."""


class Ended(NamedTuple):
    """How a run ended. `reason` is for the next attempt and for people."""

    outcome: Outcome
    reason: str | None = None


class Session(Protocol):
    """A run under way."""

    def wait(self) -> Ended:
        """Block until the agent came to its end, was stopped or took too long."""

    def stop(self, grace_s: float) -> None:
        """Ask it to end, then kill it and all that it started. From any thread, at any time."""


class Agent(Protocol):
    name: str

    def start(self, work: Work, emit: Emit) -> Session:
        """Begin; returns at once. Raises `Unusable` when the task cannot be worked on."""


class Unusable(Exception):
    """The task as it is written gives this agent nothing to do."""
