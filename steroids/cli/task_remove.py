import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
from steroids.cli.confirm import confirm, yes_option
from steroids.cli.output import plain
from steroids.wire.body import to_builtins
from steroids.wire.task import TaskOne


@click.command("remove", cls=Command)
@click.argument("task", shell_complete=task_ids)
@yes_option()
@click.option("--dry-run", is_flag=True, help="Only say whether it can be removed.")
@pass_context
def remove(context: Context, task: str, yes: bool, dry_run: bool) -> None:
    """Take a task off all lists; its commits and its audit stay."""
    if dry_run or not yes:
        url = context.url("task/remove", task=task, dry_run=True)
        answer = context.client.post(url, None, TaskOne)
        if not dry_run:
            # From here on by its id: what was asked about is what is removed.
            title, task = answer.task.title, answer.task.id
            confirm(context, f"Remove task '{title}'?", f"steroids tasks remove {task[:8]} --yes")
    if not dry_run:
        answer = context.client.post(context.url("task/remove", task=task), None, TaskOne)
    if context.out.json:
        context.out.result({**to_builtins(answer), **({"dryRun": True} if dry_run else {})})
        return
    verb = "would remove" if dry_run else "removed"
    print(f"{verb} {answer.task.id[:8]}  {plain(answer.task.title)}")
