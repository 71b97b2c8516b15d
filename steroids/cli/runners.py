import sys

import click

from steroids.cli import glance
from steroids.cli.command import Context, Group, pass_context
from steroids.cli.completion import runner_ids
from steroids.cli.cron import cron
from steroids.cli.follow import Follower
from steroids.cli.options import (
    engine_option,
    now_option,
    section_option,
    sections_option,
)
from steroids.cli.output import count, escape
from steroids.cli.wakeup import wakeup
from steroids.errors import UsageError
from steroids.wire.body import to_builtins
from steroids.wire.runner import Runner, Runners, RunnersStatus, Start, Started, Stop

TIMEOUT_S = 120.0
MANY = "--id, --section and --all exclude each other"


@click.group(cls=Group)
def runners() -> None:
    """The workers: start exactly one, list, stop, wake all projects."""


@runners.command("start")
@section_option("Whose runner; none: the single one that works on all of them.")
@click.option("-d", "--detach", is_flag=True, help="Return when it is ready.")
@click.option("--keep", is_flag=True, help="Leave it idle when nothing is left to do.")
@click.option(
    "--force", is_flag=True, help="Replace what is in the way: it is stopped first, gracefully."
)
@engine_option
@pass_context
def start(
    context: Context,
    section: str | None,
    detach: bool,
    keep: bool,
    force: bool,
    engine: str | None,
) -> int:
    """Start one runner; refused when the section has one.

    Without --section it works on all sections, one after the other, and is refused when there is
    any other. `steroids up` starts what is needed, as far as there is room.
    """
    body = Start(section=section, engine=engine, keep=keep, force=force)
    answer = context.client.post(context.url("runners"), body, Started, timeout_s=TIMEOUT_S)
    for note in answer.notes:
        context.out.note(f"note: {note}")
    for each in answer.replaced:
        context.out.note(f"stopped {_line(each)}")
    name = answer.runner.section
    follower = Follower(context, [name] if name else None, answer.since)
    try:
        if not detach:
            return follower.until_done()
        code = follower.until_up()
    except KeyboardInterrupt:
        context.out.note("\ndetached; the runner goes on working")
        short = answer.runner.id[:8]
        context.out.note(
            f"come back: steroids logs -f    stop it: steroids runners stop --id {short}"
        )
        sys.stdout.flush()
        return 130
    if code == 0:
        _started(context, answer)
    return code


def _started(context: Context, answer: Started) -> None:
    if context.out.json:
        # As it is now that it is up; it may be at its end already, with nothing to do.
        living = context.client.get(context.url("runners"), Runners).runners
        now = next((each for each in living if each.id == answer.runner.id), answer.runner)
        context.out.result({**to_builtins(answer), "runner": to_builtins(now)})
        return
    one = answer.runner
    context.out.line(f"started {_line(one)}")
    context.out.note(f"next: steroids logs -f   (stop it: steroids runners stop --id {one.id[:8]})")


@runners.command("stop")
@click.option(
    "--id",
    "ids",
    multiple=True,
    shell_complete=runner_ids,
    metavar="ID",
    help="This one; a prefix will do.",
)
@sections_option("The runner of this section.")
@click.option("--all", "everything", is_flag=True, help="All of this project.")
@now_option
@pass_context
def stop(
    context: Context, ids: tuple[str, ...], sections: tuple[str, ...], everything: bool, now: bool
) -> None:
    """Stop runners; nothing committed is lost."""
    if bool(ids) + bool(sections) + everything > 1:
        raise UsageError(MANY, hint="steroids runners stop --help")
    if not (ids or sections or everything):
        raise UsageError(
            "Nothing says which runners to stop: --id, --section or --all",
            hint="steroids runners stop --all   (which there are: steroids runners list)",
        )
    body = Stop(ids=list(ids), sections=list(sections), now=now)
    answer = context.client.post(context.url("runners/stop"), body, Runners, timeout_s=TIMEOUT_S)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    for each in answer.runners:
        context.out.line(f"stopped {_line(each)}")
    if not answer.runners:
        whose = f" of {', '.join(sections)}" if sections else ""
        context.out.note(f"no runner{whose} was running")
    else:
        context.out.note("next: steroids up   (goes on with what is left)")


def _line(runner: Runner) -> str:
    return f"{runner.id[:8]}  {escape(runner.section or 'all sections')}"


@runners.command("list")
@pass_context
def list_(context: Context) -> int:
    """List the living runners, as `steroids ps` does."""
    return glance.show(context)


@runners.command("status")
@pass_context
def status(context: Context) -> None:
    """Show how many there are, what they do, and who is queued, and why."""
    answer = context.client.get(context.url("runners/status"), RunnersStatus)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    used = f"{count(len(answer.runners), 'runner')} of at most {answer.max_parallel}"
    context.out.line(used if answer.runners else f"no runners (at most {answer.max_parallel})")
    for one in answer.runners:
        doing = f"'{one.task}'" if one.task else ""
        if one.waits_for:
            doing = f"for {one.waits_for}"
        name = one.section or "all sections"
        at = "  ".join(glance.shown_port(each.inside, each.published) for each in one.ports)
        line = f"  {one.id[:8]}  {name}  {one.status} {doing}".rstrip()
        context.out.line(escape(f"{line}  {at}" if at else line))
    for queued in answer.queued:
        context.out.line(escape(f"  queued    {queued.section}  {queued.reason}"))
    if not answer.runners and not answer.queued:
        context.out.note("next: steroids up")


@runners.command("logs")
@click.option("--id", "ident", metavar="ID", shell_complete=runner_ids, help="Only this runner's.")
@sections_option("Only these.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens next.")
@click.option("-n", "--tail", default=200, show_default=True, help="How many of the last lines.")
@pass_context
def logs(
    context: Context, ident: str | None, sections: tuple[str, ...], follow: bool, tail: int
) -> int:
    """Show what runners did, and follow it with -f."""
    from steroids.cli.logs import show

    return show(context, sections=sections, runner=ident, follow=follow, tail=tail)


runners.add_command(wakeup)
runners.add_command(cron)
