"""A project is served by one controller: two homes on one store would undo each other's work."""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO

from steroids.errors import Busy

LOCK = "controller.lock"


def take(folder: Path, home: Path) -> IO[str]:
    """Lock a project's folder for this process, for as long as the answer is open.

    Raises `Busy` naming the other home. The kernel lets go when the process ends, however it
    ends.
    """
    file = (folder / LOCK).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        with contextlib.closing(file):
            file.seek(0)
            pid, _, other = file.read().strip().partition(" ")
        raise Busy(
            f"{folder.parent} is served by another controller (pid {pid or '?'}, home {other})",
            hint=f"STEROIDS_HOME={other} steroids daemon stop",
            details={"pid": pid, "home": other},
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()} {home}\n")
    file.flush()
    return file
