import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from steroids.cli.command import Context, Group, pass_context
from steroids.cli.connect import answers, socket_path, start
from steroids.cli.output import ago
from steroids.client import Client
from steroids.errors import ControllerUnavailable
from steroids.home import ensure_home
from steroids.wire.body import to_builtins
from steroids.wire.daemon import DaemonOne

STOP_TIMEOUT_S = 20.0


@click.group(cls=Group)
def daemon() -> None:
    """The controller, which every command starts when it needs it."""


@daemon.command("run")
def run() -> None:
    """Be the controller, in the foreground."""
    from steroids.cli import serve

    os.umask(0o077)
    serve.run(ensure_home())


@daemon.command("start")
@pass_context
def start_(context: Context) -> None:
    """Start the controller unless it runs."""
    home = ensure_home()
    running = answers(socket_path(home))
    if not running:
        start(home)
    _show(context, Client(socket_path(home)), "already running" if running else "started")


@daemon.command("stop")
@pass_context
def stop(context: Context) -> None:
    """Stop the controller; runners go on working and find the next one."""
    home = ensure_home()
    stopped = _stop(home)
    if context.out.json:
        context.out.result({"stopped": stopped})
    context.out.line("stopped" if stopped else "not running")


@daemon.command("restart")
@pass_context
def restart(context: Context) -> None:
    """Stop and start the controller; runners go on working."""
    home = ensure_home()
    _stop(home)
    start(home)
    _show(context, Client(socket_path(home)), "restarted")


@daemon.command("status")
@pass_context
def status(context: Context) -> None:
    """Show whether the controller runs, and since when."""
    path = socket_path(ensure_home())
    if not answers(path):
        raise ControllerUnavailable("The controller is not running", hint="steroids daemon start")
    _show(context, Client(path), "running")


@daemon.command("logs")
@click.option("-n", "--lines", default=100, show_default=True)
def logs(lines: int) -> None:
    """Show the end of the controller's log."""
    path = ensure_home() / "logs" / "controller.log"
    text = path.read_text(errors="replace").splitlines() if path.exists() else []
    sys.stdout.write("".join(f"{line}\n" for line in text[-lines:]))


def _stop(home: Path) -> bool:
    path = socket_path(home)
    if not answers(path):
        return False
    Client(path).send("POST", "/v1/daemon/stop")
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while _locked(home):
        if time.monotonic() > deadline:
            raise ControllerUnavailable(
                f"The controller did not stop within {STOP_TIMEOUT_S:.0f} s",
                hint="steroids daemon logs",
            )
        time.sleep(0.02)
    return True


def _locked(home: Path) -> bool:
    """Whether a controller lives: it holds this lock for as long as it does."""
    import fcntl

    with (home / "controller.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def _show(context: Context, client: Client, word: str) -> None:
    info = client.get("/v1/daemon", DaemonOne)
    if context.out.json:
        context.out.result({**to_builtins(info), "status": word})
        return
    it = info.daemon
    age = ago((datetime.now(UTC) - it.since).total_seconds())
    context.out.line(f"{word}, pid {it.pid}, version {it.version}, since {age}")
    context.out.line(f"home {it.home}")
    context.out.line(
        f"{it.projects} projects, {it.runners} runners, {it.memory_bytes / 2**20:.0f} MiB"
    )
