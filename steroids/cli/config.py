import click

from steroids.cli.command import Context, Group, address, pass_context
from steroids.wire.body import to_builtins
from steroids.wire.daemon import Settings


@click.group(cls=Group)
def config() -> None:
    """Settings, and where each value comes from."""


@config.command("show")
@pass_context
def show(context: Context) -> None:
    """Show every setting, its value and its source."""
    project = context.project_if_any()
    answer = context.client.get(address("config", project=project), Settings)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    rows = [
        (each.key, "-" if each.value is None else str(each.value), each.source)
        for each in answer.settings
    ]
    context.out.table(("KEY", "VALUE", "FROM"), rows)
