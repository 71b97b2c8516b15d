import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.output import count
from steroids.wire.runner import Pushed


@click.command(cls=Command)
@pass_context
def push(context: Context) -> None:
    """Try again what the remote refused."""
    answer = context.client.post(context.url("push"), {}, Pushed)
    if context.out.json:
        context.out.result({"tasks": answer.tasks})
        return
    if answer.tasks:
        context.out.line(f"trying again: {count(answer.tasks, 'task')}")
        context.out.note("follow it: steroids logs -f")
    else:
        context.out.line("nothing was refused")
