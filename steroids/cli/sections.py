import click

from steroids.cli.command import Context, Group, pass_context
from steroids.cli.completion import section_names
from steroids.wire.body import to_builtins
from steroids.wire.section import Isolation, SectionAdd, SectionOne, Sections

ISOLATIONS = [each.value for each in Isolation]


@click.group(cls=Group)
def sections() -> None:
    """The parts of the repository that runners work in."""


@sections.command("add")
@click.argument("name")
@click.option("--path", "paths", multiple=True, required=True, metavar="GLOB", help="Its files.")
@click.option("--isolation", type=click.Choice(ISOLATIONS), default="parallel")
@click.option(
    "--depends-on",
    multiple=True,
    shell_complete=section_names,
    metavar="SECTION",
    help="Whose code it uses.",
)
@click.option("--check", multiple=True, metavar="CMD", help="Must succeed before approval.")
@click.option("--priority", default="medium", metavar="N", help="0 to 100, or high, medium, low.")
@pass_context
def add(
    context: Context,
    name: str,
    paths: tuple[str, ...],
    isolation: str,
    depends_on: tuple[str, ...],
    check: tuple[str, ...],
    priority: str,
) -> None:
    """Add a section."""
    body = SectionAdd(
        name=name,
        paths=list(paths),
        isolation=Isolation(isolation),
        dependencies=list(depends_on),
        check=list(check),
        priority=parse_priority(priority),
    )
    answer = context.client.post(context.url("sections"), body, SectionOne)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    context.out.line(f"added section {answer.section.name}  {answer.section.id[:8]}")
    if not check:
        context.out.note("note: without --check its tasks are approved as submitted")


@sections.command("list")
@pass_context
def list_(context: Context) -> None:
    """List the sections, in working order."""
    answer = context.client.get(context.url("sections"), Sections)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    if not answer.sections:
        context.out.note("no sections yet\nhint: steroids sections add API --path 'apps/api/**'")
        return
    rows = [
        (
            each.id[:8],
            each.name,
            ", ".join(each.paths),
            "EXCL" if each.isolation is Isolation.EXCLUSIVE else "yes",
            str(each.tasks),
        )
        for each in answer.sections
    ]
    context.out.table(("ID", "NAME", "PATH", "ISOLATED", "TASKS"), rows)


def parse_priority(text: str) -> int:
    """0 is worked on first. Raises a usage error."""
    words = {"high": 10, "medium": 50, "low": 90}
    if text in words:
        return words[text]
    if text.isdigit() and int(text) <= 100:
        return int(text)
    raise click.BadParameter(f"'{text}' is no priority: 0 to 100, or high, medium, low")
