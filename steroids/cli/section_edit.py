"""`sections edit`, and the short ways to what is edited most."""

import click
from msgspec import UNSET, UnsetType

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import section_names
from steroids.cli.options import parse_priority, priority_option
from steroids.cli.section_add import ISOLATIONS
from steroids.wire.body import to_builtins
from steroids.wire.section import Isolation, Section, SectionEdit, SectionOne, Sections

named = click.argument("section", metavar="NAME", shell_complete=section_names)
others = click.argument(
    "others", metavar="SECTION...", nargs=-1, required=True, shell_complete=section_names
)


@click.command("edit", cls=Command)
@named
@click.option("--name", metavar="NEW", help="Another name.")
@click.option("--path", "paths", multiple=True, metavar="GLOB", help="All its files, anew.")
@click.option("--isolation", type=click.Choice(ISOLATIONS))
@click.option("--check", multiple=True, metavar="CMD", help="All its checks, anew.")
@click.option("--no-check", is_flag=True, help="No checks.")
@click.option("--setup", multiple=True, metavar="CMD", help="In place of the project's set-up.")
@click.option("--no-setup", is_flag=True, help="The project's set-up.")
@click.option("--image", metavar="NAME", help="Your own image, in place of the project's.")
@click.option("--no-image", is_flag=True, help="The project's image.")
@click.option("--resource", "resources", multiple=True, metavar="NAME", help="What it uses, anew.")
@click.option("--no-resources", is_flag=True, help="It uses none of the shared resources.")
@click.option("--all-resources", is_flag=True, help="It uses all of them.")
@click.option("--port", "ports", multiple=True, type=int, metavar="N", help="All its ports, anew.")
@click.option("--no-ports", is_flag=True, help="No ports.")
@click.option(
    "--after", multiple=True, metavar="SECTION", shell_complete=section_names, help="Come after it."
)
@click.option(
    "--no-after", multiple=True, metavar="SECTION", shell_complete=section_names, help="No longer."
)
@priority_option(None)
@pass_context
def edit(
    context: Context,
    section: str,
    name: str | None,
    paths: tuple[str, ...],
    isolation: str | None,
    check: tuple[str, ...],
    no_check: bool,
    setup: tuple[str, ...],
    no_setup: bool,
    image: str | None,
    no_image: bool,
    resources: tuple[str, ...],
    no_resources: bool,
    all_resources: bool,
    ports: tuple[int, ...],
    no_ports: bool,
    after: tuple[str, ...],
    no_after: tuple[str, ...],
    priority: str | None,
) -> None:
    """Change a section; what is not named stays as it is."""
    _one_of("check", bool(check), no_check)
    _one_of("set-up", bool(setup), no_setup)
    _one_of("image", image is not None, no_image)
    _one_of("resources", bool(resources), no_resources, all_resources)
    _one_of("ports", bool(ports), no_ports)
    body = SectionEdit(
        name=UNSET if name is None else name,
        paths=_given(paths),
        isolation=UNSET if isolation is None else Isolation(isolation),
        check=[] if no_check else _given(check),
        setup=None if no_setup else _given(setup),
        image=None if no_image else UNSET if image is None else image,
        resources=None if all_resources else [] if no_resources else _given(resources),
        ports=[] if no_ports else list(ports) or UNSET,
        add_after=list(after),
        drop_after=list(no_after),
        priority=UNSET if priority is None else parse_priority(priority),
    )
    if body == SectionEdit():
        raise click.UsageError("There is nothing to change")
    edited = _send(context, section, body)
    if edited is None:
        return
    context.out.line(f"changed section {edited.name}  {edited.id[:8]}")
    fixed = {"set-up": body.setup, "image": body.image, "ports": body.ports}
    changed = [what for what, value in fixed.items() if value is not UNSET]
    if changed:
        what = " and ".join(changed)
        context.out.note(f"note: a runner that lives keeps the {what} that it was started with")


@click.command("skip", cls=Command)
@named
@pass_context
def skip(context: Context, section: str) -> None:
    """Begin none of its tasks until it is unskipped."""
    edited = _send(context, section, SectionEdit(skipped=True))
    if edited is None:
        return
    context.out.line(f"skipped {edited.name}: none of its tasks is begun; one in work is finished")
    every = context.client.get(context.url("sections"), Sections).sections
    kept = [each.name for each in every if edited.name in each.blocked_by]
    if kept:
        context.out.note(f"note: its tasks stay unfinished and block {', '.join(kept)}")
    context.out.note(f"hint: steroids sections unskip '{edited.name}'")


@click.command("unskip", cls=Command)
@named
@pass_context
def unskip(context: Context, section: str) -> None:
    """Work on its tasks again."""
    edited = _send(context, section, SectionEdit(skipped=False))
    if edited is not None:
        context.out.line(f"unskipped {edited.name}")
        context.out.note(f"hint: steroids up --section '{edited.name}'")


@click.command("priority", cls=Command)
@named
@click.argument("number", metavar="N")
@pass_context
def priority(context: Context, section: str, number: str) -> None:
    """Set when it is worked on: 0 first, 100 last; or high, medium, low."""
    edited = _send(context, section, SectionEdit(priority=parse_priority(number)))
    if edited is not None:
        context.out.line(f"{edited.name} has priority {edited.priority}")


@click.command("depends-on", cls=Command)
@named
@others
@pass_context
def depends_on(context: Context, section: str, others: tuple[str, ...]) -> None:
    """Say whose code it uses: nobody changes that while it is worked on."""
    _say_dependencies(context, _send(context, section, SectionEdit(add_dependencies=list(others))))


@click.command("no-depends-on", cls=Command)
@named
@others
@pass_context
def no_depends_on(context: Context, section: str, others: tuple[str, ...]) -> None:
    """Say whose code it does not use any more."""
    _say_dependencies(context, _send(context, section, SectionEdit(drop_dependencies=list(others))))


def _say_dependencies(context: Context, edited: Section | None) -> None:
    if edited is not None:
        names = ", ".join(edited.dependencies) or "no other section"
        context.out.line(f"{edited.name} depends on {names}")


def _send(context: Context, section: str, body: SectionEdit) -> Section | None:
    """The section as it is then; None when it has been printed as JSON."""
    answer = context.client.post(context.url("section", section=section), body, SectionOne)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return None
    return answer.section


def _given(values: tuple[str, ...]) -> list[str] | UnsetType:
    return list(values) or UNSET


def _one_of(what: str, *given: bool) -> None:
    if sum(given) > 1:
        raise click.UsageError(f"Say one thing about the {what}, not two")
