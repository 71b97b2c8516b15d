import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
from steroids.cli.output import count, plain
from steroids.wire.body import to_builtins
from steroids.wire.commit import Attempts
from steroids.wire.task import TaskOne


@click.command("show", cls=Command)
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


def _indented(label: str, text: str) -> None:
    first, *rest = plain(text).splitlines() or [""]
    print(f"  {label:<8}  {first}")
    for line in rest[-30:]:
        print(f"            {line}")
