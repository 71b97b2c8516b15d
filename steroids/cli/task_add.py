import sys
from pathlib import Path

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.options import parse_priority, priority_option, section_option
from steroids.cli.output import plain
from steroids.wire.body import to_builtins
from steroids.wire.task import TaskAdd, TaskOne


@click.command("add", cls=Command)
@click.argument("title")
@section_option("Where it is worked on: a name or an id.", required=True)
@click.option("--spec", metavar="FILE", help="What to do, in Markdown; - for standard input.")
@priority_option()
@click.option("--affects", multiple=True, metavar="GLOB", help="Files that it will change.")
@pass_context
def add(
    context: Context,
    title: str,
    section: str,
    spec: str | None,
    priority: str,
    affects: tuple[str, ...],
) -> None:
    """Add a task."""
    body = TaskAdd(
        title=title,
        section=section,
        spec=read_spec(spec),
        priority=parse_priority(priority),
        affected_paths=list(affects),
    )
    answer = context.client.post(context.url("tasks"), body, TaskOne)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    task = answer.task
    context.out.line(f"added {task.id[:8]}  {plain(task.title)}  in {task.section}")


def read_spec(spec: str | None) -> str:
    """Of a file, or with `-` of standard input; empty when none is named. Raises a usage error."""
    if spec is None:
        return ""
    try:
        return sys.stdin.read() if spec == "-" else Path(spec).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise click.BadParameter(f"cannot read {spec}: {reason}", param_hint="--spec") from None
