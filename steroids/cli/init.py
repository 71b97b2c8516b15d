from pathlib import Path

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.wire.body import to_builtins
from steroids.wire.project import Init, Initialised


@click.command(cls=Command)
@click.option("--target", metavar="BRANCH", help="The branch to land on; default: the current one.")
@click.option(
    "--anew",
    is_flag=True,
    help="In a copy of a project: set the copied tasks aside and begin without any.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def init(context: Context, target: str | None, anew: bool, yes: bool) -> None:
    """Make this repository a project: writes .steroids/, registers it. Safe to repeat.

    A project that was moved here is known again, with its tasks, history and runners.
    """
    path = Path(context.project_option or Path.cwd())
    body = Init(path=str(path.expanduser().absolute()), target=target, anew=anew)
    answer = context.client.post("/v1/projects", body, Initialised)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    project = answer.project
    verb = "Initialised" if answer.created else "Already a project:"
    if answer.moved_from:
        context.out.line(f"Moved {answer.moved_from} to {project.path}")
    else:
        context.out.line(f"{verb} {project.name} at {project.path}")
    where = f"{project.remote}/{project.target}" if project.remote else project.target
    context.out.line(f"Tasks land on {where}")
    for written in answer.written:
        context.out.line(f"wrote {written}")
    for note in answer.notes:
        context.out.note(f"note: {note}")
    if answer.moved_from:
        return
    context.out.note("next: steroids sections add API --path 'apps/api/**' --check 'npm test'")
