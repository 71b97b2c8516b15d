"""Taking a task out of the work, and putting it back in."""

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
from steroids.cli.output import plain
from steroids.wire.body import to_builtins
from steroids.wire.task import Task, TaskOne
from steroids.wire.verdict import Judge


@click.command("skip", cls=Command)
@click.argument("task", shell_complete=task_ids)
@click.option("--reason", metavar="TEXT", help="Why; for the audit.")
@pass_context
def skip(context: Context, task: str, reason: str | None) -> None:
    """Have nobody work on a task, review or land it; its commits are kept."""
    it = _send(context, "skip", task, reason)
    if it is not None:
        print(f"skipped {it.id[:8]}  {plain(it.title)}")
        context.out.note(f"hint: steroids tasks retry {it.id[:8]}   (takes it up again)")


@click.command("retry", cls=Command)
@click.argument("task", shell_complete=task_ids)
@click.option("--reason", metavar="TEXT", help="What the next attempt is to know.")
@pass_context
def retry(context: Context, task: str, reason: str | None) -> None:
    """Have a task that failed, is disputed or was skipped worked on again."""
    it = _send(context, "retry", task, reason)
    if it is not None:
        waits = f"  waits for {plain(it.waits_for)}" if it.waits_for else ""
        print(f"{it.status} again {it.id[:8]}  {plain(it.title)}{waits}")
        context.out.note(f"next: steroids up --section '{plain(it.section)}'")


def _send(context: Context, verb: str, task: str, reason: str | None) -> Task | None:
    """The task as it is then; None when it has been printed as JSON."""
    url = context.url(f"task/{verb}", task=task)
    answer = context.client.post(url, Judge(reason=reason), TaskOne)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return None
    return answer.task
