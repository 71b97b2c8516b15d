from datetime import datetime
from enum import StrEnum

from steroids.wire.body import Body


class Action(StrEnum):
    STARTED = "started"
    WOULD_START = "would_start"
    """The same, of a dry run."""
    RUNNING = "running"
    """Its runners live, and no other is needed."""
    SKIPPED = "skipped"
    """It could not be started, or is not to be."""
    NONE = "none"
    """There is nothing that a runner could begin."""


class Woken(Body):
    """What a wakeup did about one project."""

    project: str
    """Its path."""
    action: Action
    reason: str
    runners: int = 0
    """How many live; of `started` and `would_start` those that it starts as well."""
    failed: bool = False
    """It was skipped, and should not have to be: something is wrong."""
    sections: list[str] = []
    """Those that runners are started for; empty also where the single one for all is."""


class Wakeup(Body):
    dry_run: bool = False


class Wakeups(Body):
    results: list[Woken]
    """By the projects' paths."""
    in_progress: bool = False
    """Another wakeup is at it; nothing was done then."""
    took_s: float = 0


class PastWakeup(Body):
    began_at: datetime
    took_s: float
    projects: int
    """How many were looked at."""
    results: list[Woken]
    """Those that were started, and those that could not be."""


class PastWakeups(Body):
    wakeups: list[PastWakeup]
    """Newest first."""
