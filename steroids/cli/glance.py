"""What `steroids ps` prints. Without click and without wire types: people run it in loops, and both
take longer to load than the controller takes to answer."""

from datetime import UTC, datetime
from typing import Any

from steroids.cli.context import Context
from steroids.cli.output import ago

HEADS = ("ID", "STATUS", "ENGINE", "CONTAINER", "PID", "SECTION", "TASK", "HEARTBEAT")
SECTION, SINGLE = "section", "single"
"""`Role.SECTION`, `Role.SINGLE`."""


def show(context: Context) -> int:
    """Print them; returns 0."""
    answer = context.client.get_plain(context.url("runners"))
    if context.out.json:
        context.out.result(answer)
        return 0
    held = answer.get("held") or []
    if answer["runners"]:
        now = datetime.now(UTC)
        context.out.table(HEADS, [_row(runner, now) for runner in answer["runners"]])
    else:
        context.out.note("no runners" if held else "no runners\nhint: steroids up")
    for task in held:
        reason = task["reason"].partition("\n")[0]
        context.out.note(f"approved, not landed: '{task['task']}' ({task['section']}): {reason}")
    if held:
        context.out.note("hint: steroids push   (tries again now)")
    return 0


def _row(runner: dict[str, Any], now: datetime) -> tuple[str, ...]:
    """A line for a `wire.runner.Runner`."""
    section = runner["section"] or ("all" if runner["role"] == SINGLE else "-")
    if runner["role"] not in (SECTION, SINGLE):
        section = f"{section} ({runner['role']})"
    task = runner["task"] or "-"
    if runner["waitsFor"]:
        task = f"waiting for {runner['waitsFor']}"
    beat = runner["heartbeatAt"]
    return (
        runner["id"][:8],
        runner["status"],
        runner["engine"],
        (runner["containerId"] or "-")[:12],
        str(runner["pid"] or "-"),
        section,
        task,
        ago((now - datetime.fromisoformat(beat)).total_seconds()) if beat else "-",
    )
