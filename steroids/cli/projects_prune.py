import re

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.confirm import confirm, yes_option
from steroids.cli.output import count, escape
from steroids.cli.projects import shown
from steroids.wire.body import to_builtins
from steroids.wire.project import Project, PrunedMissing, PruneMissing

UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


@click.command("prune", cls=Command)
@click.option(
    "--older-than",
    metavar="AGE",
    default="0d",
    help="Only those last seen that long ago: 30d, 12h.",
)
@click.option("--dry-run", is_flag=True, help="Only list them.")
@yes_option()
@pass_context
def prune(context: Context, older_than: str, dry_run: bool, yes: bool) -> None:
    """Forget the projects that are missing; nothing else goes.

    One that comes back is added as it was: steroids projects add PATH.
    """
    age_s = seconds(older_than)
    look = PruneMissing(older_than_s=age_s, dry_run=True)
    answer = context.client.post("/v1/projects/prune", look, PrunedMissing)
    if answer.removed and not dry_run:
        if not yes:
            for each in answer.removed:
                context.out.note(f"missing: {shown(each.path)}")
            option = f"--older-than {older_than} " if age_s else ""
            question = f"Remove {count(len(answer.removed), 'missing project')} from the list?"
            confirm(context, question, f"steroids projects prune {option}--yes")
        ids = [each.id for each in answer.removed]
        body = PruneMissing(older_than_s=age_s, ids=ids)
        answer = context.client.post("/v1/projects/prune", body, PrunedMissing)
    if context.out.json:
        context.out.result({**to_builtins(answer), "dryRun": dry_run})
        return
    _show(context, answer.removed, answer.kept, dry_run=dry_run)


def _show(context: Context, removed: list[Project], kept: list[Project], *, dry_run: bool) -> None:
    for each in removed:
        verb = "would remove" if dry_run else "removed"
        context.out.line(escape(f"{verb} {shown(each.path)}"))
    for each in kept:
        context.out.note(f"kept {shown(each.path)}: seen since then, or with living runners")
    if not removed:
        context.out.note("nothing to remove")


def seconds(age: str) -> float:
    """Of `30d`, `12h`, `90m`, `2w`. Raises a usage error."""
    found = re.fullmatch(r"([0-9]{1,6})([mhdw])", age)
    if not found:
        raise click.BadParameter(f"'{age}' is no age: 30d, 12h, 90m, 2w")
    return int(found[1]) * UNITS[found[2]]
