import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.completion import section_names
from steroids.cli.output import count, escape
from steroids.wire.body import to_builtins
from steroids.wire.section import Isolation, Section, SectionOne, Sections


def state(section: Section) -> str:
    """What keeps its tasks from being begun; empty when nothing does."""
    words = ["skipped"] if section.skipped else []
    if section.blocked_by:
        words.append(f"BLOCKED by {', '.join(section.blocked_by)}")
    return ", ".join(words)


@click.command("list", cls=Command)
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
    heads: tuple[str, ...] = ("ID", "NAME", "PATH", "ISOLATED", "TASKS")
    rows: list[tuple[str, ...]] = [
        (
            each.id[:8],
            each.name,
            ", ".join(each.paths),
            "EXCL" if each.isolation is Isolation.EXCLUSIVE else "yes",
            str(each.tasks),
        )
        for each in answer.sections
    ]
    states = [state(each) for each in answer.sections]
    if any(states):
        heads = (*heads, "STATE")
        rows = [(*row, each) for row, each in zip(rows, states, strict=True)]
    context.out.table(heads, rows)


@click.command("show", cls=Command)
@click.argument("section", metavar="NAME", shell_complete=section_names)
@pass_context
def show(context: Context, section: str) -> None:
    """Show all that is known of a section."""
    answer = context.client.get(context.url("section", section=section), SectionOne)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    it = answer.section
    context.out.line(escape(it.name))
    for label, lines in (
        ("id", [it.id]),
        ("state", [state(it)] if state(it) else []),
        ("paths", it.paths),
        ("isolation", [it.isolation]),
        ("priority", [str(it.priority)]),
        ("depends on", it.dependencies),
        ("after", it.after),
        ("check", it.check),
        ("set-up", it.setup or []),
        ("image", [it.image] if it.image else []),
        ("resources", it.resources if it.resources else _none(it.resources)),
        ("ports", [", ".join(map(str, it.ports))] if it.ports else []),
        ("tasks", [f"{count(it.tasks, 'task')} not at an end"]),
    ):
        for number, line in enumerate(line for each in lines for line in each.splitlines()):
            context.out.line(f"  {'' if number else label:<10}  {escape(line)}")


def _none(resources: list[str] | None) -> list[str]:
    """An empty list says that it uses none; no list, that nobody has said anything."""
    return [] if resources is None else ["none of the shared ones"]
