"""Which processes are daemons of ours: a living process, with our command line, that names the
same home (a controller) or the same project (a loop).

So a number that was given again, another project's daemon or somebody else's Python never is one.
What cannot be read is not ours. All of this takes milliseconds with hundreds of processes: only
the command line of each is read, the rest of those few that are ours.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

from steroids.containment import command_line
from steroids.containment.command_line import Kind
from steroids.errors import NotAProject
from steroids.home import MARKER, find_project

SAME_TIME_S = 2.0
"""Between two readings of one process's creation: the kernel's idea of the time of its own boot
moves by as much as a second."""
COMMAND_BYTES = 4096
"""Of a command line: more than comes before what it runs."""
PROGRAM = command_line.PROGRAM.encode()


class Daemon(NamedTuple):
    """A living process of ours."""

    pid: int
    created: float
    """Seconds since 1970, as `psutil` has it."""
    argv: list[str]
    kind: Kind
    path: str
    """Of its home or its project; absolute, as that process sees it."""


def is_daemon_running(pid: int, path: Path | str, created: float | None = None) -> bool:
    """Whether that process is a daemon of this home or project.

    `created`, when given, is what was recorded of it: another process of that number is not it.
    """
    found = verify_daemon_process(pid)
    if found is None or (created is not None and not same_time(found.created, created)):
        return False
    return _names(found, path)


def find_all_daemon_processes(path: Path | str) -> list[Daemon]:
    """All living daemons of this home or project, in the order of their start as far as the clock
    knows it; the one that asks among them."""
    found = (verify_daemon_process(pid) for pid in _candidates())
    mine = [each for each in found if each is not None and _names(each, path)]
    return sorted(mine, key=lambda each: (each.created, each.pid))


def verify_daemon_process(pid: int) -> Daemon | None:
    """What daemon of ours that process is; None when it is none, or cannot be told."""
    try:
        process = psutil.Process(pid)
        created = process.create_time()
        argv = process.cmdline()
        kind = command_line.kind(argv)
        if kind is None:
            return None
        path = _home(process) if kind is Kind.CONTROLLER else _project(process, argv)
        # All was read of one process, unless the number went to another meanwhile.
        if path is None or not process.is_running():
            return None
        return Daemon(pid, created, argv, kind, path)
    except (psutil.Error, OSError, ValueError):
        return None


def same_time(one: float, other: float) -> bool:
    return abs(one - other) <= SAME_TIME_S


def _candidates() -> Iterator[int]:
    """Processes that have a command line of ours."""
    for pid in psutil.pids():
        try:
            # `psutil` looks at much more of each process than the one file.
            file = os.open(f"/proc/{pid}/cmdline", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            if not Path("/proc/self/cmdline").exists():
                yield pid
            continue
        except OSError:
            continue
        try:
            content = os.read(file, COMMAND_BYTES)
            if PROGRAM in content and command_line.kind(os.fsdecode(content).split("\0")):
                yield pid
        except OSError:
            continue
        finally:
            os.close(file)


def _home(process: psutil.Process) -> str | None:
    environ = process.environ()
    if named := environ.get("STEROIDS_HOME"):
        return _absolute(process, environ, named)
    user: str | None = environ.get("HOME")
    return str(Path(user) / MARKER) if user else None


def _project(process: psutil.Process, argv: list[str]) -> str | None:
    named = command_line.project(argv)
    environ: Mapping[str, str] = {}
    if named is None:
        environ = process.environ()
        named = environ.get("STEROIDS_PROJECT")
    if named:
        return _absolute(process, environ, named)
    try:
        return str(find_project(process.cwd()))
    except NotAProject:
        return None


def _absolute(process: psutil.Process, environ: Mapping[str, str], named: str) -> str:
    if named == "~" or named.startswith("~/"):
        named = (environ or process.environ()).get("HOME", "~") + named[1:]
    return str(Path(process.cwd()) / named)


def _names(found: Daemon, path: Path | str) -> bool:
    """Whether it is that very folder: another container of the same kernel has paths of its own."""
    try:
        theirs = Path(found.path)
        if not _sees_what_we_see(found.pid):
            root = Path(f"/proc/{found.pid}/root")
            theirs = root / found.path.lstrip("/")
            # A link in there would be followed among our files.
            steps = (each for each in (theirs, *theirs.parents) if root in each.parents)
            if any(each.is_symlink() for each in steps):
                return False
        return os.path.samestat(Path(path).stat(), theirs.stat())
    except (OSError, ValueError):
        return False


def _sees_what_we_see(pid: int) -> bool:
    """Whether it has the same mounts. Raises `OSError` when that cannot be told."""
    ours = Path("/proc/self/ns/mnt")
    return not ours.exists() or ours.readlink() == Path(f"/proc/{pid}/ns/mnt").readlink()
