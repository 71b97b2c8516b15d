"""A project is served by one controller: two homes on one store would undo each other's work."""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO

from steroids.errors import BadConfig, Busy
from steroids.home import MARKER

LOCK = "controller.lock"
STORE = "steroids.db"


def take(folder: Path, home: Path) -> IO[str]:
    """Lock a project's folder for this process, for as long as the answer is open.

    Raises `Busy` naming the other home, `BadConfig` for symbolic links. The kernel lets go when
    the process ends, however it ends.
    """
    refuse_links(folder)
    file = _opened(folder / LOCK)
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


def is_host_state(path: str) -> bool:
    """Whether a path of the repository is one where the host keeps its own state.

    Nothing in a repository may be there: git overwrites ignored files without asking, so what an
    agent lands would take the place of the store, or lead whoever writes it elsewhere. On some
    file systems the case of letters does not count.
    """
    folder, _, name = path.casefold().partition("/")
    if folder != MARKER:
        return False
    return not name or name == LOCK or name.startswith(STORE)


def refuse_links(folder: Path) -> None:
    """Raises `BadConfig` when the folder, or what the host writes in it, is a symbolic link."""
    for path in (folder, folder / LOCK, *folder.glob(f"{STORE}*")):
        if path.is_symlink():
            raise BadConfig(f"{path} is a symbolic link", hint=f"rm {path}")


def _opened(path: Path) -> IO[str]:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "r+")
