import json
import time

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.options import sections_option
from steroids.cli.render import Renderer
from steroids.errors import ControllerUnavailable
from steroids.wire.body import to_builtins
from steroids.wire.event import Event
from steroids.wire.section import Sections


@click.command(cls=Command)
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens next.")
@sections_option("Only these.")
@click.option("-n", "--tail", default=200, show_default=True, help="How many of the last lines.")
@pass_context
def logs(context: Context, follow: bool, sections: tuple[str, ...], tail: int) -> int:
    """Show what happened, and follow it with -f."""
    return show(context, sections=sections, runner=None, follow=follow, tail=tail)


def show(
    context: Context, *, sections: tuple[str, ...], runner: str | None, follow: bool, tail: int
) -> int:
    """Print events, of these sections and this runner (a prefix of its id) only, if given."""
    known = context.client.get(context.url("sections"), Sections).sections
    render = Renderer(context.out, [each.name for each in known])
    anything = False
    since = 0
    try:
        while True:
            url = context.url(
                "events",
                since=since,
                section=list(sections) or None,
                runner=runner,
                follow=follow or None,
                tail=tail if since == 0 else None,
            )
            try:
                for event in context.client.stream(url, Event):
                    since, anything = event.seq, True
                    if context.out.json:
                        print(json.dumps(to_builtins(event), default=str), flush=True)
                    else:
                        render.show(event)
            except ControllerUnavailable:
                if not follow:
                    raise
            if not follow:
                if not anything:
                    context.out.note("nothing has happened yet")
                return 0
            time.sleep(0.2)
    except KeyboardInterrupt:
        return 130
