"""One daemon per place: one controller per home, one loop per project.

The kernel's lock decides, always. With enforcement (`enforce_single_daemon_process`) a starting
daemon looks for the others of its place besides: in a container it ends those that were there
before it began, elsewhere it leaves them alone and does not start.

Many that start at once do not end each other. They queue, and who comes to the head of the queue
and finds one that took the place after he himself was created, or hardly before, was too slow: he
says so and leaves.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from steroids.containment import ending, facts, pid_file
from steroids.containment.command_line import Kind
from steroids.containment.daemon import Daemon, find_all_daemon_processes, same_time
from steroids.containment.pid_file import Held, Record
from steroids.errors import Busy

STARTING_S = 60.0
"""A daemon without a record that is younger is still starting: it will find us and leave."""
QUEUE_S = 30.0
"""More than it takes to end those before: TERM, 5 s, KILL."""
RELEASE_S = 2.0
"""Children of one that was killed may hold its lock until they have become what they are to be."""
LOOK_S = 0.02


class Place(NamedTuple):
    """What there is to be one daemon of."""

    kind: Kind
    path: Path
    """The home of a controller, the project of a loop; canonical."""
    home: Path
    pid_file: Path
    """Ends in `.pid`. The records of all daemons of the path are in its folder."""
    queue: Path
    """A lock file that is the same for all of the path."""
    name: str
    """`The controller`, as the message begins that one is running."""
    hint: str
    at_once_s: float = 0
    """Who is created so soon after another took the place is one of many that start at once."""
    ready: Path | None = None
    """What is there once its daemon serves; none: it does at once."""


@contextlib.contextmanager
def alone(place: Place, *, enforced: bool) -> Iterator[IO[str]]:
    """Be the one daemon of the place; yields the lock that is held for it.

    Raises `Busy` when another is, or has come first; `DiskFull` or `SteroidsError` when nothing
    can be written there.
    """
    lock = _taken(place, enforced)
    try:
        yield lock
    finally:
        pid_file.let_go(place.pid_file, lock)


def _taken(place: Place, enforced: bool) -> IO[str]:
    project = str(place.path) if place.kind is Kind.LOOP else None
    me = pid_file.this_process(place.home, project)
    if not enforced:
        return _claimed(place, me)
    with _queued(place):
        if not facts.has_evidence():
            if before := there_before(place, me):
                raise _running(place, before[0].pid)
            return _claimed(place, me)
        ended = stop_others(place, me)
        return _claimed(place, me, patience_s=RELEASE_S if ended else 0)


def stop_others(place: Place, me: Record, grace_s: float = ending.GRACE_S) -> list[Daemon]:
    """End the daemons of the place that were there before this process; returns them.

    Only in a container. Raises `Busy` when one took the place since or hardly before, does not
    serve yet, or cannot be ended.
    """
    began = time.time() - _age_s()
    before = there_before(place, me)
    taken_at = _taken_at(place)
    for each in before:
        taken = taken_at.get(each.pid, 0)
        if taken >= began - place.at_once_s or _starts(place, taken):
            raise _running(place, each.pid)
    why = f"{place.kind.name.lower()} {me.pid} starts, and there is to be one in this container"
    ending.end(before, why, grace_s)
    return before


def _starts(place: Place, taken_at: float) -> bool:
    """Whether it is on its way: on a machine that is slow each command that waits for it would
    start another one, and they would end each other before any serves."""
    if place.ready is None or place.ready.exists():
        return False
    return taken_at > time.time() - STARTING_S


def there_before(place: Place, me: Record) -> list[Daemon]:
    """Living daemons of the place, without those that are starting just now, like this one."""
    known = _taken_at(place)
    recorded = _records(place)
    found = []
    for each in find_all_daemon_processes(place.path):
        if each.kind is not place.kind or each.pid in (os.getpid(), os.getppid()):
            continue
        created = recorded.get(each.pid)
        named = each.pid in known and (created is None or same_time(created, each.created))
        if named or each.created < me.created - STARTING_S:
            found.append(each)
    return found


def _records(place: Place) -> dict[int, float]:
    """When the processes that have records there were created."""
    records = (pid_file.read(path) for path in place.pid_file.parent.glob("*.pid"))
    return {each.pid: each.created for each in records if each is not None}


def _taken_at(place: Place) -> dict[int, float]:
    """When the processes that have locks there took them, which is when they wrote into them.

    A lock is there also when its record is damaged, or of a version without records.
    """
    found = {}
    for path in (pid_file.lock_path(each) for each in _pid_files(place)):
        pid = pid_file.last_holder(path)
        if pid is not None:
            with contextlib.suppress(OSError):
                found[pid] = path.stat().st_mtime
    return found


def _pid_files(place: Place) -> set[Path]:
    return {place.pid_file, *place.pid_file.parent.glob("*.pid")}


def _age_s() -> float:
    """How long ago this process was created: never too short, and too long by a tick at most,
    where `psutil` is right to the second. Only on Linux: nothing else is a container.
    """
    # The name may have spaces and parentheses; field 22 of man 5 proc.
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    ticks = int(fields[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _queued(place: Place) -> Iterator[None]:
    """At most one starter of the path at a time. Raises `Busy` after `QUEUE_S`."""
    with pid_file.opened(place.queue) as file:
        deadline = time.monotonic() + QUEUE_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    message = f"{place.name} is being started by somebody else"
                    raise Busy(message, hint=place.hint) from None
                time.sleep(LOOK_S)
        yield


def _claimed(place: Place, me: Record, patience_s: float = 0) -> IO[str]:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return pid_file.claim(place.pid_file, me)
        except Held as held:
            if time.monotonic() > deadline:
                raise _running(place, held.pid) from None
            time.sleep(LOOK_S)


def _running(place: Place, pid: int | None) -> Busy:
    return Busy(
        f"{place.name} is already running (pid {pid if pid is not None else '?'})",
        hint=place.hint,
        details={"pid": pid},
    )
