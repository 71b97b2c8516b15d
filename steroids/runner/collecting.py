"""Files of the workspace that are to go back with a result."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

MAX_BYTES = 8 << 20
"""Of all of them together: they travel in the result's body."""

_FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
# Else opening a named pipe would wait for whoever writes into it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def collect(root: Path, names: Sequence[str]) -> dict[str, str | None]:
    """The text of these files, paths relative to `root`; None for what is no such file.

    What an agent's programs have made lies there, and the runner may read more than they may: no
    symbolic link is followed, on no part of the way, and only regular files are read.
    """
    found: dict[str, str | None] = {}
    left = MAX_BYTES
    for name in names:
        raw = _read(root, PurePosixPath(name), left)
        left -= len(raw or b"")
        try:
            found[name] = None if raw is None else raw.decode()
        except UnicodeDecodeError:
            found[name] = None
    return found


def _read(root: Path, path: PurePosixPath, max_bytes: int) -> bytes | None:
    if path.is_absolute() or ".." in path.parts or not path.parts:
        return None
    opened = [os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]
    try:
        for folder in path.parts[:-1]:
            opened.append(os.open(folder, _FOLDER, dir_fd=opened[-1]))
        opened.append(os.open(path.name, _FILE, dir_fd=opened[-1]))
        if not stat.S_ISREG(os.fstat(opened[-1]).st_mode):
            return None
        with open(opened[-1], "rb", closefd=False) as file:
            raw = file.read(max_bytes + 1)
        return raw if len(raw) <= max_bytes else None
    except OSError:
        return None
    finally:
        for each in opened:
            os.close(each)
