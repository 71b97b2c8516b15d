from datetime import UTC, datetime

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.output import ago
from steroids.wire.body import to_builtins
from steroids.wire.runner import Role, Runner, Runners

HEADS = ("ID", "STATUS", "ENGINE", "CONTAINER", "SECTION", "TASK", "HEARTBEAT")


@click.command(cls=Command)
@pass_context
def ps(context: Context) -> None:
    """Show the runners of this project."""
    answer = context.client.get(context.url("runners"), Runners)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    if not answer.runners:
        context.out.note("no runners\nhint: steroids up")
        return
    now = datetime.now(UTC)
    context.out.table(HEADS, [_row(runner, now) for runner in answer.runners])


def _row(runner: Runner, now: datetime) -> tuple[str, ...]:
    section = runner.section or "-"
    if runner.role is not Role.SECTION:
        section = f"{section} ({runner.role})"
    task = runner.task or "-"
    if runner.waits_for:
        task = f"waiting for {runner.waits_for}"
    beat = ago((now - runner.heartbeat_at).total_seconds()) if runner.heartbeat_at else "-"
    return (
        runner.id[:8],
        runner.status,
        runner.engine,
        runner.container or "-",
        section,
        task,
        beat,
    )
