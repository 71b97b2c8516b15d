"""What `steroids ps` prints. Without click and without wire types: people run it in loops, and both
take longer to load than the controller takes to answer."""

from datetime import UTC, datetime
from typing import Any

from steroids.cli.context import Context
from steroids.cli.output import ago

HEADS = ("ID", "STATUS", "ENGINE", "CONTAINER", "PID", "SECTION", "TASK", "HEARTBEAT")
PORTS = "PORTS"
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
        found = [_row(runner, now) for runner in answer["runners"]]
        published = [ports(runner) for runner in answer["runners"]]
        if any(published):
            rows = [(*row, each) for row, each in zip(found, published, strict=True)]
            context.out.table((*HEADS, PORTS), rows)
        else:
            context.out.table(HEADS, found)
    else:
        context.out.note("no runners" if held else "no runners\nhint: steroids up")
    for runner in answer["runners"]:
        # Of what it writes somebody else keeps count then.
        names = ", ".join(each for each in runner["unlimited"] if each != "disk")
        if names:
            whose = f"runner {runner['id'][:8]}"
            context.out.note(f"{whose} is held to no limit of {names}   (why: steroids doctor)")
    for task in held:
        reason = task["reason"].partition("\n")[0]
        context.out.note(f"approved, not landed: '{task['task']}' ({task['section']}): {reason}")
    if held:
        context.out.note("hint: steroids push   (tries again now)")
    return 0


def ports(runner: dict[str, Any]) -> str:
    """`127.0.0.1:49153->3000`, as `docker ps` has it; only the first where nothing is mapped."""
    return ", ".join(shown_port(each["inside"], each["published"]) for each in runner["ports"])


def shown_port(inside: int, published: int) -> str:
    outside = f"127.0.0.1:{published}"
    return outside if inside == published else f"{outside}->{inside}"


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
