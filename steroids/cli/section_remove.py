import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import section_names
from steroids.cli.confirm import confirm, yes_option
from steroids.wire.body import to_builtins
from steroids.wire.section import SectionOne


@click.command("remove", cls=Command)
@click.argument("section", metavar="NAME", shell_complete=section_names)
@yes_option()
@click.option("--dry-run", is_flag=True, help="Only say whether it can be removed.")
@pass_context
def remove(context: Context, section: str, yes: bool, dry_run: bool) -> None:
    """Remove a section; the history of its tasks stays, and so do its files."""
    look = context.url("section/remove", section=section, dry_run=True)
    if dry_run or not yes:
        answer = context.client.post(look, None, SectionOne)
        if not dry_run:
            name, section = answer.section.name, answer.section.id
            command = f"steroids sections remove '{name}' --yes"
            confirm(context, f"Remove section {name}?", command)
    if not dry_run:
        url = context.url("section/remove", section=section)
        answer = context.client.post(url, None, SectionOne)
    if context.out.json:
        context.out.result({**to_builtins(answer), **({"dryRun": True} if dry_run else {})})
        return
    verb = "would remove" if dry_run else "removed"
    context.out.line(f"{verb} section {answer.section.name}  {answer.section.id[:8]}")
