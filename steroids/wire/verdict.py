from datetime import datetime
from enum import StrEnum

from steroids.wire.body import Body


class Decision(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    DISPUTE = "dispute"
    """The task cannot be judged, or not be done as it is written: a person has to decide."""


class Verdict(Body):
    """What a reviewer answers."""

    decision: Decision
    reasons: list[str] = []
    files: list[str] = []
    """Paths that the reasons are about."""


class Given(Body):
    """A verdict as it was kept."""

    attempt: int
    tip: str
    reviewer: str
    """`checks`, `human`, or an agent's name."""
    decision: Decision
    reasons: list[str]
    files: list[str]
    actor: str | None
    """Of a person, who it was."""
    at: datetime
    duration_s: float


class Judge(Body):
    """A person's word on a task."""

    reason: str | None = None
    attempt: int | None = None
    """The one that they have looked at; none: whichever there is."""


class Resolution(StrEnum):
    APPROVE = "approve"
    RETRY = "retry"
    SKIP = "skip"


class Resolve(Body):
    """How a dispute ends."""

    how: Resolution
    reason: str | None = None
