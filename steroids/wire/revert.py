from steroids.wire.body import Body
from steroids.wire.task import Task


class Revert(Body):
    """That a completed task's commits are to be taken back."""

    reason: str | None = None


class Reverting(Body):
    task: Task
    """The new one, which takes them back."""
    since: int
    """Sequence number of the last event before there was any of it."""
