"""Finding the controller, and starting it when nobody has."""

import os
import socket
import sys
import time
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
    """Start the controller and wait until it listens; of several starters one succeeds."""
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
