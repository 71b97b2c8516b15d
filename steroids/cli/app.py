"""The root command and its lazily imported children."""

import importlib
from collections.abc import Sequence

import click

from steroids import __version__
from steroids.cli.command import GLOBAL_OPTIONS, HELP, Context
from steroids.cli.failures import INTERRUPTED_EXIT_CODE, answered
from steroids.errors import UsageError

COMMANDS = {
    "init": "steroids.cli.init:init",
    "up": "steroids.cli.up:up",
    "down": "steroids.cli.down:down",
    "ps": "steroids.cli.ps:ps",
    "logs": "steroids.cli.logs:logs",
    "exec": "steroids.cli.inside:exec_",
    "shell": "steroids.cli.inside:shell",
    "sections": "steroids.cli.sections:sections",
    "tasks": "steroids.cli.tasks:tasks",
    "runners": "steroids.cli.runners:runners",
    "loop": "steroids.cli.loop:loop",
    "locks": "steroids.cli.locks:locks",
    "projects": "steroids.cli.projects:projects",
    "push": "steroids.cli.push:push",
    "db": "steroids.cli.db:db",
    "images": "steroids.cli.images:images",
    "prune": "steroids.cli.prune:prune",
    "daemon": "steroids.cli.daemon:daemon",
    "config": "steroids.cli.config:config",
    "doctor": "steroids.cli.doctor:doctor",
    "demo": "steroids.cli.demo:demo",
    "completion": "steroids.cli.completion:completion",
}
"""In the order of the help; a module is imported when its command is used."""

SUMMARIES = {
    "init": "Make this repository a project.",
    "up": "Start runners and follow them until the work is landed.",
    "down": "Stop runners; nothing committed is lost.",
    "ps": "Show the runners of this project.",
    "logs": "Show what happened, and follow it with -f.",
    "exec": "Run a command in a section's container.",
    "shell": "Open a shell in a section's container.",
    "sections": "The parts of the repository that runners work in.",
    "tasks": "The work to be done.",
    "runners": "The workers: start exactly one, list, stop, wake all projects.",
    "loop": "Run one runner in the foreground, without a container.",
    "locks": "Who holds what: sections, files, zones, shared resources.",
    "projects": "The repositories of this host that Steroids works on.",
    "push": "Try again what the remote refused.",
    "db": "The test databases of runners: list, begin anew, look into.",
    "images": "Build, list and remove the images that runners start from.",
    "prune": "Remove what Steroids has left on this host and nobody needs.",
    "daemon": "The controller, which every command starts when it needs it.",
    "config": "Settings, and where each value comes from.",
    "doctor": "Find what would keep Steroids from working here.",
    "demo": "See it all work on a small monorepo in a new folder.",
    "completion": "Print the completion script of a shell.",
}


class Lazy(click.Group):
    """Lists its children without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        found = getattr(importlib.import_module(module), name)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"steroids {near[0]}" if near else "steroids --help"
            raise UsageError(f"There is no command '{args[0]}'", hint=hint)
        return super().resolve_command(ctx, args)


@click.group(cls=Lazy, params=list(GLOBAL_OPTIONS), context_settings=HELP)
@click.version_option(__version__, prog_name="steroids")
def root() -> None:
    """Run AI coding agents in parallel on one monorepo, a container per section."""


def run(argv: Sequence[str]) -> int:
    """Run a command line; returns its exit code."""
    context = Context()
    return answered(context, lambda: _run(argv, context))


def _run(argv: Sequence[str], context: Context) -> int:
    try:
        code = root.main(list(argv), prog_name="steroids", standalone_mode=False, obj=context)
        return code if isinstance(code, int) else 0
    except click.exceptions.Abort:
        return INTERRUPTED_EXIT_CODE
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return UsageError.exit_code
    except click.ClickException as error:
        raise UsageError(error.format_message(), hint=_help_hint(error)) from None


def _help_hint(error: click.ClickException) -> str:
    ctx = getattr(error, "ctx", None)
    return f"{ctx.command_path} --help" if ctx is not None else "steroids --help"
