"""Finding the controller, and starting it when nobody has."""

import contextlib
import fcntl
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from steroids.cli import remote
from steroids.client import Client, Listener, short_path
from steroids.errors import ControllerUnavailable, DiskFull, SteroidsError, out_of_space
from steroids.home import ensure_home

START_TIMEOUT_S = 30.0
BEFORE_IT_S = 10.0
"""For one that ends to be gone. Who starts another one beside it is told that it is there."""
ALREADY_RUNNING = 6
PRINTED_BYTES = 4096


def connect(timeout_s: float = 60, listener: Listener | None = None) -> Client:
    """A client that starts the controller when a call finds none; with `STEROIDS_URL` one of the
    controller there, which nobody starts.

    A call raises `ControllerUnavailable` when it does not come up, with the end of its log.
    """
    if address := remote.url():
        return remote.client(address, timeout_s, listener)
    home = ensure_home()
    path = socket_path(home)

    def before() -> None:
        if not answers(path):
            start(home)

    return Client(path, timeout_s=timeout_s, before=before, listener=listener)


def socket_path(home: Path) -> Path:
    return home / "controller.sock"


def answers(path: Path) -> bool:
    """Whether somebody listens there; costs no request, and no time when he hangs."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            with short_path(path) as address:
                probe.connect(address)
        except BlockingIOError:
            # More wait for him than there is room for.
            return True
        except OSError:
            return False
        return True


def lives(home: Path) -> bool:
    """Whether a controller lives, listening or not: it holds this lock for as long as it does."""
    try:
        with (home / "controller.lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def pid_of(home: Path) -> str:
    """The process id of the controller that lives; `?` when it cannot be read."""
    with contextlib.suppress(OSError):
        words = (home / "controller.lock").read_bytes()[:32].split()
        if words and words[0].isdigit():
            return words[0].decode("ascii")
    return "?"


def start(home: Path) -> None:
    """Start the controller and wait until it listens; of several starters one does the work.

    Raises `ControllerUnavailable`, `DiskFull`, or whatever the home is not usable for.
    """
    try:
        with _alone(home) as mine:
            if mine:
                _start(home)
    except OSError as error:
        if out_of_space(error):
            raise DiskFull(
                f"No space is left on the disk of {home}: the controller cannot start",
                hint=f"df -h {home}",
            ) from error
        where = error.filename or home
        raise ControllerUnavailable(
            f"The controller cannot be started: {where}: {error.strerror or error}",
            hint=f"ls -ld {home} {where}",
        ) from error


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
    """One after the other, until one listens: the first may find one that is just ending."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not answers(socket_path(home)):
        if time.monotonic() > deadline:
            raise ControllerUnavailable(
                f"The controller (pid {pid_of(home)}) lives, but does not listen",
                hint=f"kill -9 {pid_of(home)}   (runners go on working)",
            )
        _wait_for_end(home)
        if not answers(socket_path(home)):
            _start_one(home, deadline)


def _wait_for_end(home: Path) -> None:
    deadline = time.monotonic() + BEFORE_IT_S
    while lives(home) and not answers(socket_path(home)) and time.monotonic() < deadline:
        time.sleep(0.02)


def _start_one(home: Path, deadline: float) -> None:
    """Returns when one listens, or this one found that another one lives."""
    from steroids import proc

    logs = home / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    out_path = logs / "controller.out"
    with out_path.open("wb") as out:
        if hasattr(os, "posix_fallocate"):
            # Room to print an error, also when that is that there is none.
            os.posix_fallocate(out.fileno(), 0, PRINTED_BYTES)
        process = proc.spawn(
            [sys.executable, "-m", "steroids", "daemon", "run"],
            cwd="/",
            env={**_environment(), "STEROIDS_HOME": str(home)},
            stdout=out,
            stderr=proc.STDOUT,
        )
    status = None
    while time.monotonic() < deadline:
        if answers(socket_path(home)):
            # It outlives this command; that it was never waited for is meant.
            process.returncode = 0
            os.truncate(out_path, len(printed(out_path)))
            return
        status = process.poll()
        if status == ALREADY_RUNNING:
            return
        if status is not None:
            break
        time.sleep(0.02)
    process.returncode = process.returncode or 0
    raise _not_started(out_path)


def _environment() -> dict[str, str]:
    mine = (remote.URL, remote.TOKEN)
    return {name: value for name, value in os.environ.items() if name not in mine}


def printed(path: Path) -> bytes:
    """What the controller has printed, without the room that was kept for it."""
    return path.read_bytes().rstrip(b"\0")


def _not_started(out_path: Path) -> SteroidsError:
    """What it printed, as it would have said it here."""
    lines = printed(out_path).decode("utf-8", "replace").strip().splitlines()
    said = [line.partition(": ")[2] for line in lines if line.startswith("error: ")]
    hints = [line.partition(": ")[2] for line in lines if line.startswith("hint: ")]
    reason = (said or lines or ["it said nothing"])[-1]
    hint = hints[-1] if said and hints else "steroids daemon logs"
    return ControllerUnavailable(f"The controller did not start: {reason}", hint=hint)
