"""Processes of local containers: known by pid and time of birth, found by their mark."""

import contextlib
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import psutil

MARK = "STEROIDS_CONTAINER"
"""In the environment of all that runs in a container: its id."""

_SAME_S = 2.0
"""A process's birth is counted from the host's boot, and the time of that moves by a little
when the clock is set. A pid is not used again within this."""

_KILL_S = 10.0


@dataclass(frozen=True)
class Life:
    """A process, and no later one of the same pid."""

    pid: int
    born: float
    """Seconds since 1970."""

    def process(self) -> psutil.Process | None:
        """None when it has ended, whoever has its pid now."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.born) < _SAME_S
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    def send(self, signum: int) -> None:
        """Nothing when it has ended."""
        process = self.process()
        if process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signum)


def life_of(pid: int) -> Life:
    """Raises `psutil.NoSuchProcess`."""
    return Life(pid, psutil.Process(pid).create_time())


def ended(pid: int) -> bool:
    """Of a process that was started just now."""
    try:
        return _is_zombie(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return True


def kill_all(container: str, *, spare: Collection[int] = ()) -> bool:
    """Kill what runs in a container, until a look finds nothing more; False if that took too long.

    That is what has its mark, and all descendants of that. On Linux the container's shim is the
    parent of what has lost its own, so that even the unmarked are found while the shim lives.
    """
    deadline = time.monotonic() + _KILL_S
    while True:
        found = [each for each in _members(container) if each.pid not in spare]
        if not found:
            return True
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)


def _members(container: str) -> Iterator[psutil.Process]:
    everybody, parents, marked = {}, {}, set()
    for pid in psutil.pids():
        # Those of other users may not be looked into, and are not ours.
        with contextlib.suppress(psutil.Error, OSError):
            everybody[pid] = process = psutil.Process(pid)
            parents[pid] = process.ppid()
            if process.environ().get(MARK) == container:
                marked.add(pid)
    for pid, process in everybody.items():
        if _line(pid, parents) & marked and not _is_zombie(process):
            yield process


def _line(pid: int, parents: Mapping[int, int]) -> set[int]:
    """A process and its ancestors."""
    line: set[int] = set()
    while pid and pid not in line:
        line.add(pid)
        pid = parents.get(pid, 0)
    return line


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True
