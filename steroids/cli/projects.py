from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steroids.cli.command import Context, Group, pass_context
from steroids.cli.completion import project_paths
from steroids.cli.confirm import confirm, yes_option
from steroids.cli.output import ago, escape
from steroids.home import canonical
from steroids.wire.body import to_builtins
from steroids.wire.project import (
    Init,
    Initialised,
    Move,
    Named,
    Project,
    ProjectOne,
    Projects,
    Removed,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = click.Path(file_okay=False)


class _Lazy(Group):
    """With verbs that have modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "prune", "scan"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "prune":
            from steroids.cli.projects_prune import prune

            return prune
        if cmd_name == "scan":
            from steroids.cli.projects_scan import scan

            return scan
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Lazy)
def projects() -> None:
    """The repositories of this host that Steroids works on."""


@projects.command("list")
@pass_context
def list_(context: Context) -> None:
    """List all projects, with their runners and pending tasks.

    A project is missing when its folder is not there now, as on a drive that is not mounted.
    """
    answer = context.client.get("/v1/projects", Projects)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    if not answer.projects:
        context.out.note("no projects\nnext: cd REPOSITORY && steroids init")
        return
    table(context, answer.projects)


@projects.command("add")
@click.argument("path", metavar="PATH", type=FOLDER)
@click.option("--target", metavar="BRANCH", help="The branch to land on.")
@pass_context
def add(context: Context, path: str, target: str | None) -> None:
    """Register a project that has a .steroids folder.

    It is known again by its store: one that was moved, or removed from the list, is as it was.
    No file is written.
    """
    body = Init(path=absolute(path), target=target, add=True)
    answer = context.client.post("/v1/projects", body, Initialised)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    context.out.line(escape(f"{came(answer, 'added')} {shown(answer.project.path)}"))
    for note in answer.notes:
        context.out.note(f"note: {note}")


@projects.command("remove")
@click.argument("path", metavar="PATH", shell_complete=project_paths)
@yes_option()
@pass_context
def remove(context: Context, path: str, yes: bool) -> None:
    """Forget a project; its files, its tasks and their commits stay.

    Refused while its runners live. `steroids projects add PATH` makes it as it was.
    """
    path = absolute(path)
    if not yes:
        command = f"steroids projects remove {path} --yes"
        confirm(context, f"Remove {shown(path)} from the list (its files stay)?", command)
    answer = context.client.post("/v1/projects/remove", Named(path=path), Removed)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    context.out.line(escape(f"removed {shown(answer.project.path)}"))
    context.out.note(
        f"what its tasks committed stays in {shown(answer.kept)}\n"
        f"back again: steroids projects add {answer.project.path}"
    )


@projects.command("enable")
@click.argument("path", metavar="[PATH]", required=False, shell_complete=project_paths)
@pass_context
def enable(context: Context, path: str | None) -> None:
    """Let runners be started for a project.

    By hand, and by `steroids runners wakeup`. Without PATH it is the current project.
    """
    _switch(context, "enable", path)


@projects.command("disable")
@click.argument("path", metavar="[PATH]", required=False, shell_complete=project_paths)
@pass_context
def disable(context: Context, path: str | None) -> None:
    """Start no more runners for a project.

    Those that live go on. Without PATH it is the current project.
    """
    _switch(context, "disable", path)


def _switch(context: Context, verb: str, path: str | None) -> None:
    body = Named(path=absolute(path) if path else str(context.project()))
    answer = context.client.post(f"/v1/projects/{verb}", body, ProjectOne)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    already = "" if answer.changed else "already "
    context.out.line(escape(f"{already}{verb}d {shown(answer.project.path)}"))


@projects.command("move")
@click.argument("old", metavar="OLD", shell_complete=project_paths)
@click.argument("new", metavar="NEW", type=FOLDER)
@pass_context
def move(context: Context, old: str, new: str) -> None:
    """Say where a project's folder was moved to.

    Moves no file: that was yours to do. `steroids init` in the new place finds it out by itself.
    """
    body = Move(old=absolute(old), new=absolute(new))
    answer = context.client.post("/v1/projects/move", body, ProjectOne)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    context.out.line(escape(f"moved {shown(body.old)} to {shown(answer.project.path)}"))


def table(context: Context, found: "Sequence[Project]") -> None:
    now = datetime.now(UTC)
    rows = [
        (
            shown(each.path),
            each.status or "-",
            str(each.runners or "-"),
            "-" if each.pending is None else str(each.pending),
            ago((now - each.last_seen_at).total_seconds()) if each.last_seen_at else "-",
        )
        for each in found
    ]
    context.out.table(("PATH", "STATUS", "RUNNERS", "PENDING", "LAST SEEN"), rows)


def came(answer: Initialised, new: str) -> str:
    if answer.moved_from:
        return f"moved {shown(answer.moved_from)} to"
    return new if answer.created else "already there:"


def shown(path: str) -> str:
    """With `~` for the user's home, as a shell understands it."""
    home = str(Path.home())
    return f"~{path.removeprefix(home)}" if path == home or path.startswith(f"{home}/") else path


def absolute(path: str) -> str:
    """Seen from this command's folder, which is not the controller's. A link stays one: it may be
    in the place of what is meant."""
    given = Path(path).expanduser().absolute()
    return str(canonical(given) if ".." in given.parts else given)
