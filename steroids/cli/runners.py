import sys

import click

from steroids.cli import glance
from steroids.cli.command import Context, Group, pass_context
from steroids.cli.completion import runner_ids
from steroids.cli.follow import Follower
from steroids.cli.options import (
    detach_option,
    engine_option,
    keep_option,
    now_option,
    section_option,
    sections_option,
)
from steroids.cli.output import count
from steroids.errors import UsageError
from steroids.wire.body import to_builtins
from steroids.wire.runner import Runners, RunnersStatus, Start, Started, Stop

TIMEOUT_S = 120.0
MANY = "--id, --section and --all exclude each other"


@click.group(cls=Group)
def runners() -> None:
    """The workers: start exactly one, list, stop."""


@runners.command("start")
@section_option("Default: one runner for all sections, in order, beside which there is no other.")
@detach_option
@keep_option
@click.option("--force", is_flag=True, help="Replace what is in the way: stop it first.")
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
    """Start one runner; refused when the section has one."""
    body = Start(section=section, engine=engine, keep=keep, force=force)
    answer = context.client.post(context.url("runners"), body, Started, timeout_s=TIMEOUT_S)
    for note in answer.notes:
        context.out.note(f"note: {note}")
    for each in answer.replaced:
        context.out.note(f"stopped {each.id[:8]}  {each.section or 'all sections'}")
    name = answer.runner.section
    follower = Follower(context, [name] if name else None, answer.since)
    try:
        if not detach:
            return follower.until_done()
        code = follower.until_up()
    except KeyboardInterrupt:
        context.out.note("\ndetached; the runner goes on working")
        context.out.note("come back: steroids logs -f    stop it: steroids runners stop")
        sys.stdout.flush()
        return 130
    if code == 0:
        _started(context, answer)
    return code


def _started(context: Context, answer: Started) -> None:
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    one = answer.runner
    context.out.line(f"started {one.id[:8]}  {one.section or 'all sections'}")
    context.out.note(f"next: steroids logs -f   (stop it: steroids runners stop --id {one.id[:8]})")


@runners.command("stop")
@click.option("--id", "ids", multiple=True, shell_complete=runner_ids, help="This one.")
@sections_option("The runner of this section.")
@click.option("--all", "everything", is_flag=True, help="All of this project.")
@now_option
@pass_context
def stop(
    context: Context, ids: tuple[str, ...], sections: tuple[str, ...], everything: bool, now: bool
) -> None:
    """Stop runners; nothing committed is lost."""
    if bool(ids) + bool(sections) + everything > 1:
        raise UsageError(MANY, hint="steroids runners list")
    if not (ids or sections or everything):
        raise UsageError("Which runners?", hint="steroids runners stop --all   (or: --section S)")
    body = Stop(ids=list(ids), sections=list(sections), now=now)
    answer = context.client.post(context.url("runners/stop"), body, Runners, timeout_s=TIMEOUT_S)
    if context.out.json:
        context.out.result(to_builtins(answer))
        return
    for each in answer.runners:
        context.out.line(f"stopped {each.id[:8]}  {each.section or 'all sections'}")
    if not answer.runners:
        context.out.note("no runner was running")
    else:
        context.out.note("next: steroids up   (goes on with what is left)")


@runners.command("list")
@pass_context
def list_(context: Context) -> int:
    """List the living runners of this project; `steroids ps` is the same."""
    return glance.show(context)


@runners.command("status")
@pass_context
def status(context: Context) -> None:
    """Show how many there are, what they do, and who waits for a place."""
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
        context.out.line(f"  {one.id[:8]}  {name}  {one.status} {doing}".rstrip())
    for queued in answer.queued:
        context.out.line(f"  queued    {queued.section}  {queued.reason}")
    if not answer.runners:
        context.out.note("next: steroids up")


@runners.command("logs")
@click.option("--id", "ident", shell_complete=runner_ids, help="Only this runner's.")
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
