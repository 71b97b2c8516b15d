import sys
from pathlib import Path

import click

from steroids.cli.command import Context, Group, pass_context
from steroids.cli.completion import task_ids
from steroids.cli.options import parse_priority, section_option
from steroids.cli.output import count, plain
from steroids.wire.body import to_builtins
from steroids.wire.commit import Attempts, Commits, Diff
from steroids.wire.task import TaskAdd, TaskOne, Tasks, TaskStatus

STATUSES = [each.value for each in TaskStatus]


@click.group(cls=Group)
def tasks() -> None:
    """The work to be done."""


@tasks.command("add")
@click.argument("title")
@section_option("Where it is worked on: a name or an id.", required=True)
@click.option("--spec", metavar="FILE", help="What to do, in Markdown; - for standard input.")
@click.option("--priority", default="medium", metavar="N", help="0 to 100, or high, medium, low.")
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
        spec=_read(spec),
        priority=parse_priority(priority),
        affected_paths=list(affects),
    )
    answer = context.client.post(context.url("tasks"), body, TaskOne)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    task = answer.task
    context.out.line(f"added {task.id[:8]}  {plain(task.title)}  in {task.section}")


@tasks.command("list")
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


@tasks.command("show")
@click.argument("task", shell_complete=task_ids)
@pass_context
def show(context: Context, task: str) -> None:
    """Show a task, its attempts and why it is where it is."""
    answer = context.client.get(context.url("task", task=task), TaskOne)
    attempts = context.client.get(context.url("task/attempts", task=task), Attempts)
    if context.out.json:
        context.out.result({**to_builtins(answer), **to_builtins(attempts)})
        return
    it, line = answer.task, context.out.line
    print(f"{plain(it.title)}")
    line(f"  id        {it.id}")
    line(f"  section   {it.section}")
    line(f"  status    {it.status}")
    if it.landed_hash:
        line(f"  landed    {it.landed_hash}")
    counts = (
        (it.rejection_count, "rejection"),
        (it.landing_failures, "landing failure"),
        (it.infrastructure_failures, "infrastructure failure"),
    )
    if any(number for number, _ in counts):
        line(f"  failures  {', '.join(count(n, noun) for n, noun in counts if n)}")
    if it.reason:
        _indented("reason", it.reason)
    for attempt in attempts.attempts:
        tip = (attempt.tip or "nothing yet")[:7] if attempt.tip else "nothing yet"
        print(f"  attempt {attempt.number}  {attempt.status}  {attempt.base_commit[:7]}..{tip}")
        if attempt.reason and attempt.reason != it.reason:
            _indented("", attempt.reason)
    if it.spec:
        print()
        print(plain(it.spec).rstrip())


@tasks.command("commits")
@click.argument("task", shell_complete=task_ids)
@pass_context
def commits(context: Context, task: str) -> None:
    """List exactly the commits that belong to a task."""
    answer = context.client.get(context.url("task/commits", task=task), Commits)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    rows = [
        (
            str(each.attempt),
            each.hash[:7],
            each.status,
            (each.landed_hash or "-")[:7],
            each.message.splitlines()[0] if each.message else "",
        )
        for each in answer.commits
    ]
    if not rows:
        context.out.note("no commits yet")
        return
    context.out.table(("ATTEMPT", "COMMIT", "STATUS", "LANDED", "MESSAGE"), rows)


@tasks.command("diff")
@click.argument("task", shell_complete=task_ids)
@click.option("--attempt", type=int, metavar="N", help="Default: the newest.")
@click.option("--all", "whole", is_flag=True, help="The whole task, over all attempts.")
@click.option("--stat", is_flag=True, help="Only which files, and how much.")
@pass_context
def diff(context: Context, task: str, attempt: int | None, whole: bool, stat: bool) -> None:
    """Show what an attempt changed."""
    url = context.url(
        "task/diff", task=task, attempt=attempt, whole=whole or None, stat=stat or None
    )
    answer = context.client.get(url, Diff)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    if answer.tip is None:
        context.out.note("nothing submitted yet")
    at_terminal = sys.stdout.isatty()
    sys.stdout.write(plain(answer.diff) if at_terminal else answer.diff)


def _read(spec: str | None) -> str:
    if spec is None:
        return ""
    try:
        return sys.stdin.read() if spec == "-" else Path(spec).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise click.BadParameter(f"cannot read {spec}: {reason}", param_hint="--spec") from None


def _indented(label: str, text: str) -> None:
    first, *rest = plain(text).splitlines() or [""]
    print(f"  {label:<8}  {first}")
    for line in rest[-30:]:
        print(f"            {line}")
