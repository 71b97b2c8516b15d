"""Which task a runner would be given next, and why not those before it."""

from steroids.wire.body import Body
from steroids.wire.task import TaskStatus


class Passed(Body):
    """A task, and what would become of it in a claim now."""

    id: str
    title: str
    section: str
    section_id: str
    status: TaskStatus
    attempt: int
    """The number that its next attempt would have, or that its current one has."""
    picked: bool
    reason: str | None
    """Why it is not picked, though it comes before the one that is; none: it is."""


class Next(Body):
    picked: Passed | None
    """None: a runner would be given nothing now."""
    passed: list[Passed]
    """Those that come before it, in order; without one, all that are not at an end."""
    more: int
    """How many further tasks come after the one that is picked."""
    refused: str | None
    """Why a runner would not even be started; none: it would."""
