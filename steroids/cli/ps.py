import click

from steroids.cli import glance
from steroids.cli.command import Command, Context, pass_context


@click.command(cls=Command)
@pass_context
def ps(context: Context) -> None:
    """Show the runners of this project."""
    glance.show(context)
