import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
from steroids.wire.body import to_builtins
from steroids.wire.task import CheckedOut, TaskCheckout


@click.command("checkout", cls=Command)
@click.argument("task", shell_complete=task_ids)
@click.option("--attempt", type=int, metavar="N", help="Default: the newest with commits.")
@click.option("--branch", metavar="NAME", help="Default: steroids/<id>.")
@pass_context
def checkout(context: Context, task: str, attempt: int | None, branch: str | None) -> None:
    """Bring an attempt into your repository as a branch, to look at or to go on by hand.

    Your work tree stays as it is.
    """
    body = TaskCheckout(attempt=attempt, branch=branch)
    answer = context.client.post(context.url("task/checkout", task=task), body, CheckedOut)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    told = f"{'made' if answer.created else 'brought up'} branch {answer.branch}"
    print(f"{told}: attempt {answer.attempt}, {answer.tip[:7]}")
    context.out.note(f"next: git switch {answer.branch}")
