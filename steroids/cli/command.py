"""What every command has: the global flags, before and after it."""

from typing import Any

import click

from steroids.cli.context import Context, address

__all__ = ["GLOBAL_OPTIONS", "HELP", "Command", "Context", "Group", "address", "pass_context"]

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


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
    # Eager: how an error of another option is told depends on these.
    return click.Option(names, expose_value=False, is_eager=True, callback=_set, **settings)


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
