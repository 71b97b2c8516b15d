import click

from steroids.cli.command import Group
from steroids.cli.section_add import add
from steroids.cli.section_edit import depends_on, edit, no_depends_on, priority, skip, unskip
from steroids.cli.section_graph import graph
from steroids.cli.section_remove import remove
from steroids.cli.section_show import list_, show


@click.group(cls=Group)
def sections() -> None:
    """The parts of the repository that runners work in."""


for command in (
    add,
    edit,
    remove,
    skip,
    unskip,
    priority,
    depends_on,
    no_depends_on,
    graph,
    list_,
    show,
):
    sections.add_command(command)
