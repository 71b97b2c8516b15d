"""One controller per home: the kernel's lock answers for that, and the PID file says who."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from steroids.containment import pid_file
from steroids.containment.command_line import Kind
from steroids.containment.single import Place, alone
from steroids.controller.log_file import JsonLines
from steroids.errors import BadConfig
from steroids.settings import resolve

PID_FILE = "controller.pid"
SOCKET = "controller.sock"
AT_ONCE_S = 5.0
log = logging.getLogger("steroids.containment")


def still_ours(home: Path, lock: IO[str]) -> bool:
    """Whether the lock is the one in the home; else another controller may serve it by now."""
    return pid_file.holds(home / PID_FILE, lock)


@contextlib.contextmanager
def only_one(home: Path) -> Iterator[IO[str]]:
    """Be the controller of the home; yields the lock that is held for it.

    What a dead one left is replaced. A living one stays, unless `enforce_single_daemon_process`
    is set and this is a container: then it is ended first. Raises `Busy` when another stays or
    came first, `DiskFull` or `SteroidsError` for a home that cannot be written.
    """
    place = Place(
        kind=Kind.CONTROLLER,
        path=home,
        home=home,
        pid_file=home / PID_FILE,
        queue=home / "controller.queue",
        name="The controller",
        hint="steroids daemon status",
        at_once_s=AT_ONCE_S,
        ready=home / SOCKET,
    )
    with contextlib.ExitStack() as stack:
        with _told_in(home / "logs" / "controller.log"):
            lock = stack.enter_context(alone(place, enforced=_enforced(home)))
            if (home / SOCKET).exists():
                # Whoever listened there would have the lock.
                log.warning("removed %s, which nobody listens at any more", home / SOCKET)
                (home / SOCKET).unlink(missing_ok=True)
        yield lock


def _enforced(home: Path) -> bool:
    try:
        return resolve(home / "config.yaml", None).settings.enforce_single_daemon_process
    except BadConfig as error:
        # It starts all the same: `doctor` is to say what is wrong, and nothing is ended for it.
        log.warning("%s: nothing is enforced", error.message)
        return False


class _Lines(logging.FileHandler):
    """Adds to a log that another controller may still write, so it never rotates it."""

    def emit(self, record: logging.LogRecord) -> None:
        # A disk that takes nothing is told by what has to be written there.
        with contextlib.suppress(OSError):
            Path(self.baseFilename).parent.mkdir(mode=0o700, exist_ok=True)
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        pass


@contextlib.contextmanager
def _told_in(path: Path) -> Iterator[None]:
    """Records of what is done about other controllers; its own log is open later than that."""
    handler = _Lines(path, delay=True)
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()
