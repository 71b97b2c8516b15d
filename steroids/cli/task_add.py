import sys
from pathlib import Path

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
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
@click.option("--agent", metavar="NAME", help="Who codes it, in place of the project's coder.")
@click.option(
    "--after",
    multiple=True,
    metavar="TASK",
    shell_complete=task_ids,
    help="What has to be completed before it is begun.",
)
@pass_context
def add(
    context: Context,
    title: str,
    section: str,
    spec: str | None,
    priority: str,
    affects: tuple[str, ...],
    agent: str | None,
    after: tuple[str, ...],
) -> None:
    """Add a task."""
    body = TaskAdd(
        title=title,
        section=section,
        spec=read_spec(spec),
        priority=parse_priority(priority),
        affected_paths=list(affects),
        agent=agent,
        after=list(after),
    )
    answer = context.client.post(context.url("tasks"), body, TaskOne)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    task = answer.task
    waits = f"  waits for {plain(task.waits_for)}" if task.waits_for else ""
    print(f"added {task.id[:8]}  {plain(task.title)}  in {plain(task.section)}{waits}")


def read_spec(spec: str | None) -> str:
    """Of a file, or with `-` of standard input; empty when none is named. Raises a usage error."""
    return "" if spec is None else read_text(spec, "--spec")


def read_text(path: str, what: str) -> str:
    """The same of any file; `what` is the option or argument that names it."""
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise click.BadParameter(f"cannot read {path}: {reason}", param_hint=what) from None
