import sys

import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.follow import Follower, say_what_waits
from steroids.cli.options import detach_option, engine_option, keep_option, sections_option
from steroids.wire.body import to_builtins
from steroids.wire.runner import Up, UpReply


@click.command(cls=Command)
@sections_option("Default: all with work to do.")
@detach_option
@keep_option
@engine_option
@pass_context
def up(
    context: Context, sections: tuple[str, ...], detach: bool, keep: bool, engine: str | None
) -> int:
    """Start runners and follow them until the work is landed."""
    body = Up(sections=list(sections), keep=keep, engine=engine)
    answer = context.client.post(context.url("up"), body, UpReply, timeout_s=120)
    for note in answer.notes:
        context.out.note(f"note: {note}")
    if not answer.sections:
        if context.out.json:
            context.out.result(to_builtins(answer))
        whose = ", ".join(sections) if sections else "no section"
        has = "has no task" if sections else "has a task"
        context.out.note(f"nothing to do: {whose} {has} that a runner could go on with")
        context.out.note("hint: steroids tasks list   (a new one: steroids tasks add --help)")
        say_what_waits(context)
        return 0
    try:
        if detach:
            return Follower(context, answer.starting, answer.since).until_ready(answer.sections)
        return Follower(context, answer.sections, answer.since).until_done()
    except KeyboardInterrupt:
        context.out.note("\ndetached; the runners go on working")
        context.out.note("come back: steroids up    stop them: steroids down")
        sys.stdout.flush()
        return 130
