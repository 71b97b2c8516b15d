"""What a runner asks for when it wants work, and what it is told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Asking:
    """A runner that wants to know what to do; without a section it works on all of them."""

    runner_id: str
    section_id: str | None
    once: bool = False
    """It is given one task, again and again until that is over, and no other one."""


@dataclass(frozen=True)
class Answer:
    task_id: str | None = None
    """What it has now; it may have had it before."""
    fence: int = 0
    waits_for: str | None = None
    """What keeps it from having anything, for people."""
    left: bool = True
    """Whether there may yet be something for it to do."""
