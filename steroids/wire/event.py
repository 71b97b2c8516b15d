from datetime import datetime
from enum import StrEnum
from typing import Any

from steroids.wire.body import Body


class EventKind(StrEnum):
    STEP = "step"
    """Provisioning: `data` has `step`, `detail`, `durationS`."""
    PROGRESS = "progress"
    """A line of a step that takes long."""
    READY = "ready"
    CLAIMED = "claimed"
    LOG = "log"
    COMMIT = "commit"
    SUBMITTED = "submitted"
    CHECKED = "checked"
    REVIEWED = "reviewed"
    """A reviewer approved; others may have to, too. `data` has `reviewer`."""
    AWAITS = "awaits"
    """A person has to look: `data` has `reviewer`."""
    REJECTED = "rejected"
    APPROVED = "approved"
    CONFLICT = "conflict"
    LANDED = "landed"
    PUSH_REFUSED = "push_refused"
    ENDED = "ended"
    """A task failed or is disputed; `text` says why."""
    NOTICE = "notice"
    LOST = "lost"
    DRAINED = "drained"
    STOPPED = "stopped"
    FAILED = "failed"
    """A runner could not be started; `data` has the error."""


CLOSING = frozenset({EventKind.DRAINED, EventKind.STOPPED, EventKind.FAILED})
"""After one of these a section has no runner until somebody asks for one."""


class Event(Body):
    seq: int
    at: datetime
    kind: EventKind
    text: str = ""
    section: str | None = None
    runner_id: str | None = None
    task_id: str | None = None
    task: str | None = None
    attempt: int | None = None
    data: dict[str, Any] = {}


class Said(Body):
    """An event as a runner reports it; the controller knows the rest."""

    kind: EventKind
    text: str = ""
    data: dict[str, Any] = {}


class Batch(Body):
    first: int
    """The runner's own count of the first one, so that a batch sent twice is taken once."""
    events: list[Said]


class Events(Body):
    events: list[Event]
