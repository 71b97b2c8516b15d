"""Following the one runner of a `steroids loop` to its end."""

from steroids.cli.command import Context
from steroids.cli.follow import Follower
from steroids.wire.event import CLOSING, Event, EventKind
from steroids.wire.runner import Runner
from steroids.wire.task import Task


class LoopFollower(Follower):
    """Until the runner ends, and not its section: nobody starts another one for this loop.

    With `once` what is told in the end is about the runner's own task only.
    """

    def __init__(self, context: Context, runner: Runner, since: int, *, once: bool) -> None:
        super().__init__(context, [runner.section] if runner.section else None, since)
        self._runner = runner
        self._once = once
        self._claimed: set[str] = set()

    def _count(self, event: Event) -> None:
        super()._count(event)
        if event.runner_id != self._runner.id:
            return
        if event.kind is EventKind.CLAIMED and event.task_id is not None:
            self._claimed.add(event.task_id)
        elif event.kind is EventKind.LOST:
            self._exit_code = self._exit_code or 1

    def _closes(self, event: Event, also_closing: frozenset[EventKind]) -> bool:
        if event.kind is EventKind.FAILED:
            # It never came to be a runner.
            return event.section == self._runner.section
        if event.runner_id != self._runner.id:
            return False
        return event.kind in CLOSING | {EventKind.LOST} or bool(event.data.get("over"))

    def _tasks(self) -> list[Task]:
        found = super()._tasks()
        return [task for task in found if task.id in self._claimed] if self._once else found
