import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steroids.cli import remote
from steroids.cli.command import Context, Group, pass_context
from steroids.cli.connect import answers, lives, pid_of, socket_path, start
from steroids.cli.daemon_logs import logs
from steroids.cli.output import count
from steroids.client import Client
from steroids.errors import ControllerUnavailable
from steroids.home import ensure_home

if TYPE_CHECKING:
    from steroids.wire.runner import Runner

STOP_TIMEOUT_S = 20.0
ANSWER_TIMEOUT_S = 5.0


@click.group(cls=Group)
def daemon() -> None:
    """The controller, which every command starts when it needs it."""


daemon.add_command(logs)


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
    remote.here_only("steroids daemon start")
    home = ensure_home()
    running = answers(socket_path(home))
    if not running:
        start(home)
    _show(context, _client(context, home), "already running" if running else "started")


@daemon.command("stop")
@click.option("--with-runners", is_flag=True, help="Stop the runners of all projects before.")
@pass_context
def stop(context: Context, with_runners: bool) -> None:
    """Stop the controller; runners go on working and find the next one.

    Nothing committed is lost with --with-runners either: steroids up goes on.
    """
    remote.here_only("steroids daemon stop")
    home = ensure_home()
    runners = _stop_runners(context) if with_runners else []
    stopped = _stop(home)
    if context.out.json:
        from steroids.wire.body import to_builtins

        context.out.result({"stopped": stopped, "runners": [to_builtins(one) for one in runners]})
    context.out.line("stopped" if stopped else "not running")


@daemon.command("restart")
@pass_context
def restart(context: Context) -> None:
    """Stop and start the controller; runners go on working."""
    remote.here_only("steroids daemon restart")
    home = ensure_home()
    _stop(home)
    start(home)
    _show(context, _client(context, home), "restarted")


@daemon.command("status")
@pass_context
def status(context: Context) -> None:
    """Show whether the controller runs, since when, and what it has to do.

    The exit code is 1 when it does not run, or does not answer.
    """
    if address := remote.url():
        _show(context, remote.client(address, ANSWER_TIMEOUT_S, context.skew), "running")
        return
    home = ensure_home()
    if not answers(socket_path(home)):
        if lives(home):
            raise ControllerUnavailable(
                f"The controller (pid {pid_of(home)}) is just starting, or ending",
                hint="steroids daemon status",
            )
        raise ControllerUnavailable("The controller is not running", hint="steroids daemon start")
    _show(context, _client(context, home), "running")


def _client(context: Context, home: Path) -> Client:
    return Client(socket_path(home), timeout_s=ANSWER_TIMEOUT_S, listener=context.skew)


def _stop_runners(context: Context) -> "list[Runner]":
    """All of this home's. They may live without a controller: it is started then."""
    from steroids.cli.down import stop_runners
    from steroids.wire.runner import Down

    stopped = stop_runners(context, Down(sections=[], now=False), everything=True)
    if stopped:
        context.out.note(f"{count(len(stopped), 'runner')} stopped; steroids up goes on")
    return stopped


def _stop(home: Path) -> bool:
    """Ask it to end and wait until it has; False when none lives."""
    path, asked, found = socket_path(home), False, False
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while lives(home):
        found = True
        if not asked and answers(path):
            # One that is just starting is asked as soon as it listens.
            asked = _asked(home, path, deadline)
        if time.monotonic() > deadline:
            pid = pid_of(home)
            raise ControllerUnavailable(
                f"The controller (pid {pid}) did not stop within {STOP_TIMEOUT_S:.0f} s",
                hint=f"steroids daemon logs; kill -9 {pid}   (runners go on working)",
            )
        time.sleep(0.02)
    return found


def _asked(home: Path, path: Path, deadline: float) -> bool:
    left_s = max(0.1, deadline - time.monotonic())
    try:
        Client(path, timeout_s=left_s).send("POST", "/v1/daemon/stop")
    except ControllerUnavailable as error:
        if answers(path) and time.monotonic() > deadline:
            raise _hangs(home, STOP_TIMEOUT_S) from error
        # It ended meanwhile, or else it is asked again.
        return False
    return True


def _hangs(home: Path, waited_s: float) -> ControllerUnavailable:
    """One that was stopped by a signal, or that a disk keeps waiting."""
    pid = pid_of(home)
    return ControllerUnavailable(
        f"The controller (pid {pid}) has not answered for {waited_s:g} s",
        hint=f"kill -9 {pid}   (runners go on working; steroids daemon start)",
    )


def _show(context: Context, client: Client, word: str) -> None:
    from steroids.cli.daemon_status import show
    from steroids.wire.daemon import DaemonOne

    try:
        info = client.get("/v1/daemon", DaemonOne)
    except ControllerUnavailable as error:
        if isinstance(error.__cause__, TimeoutError) and remote.url() is None:
            raise _hangs(ensure_home(), ANSWER_TIMEOUT_S) from error
        raise
    show(context, info, word)
