"""Following a project's events until its sections are done, and what came of it."""

import time
from collections import Counter
from collections.abc import Iterator

from steroids.cli.command import Context
from steroids.cli.live import PUSH_REFUSED_EXIT, live
from steroids.cli.output import count, lasting
from steroids.cli.render import Renderer
from steroids.errors import Busy, SteroidsError
from steroids.wire.body import encode, to_builtins
from steroids.wire.error import to_exception
from steroids.wire.event import CLOSING, Event, EventKind
from steroids.wire.section import Sections
from steroids.wire.task import Task, Tasks, TaskStatus

FAILED_STATUS = 500


class StoppedBefore(Busy):
    code = "STOPPED_BEFORE_READY"


class Follower:
    """Shows events from `since` on, of the named sections and of the project as a whole.

    Without sections it follows the single runner, which works on all of them.
    """

    def __init__(self, context: Context, sections: list[str] | None, since: int) -> None:
        self._context = context
        self._sections = sections
        self._open: set[str | None] = {None} if sections is None else {*sections}
        self._since = since
        names = sections if sections is not None else self._all_sections()
        self._render = Renderer(context.out, names, brief=True)
        self._exit_code = 0
        self._failure: SteroidsError | None = None
        self._landed: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._began = time.monotonic()

    def until_done(self) -> int:
        """Until every section is drained, stopped or failed; returns the exit code."""
        for event in self._shown(frozenset()):
            if self._context.out.json:
                print(_json_line(event), flush=True)
            self._follow_moved(event)
        return self._conclude()

    def until_up(self) -> int:
        """Until every runner is ready, or has failed to be; returns the exit code.

        Raises `StoppedBefore` when somebody has stopped one meanwhile.
        """
        for event in self._shown(frozenset({EventKind.READY})):
            if event.kind is EventKind.STOPPED and event.section in self._open:
                raise StoppedBefore(
                    f"The runner of {event.section or 'all sections'} was stopped before it was "
                    "ready",
                    hint="steroids runners list",
                )
        if self._context.out.json and self._failure is not None:
            raise self._failure
        return self._exit_code

    def until_ready(self, wanted: list[str]) -> int:
        """The same, with a closing line; `wanted` are all sections that will have a runner."""
        self.until_up()
        assert self._sections is not None
        waiting = [name for name in wanted if name not in self._sections]
        if self._context.out.json:
            self._context.out.result({"sections": wanted, "exitCode": self._exit_code})
        elif self._exit_code == 0:
            started = count(len(self._sections), "runner") if self._sections else "no runner"
            more = f", {len(waiting)} there already or queued" if waiting else ""
            self._context.out.note(f"{started} started{more}")
            self._context.out.note("next: steroids logs -f   (who waits: steroids runners status)")
        return self._exit_code

    def _shown(self, also_closing: frozenset[EventKind]) -> Iterator[Event]:
        """Events, each shown, until each section had one that closes it."""
        if not self._open:
            return
        for event in live(self._context, self._since):
            if self._is_another(event.section):
                continue
            self._count(event)
            if not self._context.out.json:
                self._render.show(event, self._summary(event))
            yield event
            if self._closes(event, also_closing):
                self._open.discard(event.section)
            if not self._open:
                return

    def _closes(self, event: Event, also_closing: frozenset[EventKind]) -> bool:
        return event.kind in CLOSING | also_closing

    def _follow_moved(self, event: Event) -> None:
        """A task that went on to another section is seen to its end there."""
        to = event.data.get("to")
        if self._sections is None or not isinstance(to, str) or not event.data.get("wanted"):
            return
        if self._is_another(to):
            self._sections.append(to)
        self._open.add(to)

    def _is_another(self, section: str | None) -> bool:
        return section is not None and self._sections is not None and section not in self._sections

    def _count(self, event: Event) -> None:
        section = event.section or ""
        match event.kind:
            case EventKind.LANDED:
                self._landed[section] += 1
            case EventKind.REJECTED | EventKind.CONFLICT:
                self._rejected[section] += 1
            case EventKind.ENDED:
                self._exit_code = self._exit_code or 1
            case EventKind.PUSH_REFUSED:
                self._exit_code = PUSH_REFUSED_EXIT
            case EventKind.FAILED:
                self._failure = to_exception(encode(event.data), FAILED_STATUS)
                self._exit_code = self._failure.exit_code

    def _summary(self, event: Event) -> str:
        if event.kind is not EventKind.DRAINED:
            return ""
        own = [event.section] if event.section is not None else list(self._landed)
        again = sum(self._rejected[name] for name in own)
        text = f"drained: {sum(self._landed[name] for name in own)} completed"
        if again:
            text += f", sent back {'once' if again == 1 else f'{again} times'}"
        return f"{text}  {lasting(time.monotonic() - self._began)}"

    def _conclude(self) -> int:
        tasks = [task for task in self._tasks() if not self._is_another(task.section)]
        unfinished = [task for task in tasks if task.status is not TaskStatus.COMPLETED]
        for task in unfinished:
            if task.awaits is not None:
                say_it_waits(self._context, task)
            elif task.status in (TaskStatus.FAILED, TaskStatus.DISPUTED, TaskStatus.APPROVED):
                self._context.out.note(
                    f"{task.status}: '{task.title}'   steroids tasks show {task.id[:8]}"
                )
        if any(task.status is TaskStatus.DISPUTED for task in unfinished):
            hint = "steroids tasks dispute resolve ID --approve|--retry|--skip"
            self._context.out.note(f"hint: {hint}")
        if unfinished and any(task.status is TaskStatus.APPROVED for task in unfinished):
            self._context.out.note("hint: steroids push   (tries again what the remote refused)")
        return self._exit_code

    def _all_sections(self) -> list[str]:
        answer = self._context.client.get(self._context.url("sections"), Sections)
        return [each.name for each in answer.sections]

    def _tasks(self) -> list[Task]:
        return self._context.client.get(self._context.url("tasks"), Tasks).tasks


def say_what_waits(context: Context) -> None:
    """All tasks that wait for a person's review."""
    for task in context.client.get(context.url("tasks"), Tasks).tasks:
        if task.awaits is not None:
            say_it_waits(context, task)


def say_it_waits(context: Context, task: Task) -> None:
    """That nothing goes on with it until somebody has looked, and what to type then."""
    short = task.id[:8]
    context.out.note(
        f"waits for your review: '{task.title}'\n"
        f"  steroids tasks diff {short}\n"
        f"  steroids tasks approve {short}\n"
        f"  steroids tasks reject {short} --reason TEXT"
    )


def _json_line(event: Event) -> str:
    import json

    return json.dumps(to_builtins(event), default=str)
