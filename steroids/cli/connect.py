"""Finding the controller, and starting it when nobody has."""

import contextlib
import fcntl
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from steroids.client import Client, short_path
from steroids.errors import ControllerUnavailable
from steroids.home import ensure_home

START_TIMEOUT_S = 30.0
ALREADY_RUNNING = 6


def connect(timeout_s: float = 60) -> Client:
    """A client that starts the controller when a call finds none.

    A call raises `ControllerUnavailable` when it does not come up, with the end of its log.
    """
    home = ensure_home()
    path = socket_path(home)

    def before() -> None:
        if not answers(path):
            start(home)

    return Client(path, timeout_s=timeout_s, before=before)


def socket_path(home: Path) -> Path:
    return home / "controller.sock"


def answers(path: Path) -> bool:
    """Whether somebody listens there; costs no request."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            with short_path(path) as address:
                probe.connect(address)
        except OSError:
            return False
        return True


def start(home: Path) -> None:
    """Start the controller and wait until it listens; of several starters one does the work."""
    with _alone(home) as mine:
        if mine:
            _start(home)


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[bool]:
    """Whether nobody else starts it; returns when somebody has.

    Fifty commands at once would otherwise be fifty controllers that load, of which one may stay,
    and that takes a small machine longer than any of them waits.
    """
    with (home / "starting.lock").open("a") as file:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                locked = False
            else:
                locked = True
            if answers(socket_path(home)):
                yield False
                return
            # Somebody who takes that long has not got anywhere, and says so himself.
            if locked or time.monotonic() > deadline:
                yield True
                return
            time.sleep(0.1)


def _start(home: Path) -> None:
    from steroids import proc

    logs = home / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    out_path = logs / "controller.out"
    with out_path.open("wb") as out:
        process = proc.spawn(
            [sys.executable, "-m", "steroids", "daemon", "run"],
            cwd="/",
            env={**os.environ, "STEROIDS_HOME": str(home)},
            stdout=out,
            stderr=proc.STDOUT,
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if answers(socket_path(home)):
            # It outlives this command; that it was never waited for is meant.
            process.returncode = 0
            return
        status = process.poll()
        if status is not None and status != ALREADY_RUNNING:
            break
        time.sleep(0.02)
    tail = out_path.read_text(errors="replace").strip().splitlines()
    raise ControllerUnavailable(
        "The controller did not start" + (f": {tail[-1]}" if tail else ""),
        hint=f"less {logs / 'controller.log'}",
    )
