import click

from steroids.cli.command import Group
from steroids.cli.task_add import add
from steroids.cli.task_commits import commits, diff
from steroids.cli.task_list import list_
from steroids.cli.task_show import show


@click.group(cls=Group)
def tasks() -> None:
    """The work to be done."""


for command in (add, list_, show, commits, diff):
    tasks.add_command(command)
