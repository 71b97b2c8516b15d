"""Upgrades a store and is killed in the middle: at the next point each time, until it gets through.

    python -m tests.support.killed_upgrade points KIND STORE FOLDER
    python -m tests.support.killed_upgrade growth KIND STORE FOLDER STEP_BYTES
    python -m tests.support.killed_upgrade server KIND URL

`points`: before each statement and commit, and after it; before each file is opened, renamed or
removed.
`growth`: when a file that it writes is to grow beyond so many bytes, so in the middle of a copy.
Each death is one of a copy of STORE, in `FOLDER/<number>/`, which is left as it was then.
`server`: at every other of these points, of the one store at that URL; after each it waits for a
line.
"""

import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Pool, event

from steroids.store.session import Store

FILES = {"open", "os.rename", "os.remove", "sqlite3.connect"}
LOCKS = ("BEGIN IMMEDIATE", "pg_advisory_xact_lock")


def die_at(number: int, folder: str) -> None:
    """Only in a process that was forked for it; counted from when it is about to get the lock."""
    passed, armed = count(1), False

    def point(*_: object, **__: object) -> None:
        if armed and next(passed) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_statement(connection: object, cursor: object, statement: str, *_: object) -> None:
        nonlocal armed
        armed = armed or any(lock in statement for lock in LOCKS)
        point()

    def on_file(name: str, args: tuple[Any, ...]) -> None:
        if name in FILES and str(args[0]).startswith(folder):
            point()

    event.listen(Engine, "before_cursor_execute", on_statement)
    event.listen(Engine, "commit", point)
    # The first thing that happens to a connection after its commit.
    event.listen(Pool, "reset", point)
    sys.addaudithook(on_file)


def die_beyond(size_bytes: int) -> None:
    """The kernel sees to it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))


def upgrade(location: Path | str, kind: str, fault: Callable[[], None]) -> int:
    """In a process of its own; how that ended, as `os.waitstatus_to_exitcode` says it."""
    pid = os.fork()
    if pid == 0:
        fault()
        Store(location, kind).close()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def of_a_file(how: str, kind: str, store: Path, folder: Path, step_bytes: int) -> None:
    for number in count():
        path = folder / str(number) / "steroids.db"
        path.parent.mkdir(parents=True)
        shutil.copy(store, path)
        ended = upgrade(
            path,
            kind,
            lambda path=path, number=number: (  # type: ignore[misc]
                die_at(number + 1, str(path.parent))
                if how == "points"
                else die_beyond(number * step_bytes)
            ),
        )
        if ended == 0:
            return
        assert ended in (-signal.SIGKILL, -signal.SIGXFSZ), ended


def of_a_server(kind: str, url: str) -> None:
    for number in count(1, 2):
        if upgrade(url, kind, lambda number=number: die_at(number, "/nowhere")) == 0:  # type: ignore[misc]
            return
        print("killed", flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    how, kind, *rest = sys.argv[1:]
    if how == "server":
        of_a_server(kind, rest[0])
    else:
        of_a_file(how, kind, Path(rest[0]), Path(rest[1]), int([*rest, "0"][2]))
