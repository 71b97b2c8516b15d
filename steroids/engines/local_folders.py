"""Where the local engine keeps things: whole folders only, put in place by one rename."""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from steroids import proc
from steroids.errors import EngineError

_LOCKS = 64
"""Files to lock; names that share one merely wait for each other."""


class Folders:
    """`containers/<id>`, `images/<id>`, `refs/<name>` below `path`; made when first needed.

    `half/` has what is being made or removed. Who does that holds a lock on the folder, so that
    what the dead have left there is known.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.containers, self.images = path / "containers", path / "images"
        self.refs = path / "refs"
        self._half, self._locks = path / "half", path / "locks"

    @classmethod
    def of(cls, home: Path) -> Self:
        # Resolved: what runs inside sees itself there.
        return cls(home.resolve() / "local")

    def ensure(self) -> None:
        """Make what is missing, and sweep what the dead have left half-made or half-removed."""
        for folder in (self.containers, self.images, self.refs, self._half, self._locks):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in self._half.iterdir():
            with self._held(folder) as mine:
                if mine:
                    remove_tree(folder)

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Keep all others, threads and processes, from the same name; waits for them."""
        number = int(hashlib.sha256(name.encode()).hexdigest(), 16) % _LOCKS
        with (self._locks / f"{number}").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def half_made(self) -> Iterator[Path]:
        """A new folder to fill and to rename into place; removed if that does not happen."""
        while True:
            folder = self._half / secrets.token_hex(32)
            folder.mkdir(mode=0o700)
            with self._held(folder) as mine:
                # Somebody sweeping may have been quicker than the lock.
                if mine and folder.is_dir():
                    try:
                        yield folder
                    finally:
                        remove_tree(folder)
                    return

    def discard(self, folder: Path) -> None:
        """Remove it; to everybody else it is gone at once."""
        going = self._half / secrets.token_hex(32)
        try:
            folder.rename(going)
        except FileNotFoundError:
            return
        remove_tree(going)

    @contextlib.contextmanager
    def _held(self, folder: Path) -> Iterator[bool]:
        """Whether the folder is there and nobody else has it."""
        try:
            number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            yield False
            return
        try:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True
        finally:
            os.close(number)


def put(path: Path, content: object) -> None:
    """Write a JSON file that is whole whenever it is there, readable by its owner alone."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "w") as file:
        json.dump(content, file)
    fresh.replace(path)


def get(path: Path) -> Any:
    """What `put` wrote; None when there is no such file."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder as `target`, sharing blocks where the file system can.

    Raises `EngineError`, with what is there of `target` left to the caller.
    """
    # Instead of Python's own, which never shares blocks and is slower by far.
    share = ["-c"] if sys.platform == "darwin" else ["--reflink=auto"]
    done = proc.run(["cp", "-a", *share, str(source), str(target)])
    if not done.ok:
        remove_tree(target)
        # One that does not know the option, or a disk that cannot share.
        done = proc.run(["cp", "-a", str(source), str(target)])
    if not done.ok:
        last = (done.err.splitlines() or ["cp failed"])[-1]
        raise EngineError(f"The local engine could not copy {source}: {last}", hint="df -h")


def remove_tree(path: Path) -> None:
    """Remove a folder with all in it, also where its owner may not write (Go's modules)."""
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():
        for folder, _, _ in os.walk(path):
            with contextlib.suppress(OSError):
                Path(folder).chmod(stat.S_IRWXU)
        shutil.rmtree(path, ignore_errors=True)
