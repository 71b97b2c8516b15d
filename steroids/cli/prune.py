import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.confirm import confirm, yes_option
from steroids.cli.output import size
from steroids.errors import UsageError
from steroids.wire.body import to_builtins
from steroids.wire.images import GoneProject, Prune, Pruned


@click.command(cls=Command)
@click.option("--engine", help="Only what this one has.")
@click.option(
    "-a", "--all", "all_", is_flag=True, help="Caches, and every image without a container, too."
)
@click.option("--dry-run", is_flag=True, help="Show what would go.")
@yes_option()
@pass_context
def prune(context: Context, engine: str | None, all_: bool, dry_run: bool, yes: bool) -> None:
    """Remove what Steroids has left on this host and nobody needs.

    Old images, containers and networks of runners that ended, unused database servers. Projects
    whose folder is gone are forgotten only when you say so: their unlanded work is lost then.
    """
    body = Prune(engine=engine, all=all_, dry_run=dry_run, everything=True)
    answer = context.builder.post("/v1/prune", body, Pruned)
    gone = answer.gone_projects
    if gone and not dry_run and (yes or _says_yes(context, gone)):
        further = Prune(engine=engine, everything=True, projects=[each.id for each in gone])
        answer = _both(answer, context.builder.post("/v1/prune", further, Pruned))
    show_pruned(context, answer, dry_run=dry_run)


def _says_yes(context: Context, gone: list[GoneProject]) -> bool:
    """Where nobody can be asked they stay."""
    names = ", ".join(f"{each.name} ({each.path})" for each in gone)
    question = f"Forget {names}, whose folder is gone? What has not landed is lost."
    try:
        confirm(context, question, "steroids prune --yes")
    except UsageError:
        return False
    return True


def _both(first: Pruned, second: Pruned) -> Pruned:
    return Pruned(
        removed=[*first.removed, *second.removed],
        freed_bytes=(first.freed_bytes or 0) + (second.freed_bytes or 0),
        at_least=first.at_least or second.at_least,
        in_use=first.in_use,
        gone_projects=second.gone_projects,
    )


def show_pruned(context: Context, answer: Pruned, *, dry_run: bool) -> None:
    if context.out.json:
        context.out.result({"dryRun": dry_run, **to_builtins(answer)})
        return
    for line in answer.removed:
        where = f"  on {line.engine}" if line.engine else ""
        own = f"  {size(line.bytes)}" if line.bytes else ""
        context.out.line(f"{'would remove' if dry_run else 'removed'} {line.what}{where}{own}")
    if answer.in_use:
        context.out.note(f"{answer.in_use} kept: containers are made of them")
    for each in answer.gone_projects:
        context.out.note(f"kept: project {each.name}, whose folder {each.path} is gone")
    if answer.gone_projects:
        context.out.note("hint: steroids prune --yes   (its unlanded work is lost then)")
    if not answer.removed:
        context.out.note("nothing to remove")
    elif answer.freed_bytes is not None:
        least = "at least " if answer.at_least else ""
        would = "would free" if dry_run else "freed"
        context.out.line(f"{would} {least}{size(answer.freed_bytes)}")
