"""One controller per home: a lock answers for that, and not a PID file."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from steroids.errors import Busy

LOCK = "controller.lock"


def still_ours(home: Path, lock: IO[str]) -> bool:
    """Whether the lock is the one in the home; else another controller may serve it by now."""
    try:
        return os.path.samestat((home / LOCK).stat(), os.fstat(lock.fileno()))
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def only_one(home: Path) -> Iterator[IO[str]]:
    with (home / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            pid = file.read().strip() or "?"
            raise Busy(
                f"The controller is already running (pid {pid})", hint="steroids daemon status"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield file
