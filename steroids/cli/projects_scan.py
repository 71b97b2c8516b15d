import click

from steroids.cli.command import Command, Context, address, pass_context
from steroids.cli.output import count, escape
from steroids.cli.projects import FOLDER, absolute, shown
from steroids.wire.body import to_builtins
from steroids.wire.project import Found, Scanned


@click.command("scan", cls=Command)
@click.argument("folder", metavar="DIR", type=FOLDER)
@pass_context
def scan(context: Context, folder: str) -> None:
    """Find projects below DIR that are not in the list.

    Changes nothing. Links, hidden folders and those of dependencies are not looked into.
    """
    # A large disk takes its time.
    url = address("projects/scan", folder=absolute(folder))
    answer = context.builder.get(url, Scanned)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    for each in answer.found:
        context.out.line(escape(f"{shown(each.path)}{_kind(each)}"))
    met = f"{count(answer.registered, 'project')} in the list already"
    if not answer.found:
        context.out.note(f"nothing new below {shown(answer.folder)}; {met}")
        return
    context.out.note(f"{len(answer.found)} found, {met}")
    new = [each for each in answer.found if not each.copy_of]
    if new:
        context.out.note(f"next: steroids projects add {new[0].path}")
    elif answer.found:
        context.out.note(f"next: cd {answer.found[0].path} && steroids init --anew")


def _kind(found: Found) -> str:
    if found.moved_from:
        return f"  (was at {shown(found.moved_from)})"
    return f"  (a copy of {shown(found.copy_of)})" if found.copy_of else ""
