import click

from steroids.cli.command import Group
from steroids.cli.task_add import add
from steroids.cli.task_approve import approve, reject
from steroids.cli.task_audit import audit
from steroids.cli.task_checkout import checkout
from steroids.cli.task_commits import commits, diff
from steroids.cli.task_dispute import dispute
from steroids.cli.task_edit import edit
from steroids.cli.task_history import history
from steroids.cli.task_import import import_
from steroids.cli.task_list import list_
from steroids.cli.task_prompt import prompt
from steroids.cli.task_remove import remove
from steroids.cli.task_revert import revert
from steroids.cli.task_show import show
from steroids.cli.task_skip import retry, skip


@click.group(cls=Group)
def tasks() -> None:
    """The work to be done."""


for command in (
    *(add, import_, list_, show, edit, skip, retry, remove),
    *(history, commits, diff, checkout, audit, prompt),
    *(approve, reject, dispute, revert),
):
    tasks.add_command(command)
