"""What every command has: the global flags, before and after it, and what they lead to."""

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steroids.cli.output import Output
from steroids.home import find_project

if TYPE_CHECKING:
    # `--version` and `--help` do without HTTP.
    from steroids.client import Client

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
SILENCE_S = 1800.0


class Context:
    """One command line's state: where to write, which project, the controller when needed."""

    def __init__(self) -> None:
        self.out = Output()
        self.project_option: str | None = os.environ.get("STEROIDS_PROJECT") or None

    @cached_property
    def client(self) -> "Client":
        """The controller, started by the first call when it is not running."""
        from steroids.cli.connect import connect

        return connect()

    @cached_property
    def builder(self) -> "Client":
        """The same, for an answer that may be silent for long."""
        from steroids.cli.connect import connect

        return connect(timeout_s=SILENCE_S)

    def project(self) -> Path:
        """Raises `NotAProject`."""
        return find_project(named=self.project_option)

    def url(self, path: str, **query: Any) -> str:
        """A controller's address about this project; None values are left out."""
        return address(path, project=str(self.project()), **query)


def address(path: str, **query: Any) -> str:
    from urllib.parse import urlencode

    given = {name: value for name, value in query.items() if value is not None}
    return f"/v1/{path}?{urlencode(given, doseq=True)}"


def _set(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    context = ctx.find_root().obj
    if not isinstance(context, Context) or value in (None, False, 0):
        return
    match param.name:
        case "project":
            context.project_option = value
        case "json_":
            context.out.json = True
        case "quiet":
            context.out.quiet = True
        case "verbose":
            context.out.verbose = True
        case "no_color":
            context.out.color = False


def _option(*names: str, **settings: Any) -> click.Option:
    return click.Option(names, expose_value=False, callback=_set, **settings)


GLOBAL_OPTIONS = (
    _option("--project", metavar="PATH", help="The project, when not the current folder's."),
    _option("--json", "json_", is_flag=True, help="Print one JSON object."),
    _option("-q", "--quiet", "quiet", is_flag=True, help="No progress."),
    _option("-v", "--verbose", "verbose", is_flag=True, help="More of what happens."),
    _option("--no-color", is_flag=True, help="No colour; NO_COLOR does the same."),
)


class Command(click.Command):
    """A command that takes the global flags too."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        settings["context_settings"] = {**HELP, **settings.get("context_settings", {})}
        super().__init__(*args, **settings)
        self.params.extend(GLOBAL_OPTIONS)


class Group(click.Group):
    """A noun with its verbs."""

    command_class = Command

    def __init__(self, *args: Any, **settings: Any) -> None:
        settings["context_settings"] = {**HELP, **settings.get("context_settings", {})}
        super().__init__(*args, **settings)
        self.params.extend(GLOBAL_OPTIONS)


pass_context = click.make_pass_decorator(Context)
