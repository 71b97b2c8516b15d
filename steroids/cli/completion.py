"""Completion: the script that a shell sources, and the names that it offers."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from steroids.cli.command import Command, Context
from steroids.errors import SteroidsError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

T = TypeVar("T")
SHELLS = ("bash", "zsh", "fish")


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script: eval "$(steroids completion bash)"."""
    from click.shell_completion import get_completion_class

    from steroids.cli.app import root

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(root, {}, "steroids", "_STEROIDS_COMPLETE").source())


def section_names(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    from steroids.wire.section import Sections

    return _offer(ctx, incomplete, "sections", Sections, "sections", "name")


def task_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    from steroids.wire.task import Tasks

    return _offer(ctx, incomplete, "tasks", Tasks, "tasks", "id")


def runner_ids(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    from steroids.wire.runner import Runners

    return _offer(ctx, incomplete, "runners", Runners, "runners", "id")


def project_paths(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Registered paths, there or not; else whatever folders the shell finds."""
    from click.shell_completion import CompletionItem

    from steroids.wire.project import Projects

    found = _ask(ctx, lambda context: "/v1/projects", Projects)
    paths = [each.path for each in found.projects] if found else []
    start = str(Path(incomplete).expanduser()) if incomplete.startswith("~") else incomplete
    items = [CompletionItem(path) for path in paths if path.startswith(start)]
    return items or [CompletionItem(incomplete, type="dir")]


def _offer(
    ctx: click.Context, incomplete: str, path: str, reply: type, noun: str, key: str
) -> "list[CompletionItem]":
    """What fits."""
    from click.shell_completion import CompletionItem

    found = _ask(ctx, lambda context: context.url(path), reply)
    items = []
    things: list[object] = getattr(found, noun) if found else []
    for thing in things:
        word = getattr(thing, key)[:8] if key == "id" else getattr(thing, key)
        title = getattr(thing, "title", None) or getattr(thing, "section", None)
        if word.casefold().startswith(incomplete.casefold()):
            items.append(CompletionItem(word, help=title))
    return items


def _ask(ctx: click.Context, url: Callable[[Context], str], reply: type[T]) -> T | None:
    """None when there is no project, or no controller: TAB must not start one."""
    from steroids.cli.connect import answers, socket_path
    from steroids.client import Client
    from steroids.home import home_dir

    context = ctx.find_root().obj
    socket = socket_path(home_dir())
    if not isinstance(context, Context):
        context = Context()
    try:
        address = url(context)
        return Client(socket, timeout_s=2).get(address, reply) if answers(socket) else None
    except SteroidsError:
        return None
