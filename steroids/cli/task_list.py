import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.options import section_option
from steroids.wire.body import to_builtins
from steroids.wire.task import Tasks, TaskStatus

STATUSES = [each.value for each in TaskStatus]


@click.command("list", cls=Command)
@click.option("--status", multiple=True, type=click.Choice(STATUSES))
@section_option("Only this one's.")
@click.option("--search", metavar="TEXT", help="In title or spec.")
@pass_context
def list_(
    context: Context, status: tuple[str, ...], section: str | None, search: str | None
) -> None:
    """List tasks, oldest first."""
    url = context.url("tasks", status=list(status), section=section, search=search)
    answer = context.client.get(url, Tasks)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    if not answer.tasks:
        context.out.note("no tasks\nhint: steroids tasks add TITLE --section S --spec FILE")
        return
    rows = [
        (t.id[:8], t.status, t.section, t.title, str(t.current_attempt), (t.landed_hash or "-")[:7])
        for t in answer.tasks
    ]
    context.out.table(("ID", "STATUS", "SECTION", "TITLE", "ATTEMPT", "LANDED"), rows)
