import sys

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
from steroids.cli.live import PUSH_REFUSED_EXIT, live
from steroids.cli.output import escape
from steroids.cli.render import Renderer
from steroids.wire.body import to_builtins
from steroids.wire.event import EventKind
from steroids.wire.revert import Revert, Reverting
from steroids.wire.task import Task, TaskOne, TaskStatus

CLOSING = frozenset(
    {
        *(EventKind.LANDED, EventKind.CONFLICT, EventKind.REJECTED),
        *(EventKind.ENDED, EventKind.PUSH_REFUSED),
    }
)
"""After one of these nothing more happens by itself."""


@click.command("revert", cls=Command)
@click.argument("task", shell_complete=task_ids)
@click.option("--reason", metavar="TEXT", help="Why; written into the commits.")
@click.option("-d", "--detach", is_flag=True, help="Return before it has landed.")
@pass_context
def revert(context: Context, task: str, reason: str | None, detach: bool) -> int:
    """Take back what a completed task has landed."""
    url = context.url("task/revert", task=task)
    answer = context.client.post(url, Revert(reason=reason), Reverting, timeout_s=600)
    made, out = answer.task, context.out
    if not out.json:
        out.line(f"added {made.id[:8]}  {escape(made.title)}  in {escape(made.section)}")
    if not detach:
        try:
            _follow(context, answer)
        except KeyboardInterrupt:
            out.note("\ndetached; it goes on landing")
            out.note(f"what came of it: steroids tasks show {made.id[:8]}")
            sys.stdout.flush()
            return 130
        made = context.client.get(context.url("task", task=made.id), TaskOne).task
    if out.json:
        out.result(to_builtins(TaskOne(task=made)))
    elif detach:
        out.note("follow it: steroids logs -f")
    return 0 if detach else _concluded(context, made)


def _follow(context: Context, answer: Reverting) -> None:
    """Show what happens until it has landed, or cannot."""
    render = Renderer(context.out, [answer.task.section], brief=True)
    for event in live(context, answer.since):
        own = event.task_id == answer.task.id
        # Why landing waits is said of the project.
        general = event.kind is EventKind.NOTICE and event.section is None
        if (own or general) and not context.out.json:
            render.show(event)
        if own and event.kind in CLOSING:
            return


def _concluded(context: Context, task: Task) -> int:
    if task.status is TaskStatus.COMPLETED:
        return 0
    if task.push_refused:
        context.out.note("hint: steroids push   (tries again what the remote refused)")
        return PUSH_REFUSED_EXIT
    context.out.note(f"{task.status}: it has not landed   steroids tasks show {task.id[:8]}")
    return 1
