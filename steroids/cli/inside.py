"""Into a section's container, through the engine's own program."""

import os
import shutil
import sys

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import section_names
from steroids.errors import EngineError
from steroids.wire.runner import Target

_LIKE_THE_AGENT = """
PATH="$PATH:$HOME/.local/bin"
if [ -f .venv/pyvenv.cfg ]; then
    export VIRTUAL_ENV="$PWD/.venv"
    PATH="$VIRTUAL_ENV/bin:$PATH"
fi
export PATH
exec "$@"
"""
"""Where its programs are; the rest comes as variables. A login shell would forget the image's."""


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
    _enter(context, section, ["bash"])


def _enter(context: Context, section: str, argv: list[str]) -> None:
    where = context.client.get(context.url("target", section=section), Target)
    program, *words = _local(where) if where.engine == "local" else _container(where)
    inside = ["sh", "-c", _LIKE_THE_AGENT, "sh", *argv]
    sys.stdout.flush()
    os.execve(program, [program, *words, *inside], {**os.environ, **where.env})


def _container(where: Target) -> list[str]:
    """Through the engine's own program, which takes the variables' values from its own: some are
    secret, and everybody may read its arguments."""
    program = shutil.which(where.engine)
    if program is None:
        raise EngineError(
            f"There is no program '{where.engine}' here to enter the container with",
            hint=f"apt install {where.engine}",
        )
    flag = "--host" if where.engine == "docker" else "--url"
    remote = ["--remote"] if where.engine == "podman" else []
    terminal = ["-t"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    names = [word for name in where.env for word in ("-e", name)]
    how = ["-i", *terminal, "-u", where.user, "-w", where.workdir, *names]
    return [program, *remote, flag, where.address, "exec", *how, where.container]


def _local(where: Target) -> list[str]:
    # The engine's own program, as `docker` is Docker's. Not from the current folder.
    program = [sys.executable, "-P", "-m", "steroids.engines.local_enter"]
    return [*program, where.address, where.container, where.workdir, ",".join(where.env)]
