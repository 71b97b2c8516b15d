import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import section_names
from steroids.cli.options import parse_priority, priority_option
from steroids.wire.body import to_builtins
from steroids.wire.section import Isolation, SectionAdd, SectionOne

ISOLATIONS = [each.value for each in Isolation]


@click.command("add", cls=Command)
@click.argument("name")
@click.option("--path", "paths", multiple=True, required=True, metavar="GLOB", help="Its files.")
@click.option(
    "--isolation",
    type=click.Choice(ISOLATIONS),
    default="parallel",
    help="exclusive: while it is worked on, nothing else is.",
)
@click.option(
    "--depends-on",
    multiple=True,
    shell_complete=section_names,
    metavar="SECTION",
    help="Whose code it uses.",
)
@click.option(
    "--after",
    multiple=True,
    shell_complete=section_names,
    metavar="SECTION",
    help="What has to be finished before it is begun.",
)
@click.option("--check", multiple=True, metavar="CMD", help="Must succeed before approval.")
@click.option("--setup", multiple=True, metavar="CMD", help="In place of the project's set-up.")
@click.option("--image", metavar="NAME", help="Your own image, in place of the project's.")
@click.option(
    "--resource",
    "resources",
    multiple=True,
    metavar="NAME",
    help="Which shared resources it uses; without it: all that are declared.",
)
@click.option(
    "--port",
    "ports",
    multiple=True,
    type=int,
    metavar="N",
    help="What its dev server listens on: published on 127.0.0.1, see ps; the first is PORT.",
)
@priority_option()
@pass_context
def add(
    context: Context,
    name: str,
    paths: tuple[str, ...],
    isolation: str,
    depends_on: tuple[str, ...],
    after: tuple[str, ...],
    check: tuple[str, ...],
    setup: tuple[str, ...],
    image: str | None,
    resources: tuple[str, ...],
    ports: tuple[int, ...],
    priority: str,
) -> None:
    """Add a section."""
    body = SectionAdd(
        name=name,
        paths=list(paths),
        isolation=Isolation(isolation),
        dependencies=list(depends_on),
        after=list(after),
        check=list(check),
        setup=list(setup) or None,
        image=image,
        resources=list(resources) or None,
        ports=list(ports),
        priority=parse_priority(priority),
    )
    answer = context.client.post(context.url("sections"), body, SectionOne)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    context.out.line(f"added section {answer.section.name}  {answer.section.id[:8]}")
    if not check:
        context.out.note("note: without --check its tasks are approved as submitted")
