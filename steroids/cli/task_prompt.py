import sys

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
from steroids.cli.output import plain
from steroids.wire.body import to_builtins
from steroids.wire.history import Prompt


@click.command("prompt", cls=Command)
@click.argument("task", shell_complete=task_ids)
@click.option("--reviewer", metavar="NAME", help="What that one is told of the newest attempt.")
@pass_context
def prompt(context: Context, task: str, reviewer: str | None) -> None:
    """Print what the next coder of a task is told, or a reviewer."""
    url = context.url("task/prompt", task=task, reviewer=reviewer)
    answer = context.client.get(url, Prompt)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    sys.stdout.write(plain(answer.prompt))
