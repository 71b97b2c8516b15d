"""Who holds a place: a record beside a lock. The lock answers whether somebody does, the record
only who; so a record that was left behind never keeps anybody from starting.
"""

import contextlib
import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from steroids.errors import DiskFull, SteroidsError

MAX_BYTES = 256 * 1024
"""More than a command line of ours ever has; what is larger is not from us."""
SIGNING_S = 0.5
"""More than it takes from having the lock to saying so in it."""


class Record(NamedTuple):
    """One process, told from any later one that gets its number."""

    pid: int
    created: float
    """When the process was created, in seconds since 1970, as `psutil` has it."""
    home: str
    argv: list[str]
    project: str | None = None
    """The canonical path of the project that it works on; none for a controller."""


class Held(Exception):
    """Another living process holds the place; `record` says which, when that can be read."""

    def __init__(self, pid: int | None, record: Record | None) -> None:
        super().__init__(f"held by pid {pid if pid is not None else '?'}")
        self.pid = pid
        self.record = record


def this_process(home: Path, project: str | None = None) -> Record:
    """The record of the process that calls."""
    import psutil

    me = psutil.Process()
    return Record(me.pid, me.create_time(), str(home), me.cmdline(), project)


def lock_path(path: Path) -> Path:
    """`controller.lock` of `controller.pid`. It stays for ever: only the lock on it counts."""
    return path.with_suffix(".lock")


def claim(path: Path, record: Record) -> IO[str]:
    """Hold the place and write the record there; held until the process ends, or `let_go`.

    The folder must exist. Whatever lies at `path` is replaced, except by a process that found the
    place held. Raises `Held`; `DiskFull` or `SteroidsError` when nothing can be written there.
    """
    try:
        lock = _locked(path)
        try:
            _sign(lock, record.pid)
            _write(path, record)
        except BaseException:
            with contextlib.suppress(OSError):
                lock.close()
            raise
    except OSError as error:
        raise _unwritable(path, error) from error
    return lock


def let_go(path: Path, lock: IO[str]) -> None:
    """Remove the record and release the place; the record of a successor is left alone."""
    with contextlib.suppress(OSError):
        if holds(path, lock):
            path.unlink(missing_ok=True)
            lock.truncate(0)
    with contextlib.suppress(OSError):
        lock.close()


def holds(path: Path, lock: IO[str]) -> bool:
    """Whether the lock is the one at that path; else the folder was removed or replaced."""
    try:
        return os.path.samestat(lock_path(path).stat(), os.fstat(lock.fileno()))
    except FileNotFoundError:
        return False


def read(path: Path) -> Record | None:
    """The record at `path`, whether its process lives or not.

    None when there is none, or when it is not one: half-written, garbage, huge, a link, a folder,
    unreadable. Never raises.
    """
    try:
        # A link would be followed to somewhere else, and a named pipe would be waited for.
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(number, "rb") as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                return None
            content = file.read(MAX_BYTES + 1)
        return _parsed(content) if len(content) <= MAX_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None


def _parsed(content: bytes) -> Record | None:
    tree: Any = json.loads(content)
    if not isinstance(tree, dict):
        return None
    pid, created, argv = tree.get("pid"), tree.get("created"), tree.get("argv")
    home, project = tree.get("home"), tree.get("project")
    if type(pid) is not int or not 0 < pid < 2**31 or type(created) is not float:
        return None
    if not isinstance(home, str) or not isinstance(project, str | None):
        return None
    if not isinstance(argv, list) or not all(isinstance(word, str) for word in argv):
        return None
    return Record(pid, created, home, argv, project)


def last_holder(lock: Path) -> int | None:
    """Who signed a lock file last and has not let go; he may have died. Never raises."""
    try:
        number = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(number, "rb") as file:
            words = file.read(32).split()
    except OSError:
        return None
    return int(words[0]) if words and words[0].isdigit() else None


@contextlib.contextmanager
def opened(lock: Path) -> Iterator[IO[str]]:
    """A lock file, made when it is missing. Raises `DiskFull` or `SteroidsError`."""
    try:
        file = _open(lock)
    except OSError as error:
        raise _unwritable(lock, error) from error
    with file:
        yield file


def _open(lock: Path) -> IO[str]:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(lock, flags, 0o600), "r+", errors="replace")


def _locked(path: Path) -> IO[str]:
    """The locked lock file of the path. Raises `Held`, or `OSError`."""
    while True:
        lock = _open(lock_path(path))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if holds(path, lock):
                return lock
        except BlockingIOError:
            lock.close()
            raise _held(path) from None
        except BaseException:
            lock.close()
            raise
        # Somebody removed the file between the opening and the locking: that lock is nobody's.
        lock.close()


def _sign(lock: IO[str], pid: int) -> None:
    """For what reads the lock itself; its time is when the place was taken."""
    # Over what is there, then cut: whoever looks never finds it empty.
    line = f"{pid}\n".encode()
    os.pwrite(lock.fileno(), line, 0)
    os.ftruncate(lock.fileno(), len(line))
    # By itself the file would have the time of the kernel's last tick.
    now = time.time_ns()
    os.utime(lock.fileno(), ns=(now, now))


def _held(path: Path) -> Held:
    deadline = time.monotonic() + SIGNING_S
    while True:
        pid, record = last_holder(lock_path(path)), read(path)
        # What is there may be of the one before, who did not live to remove it.
        if (pid is not None and _exists(pid)) or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    if record is not None and record.pid != pid:
        record = None
    return Held(pid, record)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _write(path: Path, record: Record) -> None:
    """Atomic: whoever reads sees the last record or this one. Only by who holds the lock."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(fresh, flags, 0o600), "w") as file:
            # Not synced: after a crash of the machine nobody it could name is alive.
            file.write(json.dumps(record._asdict()) + "\n")
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def _unwritable(path: Path, error: OSError) -> SteroidsError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"No space is left to write {path}", hint=f"df -h {path.parent}")
    return SteroidsError(
        f"{path} cannot be written: {os.strerror(error.errno or errno.EIO)}",
        hint=f"ls -la {path.parent}",
    )
