"""`steroids runners cron`: having wakeups done, by whatever this host has for that."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from steroids.cli import cron_crontab, cron_launchd, cron_schedule, cron_systemd
from steroids.cli.command import Context, Group, pass_context
from steroids.cli.cron_job import CronFailed, Job, job
from steroids.cli.output import ago, count, lasting
from steroids.cli.wakeup import short, why
from steroids.home import ensure_home
from steroids.wire.body import to_builtins
from steroids.wire.wakeup import Action, PastWakeup, PastWakeups, Woken

KINDS = (cron_crontab.KIND, cron_systemd.KIND, cron_launchd.KIND)
LAST = 10
"""How many wakeups are shown to people."""

with_option = click.option(
    "--with",
    "kind",
    type=click.Choice(KINDS),
    help="Instead of what this host has: launchd, crontab, or systemd, in this order.",
)


@click.group(cls=Group)
def cron() -> None:
    """Wake all projects now and then, so that runners are there when there is work."""


@cron.command("install")
@click.option("--every", default="1m", show_default=True, metavar="TIME", help="1m, 5m, 1h, 1d.")
@with_option
@click.option("--dry-run", is_flag=True, help="Only show what would be written.")
@pass_context
def install(context: Context, every: str, kind: str | None, dry_run: bool) -> None:
    """Have `steroids runners wakeup` run every minute. Safe to repeat.

    In the user's crontab it is one line, marked, and no other is touched; on a host with systemd
    and no cron a user's timer; on macOS a launchd agent.
    """
    home = ensure_home()
    what = job(home, cron_schedule.parse(every), os.environ)
    chosen = kind or _kind()
    files = _files(what, chosen)
    if dry_run:
        _show_files(context, chosen, files)
        return
    (home / "logs").mkdir(mode=0o700, exist_ok=True)
    changed = _install(what, chosen)
    if context.out.json:
        body = {"kind": chosen, "where": list(files), "changed": changed}
        context.out.result({**body, "every": every, "leftOut": list(what.left_out)})
    word = "installed" if changed else "was there already"
    context.out.line(f"{word}: {what.schedule}, in {', '.join(files)}")
    _notes(context, what, chosen)


@cron.command("uninstall")
@pass_context
def uninstall(context: Context) -> None:
    """Take it away again, whatever it was installed with."""
    home = ensure_home()
    gone = []
    if cron_crontab.is_here() and cron_crontab.uninstall(home):
        gone.append(cron_crontab.KIND)
    if cron_systemd.uninstall(home):
        gone.append(cron_systemd.KIND)
    if cron_launchd.uninstall(home):
        gone.append(cron_launchd.KIND)
    if context.out.json:
        context.out.result({"removed": gone})
    context.out.line(f"removed from {' and '.join(gone)}" if gone else "nothing was installed")
    if gone:
        context.out.note("runners that live go on working   (stop them: steroids down)")


@cron.command("status")
@pass_context
def status(context: Context) -> None:
    """Show what is installed and where, and what the last wakeups did."""
    home = ensure_home()
    found = _installed(home)
    past = context.client.get("/v1/wakeups", PastWakeups)
    if context.out.json:
        context.out.result({"installed": found, **to_builtins(past)})
        return
    for kind, what in found.items():
        context.out.line(f"installed with {kind}:")
        click.echo(f"  {what}")
    if not found:
        context.out.line("not installed")
    _show_past(context, past.wakeups)
    if not found:
        context.out.note("next: steroids runners cron install")


def _kind() -> str:
    here = {
        cron_launchd.KIND: cron_launchd.is_here(),
        cron_crontab.KIND: cron_crontab.is_here(),
        cron_systemd.KIND: cron_systemd.is_here(),
    }
    for kind, is_here in here.items():
        if is_here:
            return kind
    raise CronFailed(
        "This host has neither cron nor systemd to wake projects with",
        hint="apt-get install cron   (or have anything run: steroids runners wakeup)",
    )


def _files(what: Job, kind: str) -> dict[str, str]:
    """What is written, by where it is written to."""
    if kind == cron_crontab.KIND:
        return {cron_crontab.where(): cron_crontab.shown(what) + "\n"}
    if kind == cron_launchd.KIND:
        return {str(cron_launchd.where(what.home)): cron_launchd.plist(what).decode()}
    units = cron_systemd.units(what).items()
    return {str(cron_systemd.folder() / name): text for name, text in units}


def _install(what: Job, kind: str) -> bool:
    install: Callable[[Job], bool] = {
        cron_crontab.KIND: cron_crontab.install,
        cron_systemd.KIND: cron_systemd.install,
        cron_launchd.KIND: cron_launchd.install,
    }[kind]
    return install(what)


def _installed(home: Path) -> dict[str, str]:
    found = {
        cron_crontab.KIND: cron_crontab.installed(home) if cron_crontab.is_here() else None,
        cron_systemd.KIND: cron_systemd.installed(home),
        cron_launchd.KIND: cron_launchd.installed(home),
    }
    return {kind: what for kind, what in found.items() if what is not None}


def _show_files(context: Context, kind: str, files: dict[str, str]) -> None:
    if context.out.json:
        context.out.result({"kind": kind, "dryRun": True, "files": files})
        return
    for where, text in files.items():
        context.out.note(f"would write into {where}:")
        click.echo(text, nl=False)


def _notes(context: Context, what: Job, kind: str) -> None:
    for name in what.left_out:
        context.out.note(
            f"note: {name} was left out, since others could read it there; what it sets can be "
            f"in {what.home / 'config.yaml'}"
        )
    if kind == cron_crontab.KIND and not _cron_runs():
        context.out.note("note: no cron daemon runs here now   (sudo service cron start)")
    if kind == cron_systemd.KIND:
        context.out.note(f"note: {cron_systemd.LINGER}")
    context.out.note("next: steroids runners cron status")


def _cron_runs() -> bool:
    import psutil

    names = {"cron", "crond", "fcron", "dcron", "busybox"}
    return any(each.info["name"] in names for each in psutil.process_iter(["name"]))


def _show_past(context: Context, past: Sequence[PastWakeup]) -> None:
    if not past:
        context.out.line("no wakeup yet")
        return
    now = datetime.now(UTC)
    context.out.line("last wakeups:")
    for each in past[: len(past) if context.out.verbose else LAST]:
        age = ago((now - each.began_at).total_seconds())
        started = [one for one in each.results if one.action is Action.STARTED]
        failed = [one for one in each.results if one.failed]
        words = [f"started {len(started)}"] if started else []
        words += [f"{len(failed)} could not be"] if failed else []
        did = ", ".join(words) or "nothing to start"
        looked = f"{count(each.projects, 'project')}, {lasting(each.took_s)}"
        context.out.line(f"  {age:<11} {did}  ({looked})")
        for one in each.results:
            click.echo(f"    {_line(one)}")


def _line(one: Woken) -> str:
    return f"{one.action:<8} {short(one.project)}  {why(one)}"
