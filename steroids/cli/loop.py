import click

from steroids.cli.command import Command, Context, pass_context
from steroids.cli.options import section_option
from steroids.wire.runner import Loop, LoopProcess, Start, Started

TIMEOUT_S = 120.0


@click.command(cls=Command)
@section_option("Only this one's tasks; none: those of all sections, in order.")
@click.option("--once", is_flag=True, help="One task, from its beginning to its end.")
@click.option("--dry-run", is_flag=True, help="Only say which task would be picked, and why.")
@pass_context
def loop(context: Context, section: str | None, once: bool, dry_run: bool) -> int:
    """Run one runner here, in the foreground, without a container.

    It takes one task after the other until nothing is left, in a clone of its own, as the
    engine `local` does: agents run as you, and see what you see. Ctrl-C stops it, and keeps what is
    committed; a second one does not wait for the agent.
    """
    if dry_run:
        from steroids.cli.loop_next import show

        return show(context, section)
    about = context.client.get(context.url("loop", section=section), Loop)
    from steroids.cli.loop_place import held

    with held(context, about) as process:
        if not about.left:
            return _nothing(context, about)
        return _run(context, about, process, once=once)


def _nothing(context: Context, about: Loop) -> int:
    if context.out.json:
        context.out.result({"section": about.section, "picked": None})
    whose = f"{about.section} has no task" if about.section else "no section has a task"
    context.out.note(f"nothing to do: {whose} that a runner could go on with")
    context.out.note("hint: steroids tasks list   (a new one: steroids tasks add --help)")
    return 0


def _run(context: Context, about: Loop, process: LoopProcess, *, once: bool) -> int:
    from steroids.cli.loop_follow import LoopFollower
    from steroids.cli.loop_stop import Stopping

    body = Start(section=about.section_id, engine="local", once=once, loop=process)
    answer = context.client.post(context.url("runners"), body, Started, timeout_s=TIMEOUT_S)
    for note in answer.notes:
        context.out.note(f"note: {note}")
    runner = answer.runner
    with Stopping(context, runner) as stopping:
        code = LoopFollower(context, runner, answer.since, once=once).until_done()
    return stopping.exit_code(code)
