import click

from steroids.cli.columns import cut, fit
from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import task_ids
from steroids.wire.body import to_builtins
from steroids.wire.task import Change, Changes

REASON_CHARS = 200


@click.command("audit", cls=Command)
@click.argument("task", required=False, shell_complete=task_ids)
@pass_context
def audit(context: Context, task: str | None) -> None:
    """List every change of a task's state (without TASK: of all), with who made it and why."""
    answer = context.client.get(context.url("tasks/audit", task=task), Changes)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    if not answer.audit:
        context.out.note("nothing has happened yet")
        return
    heads = ["WHEN", "WHO", "FROM", "TO", "WHY"]
    rows = [_row(each) for each in answer.audit]
    if task is None:
        heads[1:1] = ["ID", "TASK"]
        for row, each in zip(rows, answer.audit, strict=True):
            row[1:1] = [each.task_id[:8], each.task]
    fit(heads, rows, "TASK", "WHY")
    context.out.table(heads, rows)


def _row(change: Change) -> list[str]:
    first, *rest = (change.reason or "").splitlines() or [""]
    return [
        f"{change.at.astimezone():%Y-%m-%d %H:%M:%S}",
        change.actor,
        change.from_status or "-",
        change.to_status,
        cut(f"{first} ..." if rest else first, REASON_CHARS),
    ]
