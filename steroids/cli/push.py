import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.live import PUSH_REFUSED_EXIT, live
from steroids.cli.output import count
from steroids.cli.render import Renderer
from steroids.wire.event import Event, EventKind
from steroids.wire.runner import Pushed
from steroids.wire.task import Task, Tasks, TaskStatus

OVER = frozenset({EventKind.LANDED, EventKind.PUSH_REFUSED, EventKind.CONFLICT, EventKind.REJECTED})
"""After one of these nothing of a task is being pushed."""


@click.command(cls=Command)
@click.option("-d", "--detach", is_flag=True, help="Return at once.")
@pass_context
def push(context: Context, detach: bool) -> int:
    """Try again what the remote refused, and follow it until it has landed or is refused again.

    Tasks that wait for a remote that did not answer are tried at once, too.
    """
    out = context.out
    answer = context.client.post(context.url("push"), {}, Pushed)
    if not answer.tasks:
        out.line("nothing was refused, and nothing waits to be pushed")
    elif not out.json:
        out.line(f"trying again: {count(len(answer.tasks), 'task')}")
    if detach and answer.tasks:
        out.note("follow it: steroids logs -f")
    exit_code = 0
    if answer.tasks and not detach:
        try:
            exit_code = _follow(context, answer)
        except KeyboardInterrupt:
            out.note("\ndetached; landing goes on   (steroids tasks list --status approved)")
            return 130
    if out.json:
        tasks = [_shown(each) for each in _tasks(context) if each.id in answer.tasks]
        out.result({"success": exit_code == 0, "tasks": tasks, "exitCode": exit_code})
    return exit_code


def _follow(context: Context, answer: Pushed) -> int:
    """Until each task has come to an end, or was taken away; returns the exit code."""
    render = Renderer(context.out, [])
    left, exit_code = set(answer.tasks), 0
    for event in live(context, answer.since):
        about = event.task_id in left
        # What keeps all of them waiting is about no task.
        if not context.out.json and (
            about or (event.task_id is None and event.kind is EventKind.NOTICE)
        ):
            render.show(event)
        if not about:
            continue
        if event.kind in OVER:
            left.discard(event.task_id or "")
            exit_code = _exit_code(context, event) or exit_code
        elif event.kind is EventKind.NOTICE:
            # A person may have taken it back, which is no end of a landing.
            left &= {t.id for t in _tasks(context) if t.status is TaskStatus.APPROVED}
        if not left:
            break
    return exit_code


def _exit_code(context: Context, event: Event) -> int:
    if event.kind is EventKind.LANDED:
        return 0
    if event.kind is not EventKind.PUSH_REFUSED:
        return 1
    if hint := event.data.get("hint"):
        context.out.note(f"hint: {hint}")
    return PUSH_REFUSED_EXIT


def _tasks(context: Context) -> list[Task]:
    return context.client.get(context.url("tasks"), Tasks).tasks


def _shown(task: Task) -> dict[str, object]:
    return {
        "id": task.id,
        "title": task.title,
        "section": task.section,
        "status": task.status,
        "reason": task.reason,
        "landedHash": task.landed_hash,
        "landedBranch": task.landed_branch,
    }
