import click

from steroids.cli.columns import fit
from steroids.cli.command import Command, Context, address, pass_context
from steroids.cli.options import section_option
from steroids.wire.body import to_builtins
from steroids.wire.task import Task, Tasks, TaskStatus

STATUSES = [each.value for each in TaskStatus]
TITLE, WAITS = "TITLE", "WAITS FOR"


@click.command("list", cls=Command)
@click.option("--status", multiple=True, type=click.Choice(STATUSES), help="Only in this state.")
@section_option("Only this one's; also of one that was removed.")
@click.option("--global", "everywhere", is_flag=True, help="Of all projects of this host.")
@click.option("--search", metavar="TEXT", help="In title or spec.")
@pass_context
def list_(
    context: Context,
    status: tuple[str, ...],
    section: str | None,
    everywhere: bool,
    search: str | None,
) -> None:
    """List tasks, oldest first."""
    asked = {"status": list(status), "section": section, "search": search}
    path = "tasks/everywhere" if everywhere else "tasks"
    url = address(path, **asked) if everywhere else context.url(path, **asked)
    answer = context.client.get(url, Tasks)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    for note in answer.notes:
        context.out.note(f"note: {note}")
    if not answer.tasks:
        some = "such tasks" if status or section or search else "tasks"
        context.out.note(f"no {some}\nhint: steroids tasks add TITLE --section S --spec FILE")
        return
    _table(context, answer.tasks, everywhere)


def _table(context: Context, tasks: list[Task], everywhere: bool) -> None:
    heads = ["ID", "STATUS", "SECTION", TITLE, "ATTEMPT", "LANDED"]
    rows = [
        [t.id[:8], t.status, t.section, t.title, str(t.current_attempt), (t.landed_hash or "-")[:7]]
        for t in tasks
    ]
    if everywhere:
        heads.insert(0, "PROJECT")
        rows = [[str(task.project), *row] for task, row in zip(tasks, rows, strict=True)]
    waits = [_waits_for(task) for task in tasks]
    if any(waits):
        heads.append(WAITS)
        rows = [[*row, wait] for row, wait in zip(rows, waits, strict=True)]
    fit(heads, rows, TITLE, WAITS)
    context.out.table(heads, rows)


def _waits_for(task: Task) -> str:
    if task.status is TaskStatus.REVIEW and task.awaits:
        return "your review" if task.awaits == "human" else f"review by {task.awaits}"
    if task.status is TaskStatus.APPROVED and task.push_refused:
        return "steroids push: the remote refused it"
    return task.waits_for or ""
