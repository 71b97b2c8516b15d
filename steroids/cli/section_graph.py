from pathlib import Path

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.graph import data, mermaid, tree
from steroids.cli.graph_svg import drawing
from steroids.cli.output import plain
from steroids.wire.section import Sections


@click.command("graph", cls=Command)
@click.option("--mermaid", "as_mermaid", is_flag=True, help="A flowchart, for Markdown.")
@click.option("--svg", metavar="FILE", help="Write a drawing.")
@pass_context
def graph(context: Context, as_mermaid: bool, svg: str | None) -> None:
    """Show which section depends on which, and which comes after which."""
    if as_mermaid and svg is not None:
        raise click.UsageError("Say --mermaid or --svg, not both")
    sections = context.client.get(context.url("sections"), Sections).sections
    if svg is not None:
        _write(svg, drawing(sections))
    if context.out.json:
        written = {"file": svg} if svg is not None else {}
        text = {"mermaid": "\n".join(mermaid(sections))} if as_mermaid else {}
        context.out.result({"graph": {**data(sections), **written, **text}})
        return
    if svg is not None:
        context.out.line(f"wrote {svg}")
        return
    if not sections:
        context.out.note("no sections yet\nhint: steroids sections add API --path 'apps/api/**'")
        return
    for line in mermaid(sections) if as_mermaid else tree(sections):
        print(plain(line))


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}"
        raise click.BadParameter(message, param_hint="--svg") from None
