import sys

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
from steroids.cli.output import plain
from steroids.wire.body import to_builtins
from steroids.wire.commit import Commits, Diff


@click.command("commits", cls=Command)
@click.argument("task", shell_complete=task_ids)
@pass_context
def commits(context: Context, task: str) -> None:
    """List exactly the commits that belong to a task."""
    answer = context.client.get(context.url("task/commits", task=task), Commits)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    rows = [
        (
            str(each.attempt),
            each.hash[:7],
            each.status,
            (each.landed_hash or "-")[:7],
            each.message.splitlines()[0] if each.message else "",
        )
        for each in answer.commits
    ]
    if not rows:
        context.out.note("no commits yet")
        return
    context.out.table(("ATTEMPT", "COMMIT", "STATUS", "LANDED", "MESSAGE"), rows)


@click.command("diff", cls=Command)
@click.argument("task", shell_complete=task_ids)
@click.option("--attempt", type=int, metavar="N", help="Default: the newest.")
@click.option("--all", "whole", is_flag=True, help="The whole task, over all attempts.")
@click.option("--stat", is_flag=True, help="Only which files, and how much.")
@pass_context
def diff(context: Context, task: str, attempt: int | None, whole: bool, stat: bool) -> None:
    """Show what an attempt changed."""
    url = context.url(
        "task/diff", task=task, attempt=attempt, whole=whole or None, stat=stat or None
    )
    answer = context.client.get(url, Diff)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    if answer.tip is None:
        context.out.note("nothing submitted yet")
    at_terminal = sys.stdout.isatty()
    sys.stdout.write(plain(answer.diff) if at_terminal else answer.diff)
