"""The copy of a SQLite store that is made before its upgrade."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path


def copy_path(path: Path, version: str) -> Path:
    """Named as the store is: what keeps git and agents away from the one does from the other."""
    return path.with_name(f"{path.name}.schema-{version}.bak")


def keep(path: Path, version: str) -> Path:
    """A consistent copy beside the store, also while that is in use. Replaces one of that version.

    To be called by one process at a time. Raises `sqlite3.Error` and `OSError`, and leaves no
    part of a copy then; a name that ends with `.bak` is that of a whole one, whenever the process
    or the machine dies.
    """
    copy = copy_path(path, version)
    unfinished = copy.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    try:
        unfinished.touch(mode=0o600, exist_ok=False)
        with (
            closing(sqlite3.connect(path)) as source,
            closing(sqlite3.connect(unfinished)) as target,
        ):
            # Nobody goes back to what was in a new file, and no journal is left of it.
            target.execute("PRAGMA journal_mode=OFF")
            source.backup(target)
        _sync(unfinished)
        unfinished.replace(copy)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync(path.parent)
    return copy


def _sync(path: Path) -> None:
    """To the disk, before the upgrade is."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
