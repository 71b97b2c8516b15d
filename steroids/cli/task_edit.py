import click
from msgspec import UNSET

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
from steroids.cli.options import parse_priority, priority_option, section_option
from steroids.cli.output import plain
from steroids.cli.task_add import read_spec
from steroids.wire.body import to_builtins
from steroids.wire.task import TaskEdit, TaskOne, TaskStatus

AT_AN_END = (TaskStatus.FAILED, TaskStatus.DISPUTED, TaskStatus.SKIPPED)


@click.command("edit", cls=Command)
@click.argument("task", shell_complete=task_ids)
@click.option("--title", metavar="NEW", help="Another title.")
@section_option("Another section.")
@click.option("--spec", metavar="FILE", help="What to do, anew; - for standard input.")
@priority_option(None)
@click.option("--affects", multiple=True, metavar="GLOB", help="Files that it will change, anew.")
@click.option("--no-affects", is_flag=True, help="It names no files any more.")
@click.option("--agent", metavar="NAME", help="Who codes it, in place of the project's coder.")
@click.option("--no-agent", is_flag=True, help="The project's coder.")
@click.option(
    "--after",
    multiple=True,
    metavar="TASK",
    shell_complete=task_ids,
    help="All it waits for, anew.",
)
@click.option("--no-after", is_flag=True, help="It waits for no other task any more.")
@pass_context
def edit(
    context: Context,
    task: str,
    title: str | None,
    section: str | None,
    spec: str | None,
    priority: str | None,
    affects: tuple[str, ...],
    no_affects: bool,
    agent: str | None,
    no_agent: bool,
    after: tuple[str, ...],
    no_after: bool,
) -> None:
    """Change a task; what is not named stays as it is."""
    for what, given, none in (
        ("files", bool(affects), no_affects),
        ("agent", agent is not None, no_agent),
        ("predecessors", bool(after), no_after),
    ):
        if given and none:
            raise click.UsageError(f"Say one thing about the {what}, not two")
    body = TaskEdit(
        title=UNSET if title is None else title,
        section=UNSET if section is None else section,
        spec=UNSET if spec is None else read_spec(spec),
        priority=UNSET if priority is None else parse_priority(priority),
        affected_paths=[] if no_affects else list(affects) or UNSET,
        agent=None if no_agent else UNSET if agent is None else agent,
        after=[] if no_after else list(after) or UNSET,
    )
    if body == TaskEdit():
        raise click.UsageError("There is nothing to change")
    answer = context.client.post(context.url("task", task=task), body, TaskOne)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    it = answer.task
    waits = f"  waits for {plain(it.waits_for)}" if it.waits_for else ""
    print(f"changed {it.id[:8]}  {plain(it.title)}  in {plain(it.section)}{waits}")
    if it.status in AT_AN_END:
        context.out.note(f"note: it is {it.status}\nhint: steroids tasks retry {it.id[:8]}")
