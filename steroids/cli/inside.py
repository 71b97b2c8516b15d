"""Into a section's container, through the engine's own program."""

import os
import shutil
import sys

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import section_names
from steroids.errors import EngineError
from steroids.wire.runner import Target


@click.command("exec", cls=Command, context_settings={"ignore_unknown_options": True})
@click.argument("section", shell_complete=section_names)
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED)
@pass_context
def exec_(context: Context, section: str, argv: tuple[str, ...]) -> None:
    """Run a command in a section's container, as the agent would."""
    _enter(context, section, list(argv))


@click.command(cls=Command)
@click.argument("section", shell_complete=section_names)
@pass_context
def shell(context: Context, section: str) -> None:
    """Open a shell in a section's container, as the agent."""
    _enter(context, section, ["bash", "-l"])


def _enter(context: Context, section: str, argv: list[str]) -> None:
    where = context.client.get(context.url("target", section=section), Target)
    program, *words = _local(where) if where.engine == "local" else _container(where)
    sys.stdout.flush()
    os.execv(program, [program, *words, *argv])


def _container(where: Target) -> list[str]:
    program = shutil.which(where.engine)
    if program is None:
        raise EngineError(
            f"There is no program '{where.engine}' here to enter the container with",
            hint=f"apt install {where.engine}",
        )
    flag = "--host" if where.engine == "docker" else "--url"
    remote = ["--remote"] if where.engine == "podman" else []
    terminal = ["-t"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    how = ["-i", *terminal, "-u", where.user, "-w", where.workdir]
    return [program, *remote, flag, where.address, "exec", *how, where.container]


def _local(where: Target) -> list[str]:
    # The engine's own program, as `docker` is Docker's. Not from the current folder.
    program = [sys.executable, "-P", "-m", "steroids.engines.local_enter"]
    return [*program, where.address, where.container, where.workdir]
