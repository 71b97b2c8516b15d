"""The test databases of runners."""

import os
import shutil
import sys
from datetime import UTC, datetime

import click

from steroids.cli.command import Context, Group, pass_context
from steroids.cli.completion import section_names
from steroids.cli.output import ago
from steroids.errors import EngineError
from steroids.wire.body import to_builtins
from steroids.wire.database import (
    Database,
    DatabaseDoor,
    DatabasePrune,
    DatabaseReset,
    DatabaseResetDone,
    Databases,
    DatabasesPruned,
)

TIMEOUT_S = 900.0
"""For a reset that has to migrate first."""


@click.group(cls=Group)
def db() -> None:
    """The test databases of runners."""


@db.command("list")
@pass_context
def list_(context: Context) -> None:
    """List the databases of this project's runners, and the templates they are copied from."""
    answer = context.client.get(context.url("databases"), Databases)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    if not answer.databases:
        context.out.note("no test databases   (steroids config show: database.strategy)")
        return
    now = datetime.now(UTC)
    heads = ("NAME", "SECTION", "FROM", "SIZE", "AGE", "SERVER")
    context.out.table(heads, [_row(each, now) for each in answer.databases])


def _row(each: Database, now: datetime) -> tuple[str, ...]:
    template = each.runner_id is None and each.template is not None
    return (
        each.name,
        each.section or ("(template)" if template else "(shared)"),
        each.template or "(empty)",
        f"{each.size_bytes / 1e6:.1f} MB" if each.size_bytes is not None else "-",
        ago((now - each.created_at).total_seconds()) if each.created_at else "-",
        each.server,
    )


@db.command("reset")
@click.argument("section", shell_complete=section_names)
@pass_context
def reset(context: Context, section: str) -> None:
    """Begin the database of a section's runner anew: migrated and seeded, as at its start.

    Whoever is connected to it is sent away; its name and password stay.
    """
    answer = context.client.post(
        context.url("databases/reset"),
        DatabaseReset(section=section),
        DatabaseResetDone,
        timeout_s=TIMEOUT_S,
    )
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    made = answer.database
    origin = f"from {made.template}" if made.template else "empty"
    context.out.line(f"{made.section}  {made.name} is new, {origin}  {answer.duration_s:.2f} s")


@db.command(
    "shell", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.argument("section", shell_complete=section_names)
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
@pass_context
def shell(context: Context, section: str, argv: tuple[str, ...]) -> None:
    """Open the database's own client (psql, mariadb) on a section's database, as its agent.

    What follows SECTION is passed on: steroids db shell API -c 'SELECT 1'
    """
    door = context.client.get(context.url("databases/door", section=section), DatabaseDoor)
    words = _inside(door) if door.container is not None else door.argv
    program = shutil.which(words[0])
    if program is None:
        raise EngineError(
            f"There is no program '{words[0]}' here", hint=f"apt install {_package(words[0])}"
        )
    sys.stdout.flush()
    os.execve(program, [*words, *argv], {**os.environ, **door.env})


@db.command("prune")
@click.option("--dry-run", is_flag=True, help="Show what would go.")
@pass_context
def prune(context: Context, *, dry_run: bool) -> None:
    """Remove database servers that no runner uses, and all that is on them.

    Templates are migrated again when somebody needs them.
    """
    body = DatabasePrune(dry_run=dry_run)
    answer = context.builder.post("/v1/databases/prune", body, DatabasesPruned)
    if context.out.json:
        context.out.result({**to_builtins(answer), "dryRun": dry_run})
        return
    for each in answer.removed:
        context.out.line(f"{'would remove' if dry_run else 'removed'} {each}")
    if not answer.removed:
        context.out.note("nothing to remove")


def _inside(door: DatabaseDoor) -> list[str]:
    """Through the engine's own program, which takes the variables' values from its own."""
    assert door.engine and door.address and door.container and door.user
    flag = "--host" if door.engine == "docker" else "--url"
    remote = ["--remote"] if door.engine == "podman" else []
    terminal = ["-t"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    names = [word for name in door.env for word in ("-e", name)]
    how = ["-i", *terminal, "-u", door.user, *names]
    return [door.engine, *remote, flag, door.address, "exec", *how, door.container, *door.argv]


def _package(program: str) -> str:
    return {"psql": "postgresql-client", "mariadb": "mariadb-client"}.get(program, program)
