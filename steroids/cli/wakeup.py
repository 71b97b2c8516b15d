from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from steroids.cli.columns import fit
from steroids.cli.command import Command, Context, pass_context
from steroids.cli.output import count
from steroids.home import ensure_home
from steroids.wire.body import to_builtins
from steroids.wire.wakeup import Action, Wakeup, Wakeups, Woken

TIMEOUT_S = 600.0
HEADS = ("PROJECT", "ACTION", "RUNNERS", "WHY")
LOG = "logs/cron.log"
LOG_BYTES = 256 * 1024


@click.command("wakeup", cls=Command)
@click.option("--dry-run", is_flag=True, help="Only say what would be started.")
@pass_context
def wakeup(context: Context, dry_run: bool) -> None:
    """Start what is missing, in every project of this host that has work.

    Works from any folder. A project that is disabled or not there is passed over, and so is one
    that cannot be started now, which is told. `steroids runners cron install` has this done
    every minute.
    """
    _keep_small(ensure_home() / LOG)
    answer = context.client.post(
        "/v1/wakeups", Wakeup(dry_run=dry_run), Wakeups, timeout_s=TIMEOUT_S
    )
    if context.out.json:
        context.out.result({**to_builtins(answer), "dryRun": dry_run})
    elif answer.in_progress:
        context.out.note("another wakeup is at it; nothing was done")
    elif context.out.quiet:
        _log(answer.results)
    else:
        _show(context, answer.results)


def _show(context: Context, results: Sequence[Woken]) -> None:
    shown = [each for each in results if context.out.verbose or each.action is not Action.NONE]
    if shown:
        rows = [_row(each) for each in shown]
        fit(HEADS, rows, "PROJECT", "WHY")
        context.out.table(HEADS, rows)
    idle = len(results) - len(shown)
    if idle:
        more = " more" if shown else ""
        context.out.note(f"{count(idle, f'{more} project'.strip())} with nothing to do (-v shows)")
    if not results:
        context.out.note("no project is registered\nnext: steroids init   (in a repository)")


def _row(each: Woken) -> list[str]:
    runners = str(each.runners) if each.runners else "-"
    return [short(each.project), each.action.replace("_", " "), runners, why(each)]


def why(each: Woken) -> str:
    """The sections that were started, or the reason why none was."""
    return ", ".join(each.sections) or each.reason


def short(path: str) -> str:
    """With `~` for the user's own folder."""
    home = str(Path.home())
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}/") else path


def _log(results: Sequence[Woken]) -> None:
    """Lines for a log, as cron keeps one: only where something was done, or went wrong."""
    now = datetime.now().astimezone()
    for each in results:
        if each.failed or each.action in (Action.STARTED, Action.WOULD_START):
            click.echo(f"{now:%Y-%m-%d %H:%M:%S}  {each.action}  {each.project}  {why(each)}")


def _keep_small(log: Path) -> None:
    """Drop the older half of a log that has grown long. Whoever writes it appends, so that what
    he writes next is behind the rest."""
    try:
        if log.stat().st_size > LOG_BYTES:
            newest = log.read_bytes()[-LOG_BYTES // 2 :].partition(b"\n")[2]
            with log.open("r+b") as file:
                file.write(newest)
                file.truncate()
    except OSError:
        # Whatever is wrong there, it is no reason to leave projects asleep.
        return
