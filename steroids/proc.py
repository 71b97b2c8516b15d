"""The only place that spawns processes.

A process is started in a session of its own, so that stopping it stops all that it started.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

PIPE = subprocess.PIPE
STDOUT = subprocess.STDOUT
Process = subprocess.Popen[bytes]


# Not a dataclass, here as in all that a runner loads: those need `inspect`, a fifth of its start.
class Completed(NamedTuple):
    """How a process ended. `returncode` is negative for a signal, as in `subprocess`."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes

    @property
    def ok(self) -> bool:
        return self.returncode == 0

    @property
    def out(self) -> str:
        """Standard output as text without the final newline; undecodable bytes survive."""
        return self.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    @property
    def err(self) -> str:
        """Standard error as readable text."""
        return self.stderr.decode("utf-8", "replace").strip()


class TimedOut(Exception):
    """The process was still running after `timeout_s`; it and its children have been killed."""

    def __init__(self, argv: Sequence[str], timeout_s: float) -> None:
        super().__init__(f"{argv[0]} did not finish within {timeout_s:g} s")


def run(
    argv: Sequence[str],
    *,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
    timeout_s: float | None = None,
    user: int | None = None,
) -> Completed:
    """Run to the end and return what came out; a non-zero exit is the caller's to judge.

    `stdout`, when given, is a file that receives the output instead; `user` is as in `spawn`.
    Raises `FileNotFoundError` when there is no such program, `TimedOut` after `timeout_s`.
    """
    feed, source = (stdin, subprocess.PIPE) if isinstance(stdin, bytes) else (None, stdin)
    process = spawn(
        argv,
        cwd=cwd,
        env=env,
        stdin=source,
        stdout=stdout or subprocess.PIPE,
        stderr=subprocess.PIPE,
        user=user,
    )
    try:
        out, err = process.communicate(feed, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        kill_group(process)
        raise TimedOut(argv, timeout_s or 0) from None
    except BaseException:
        kill_group(process)
        raise
    return Completed(tuple(argv), process.returncode, out or b"", err or b"")


def spawn(
    argv: Sequence[str],
    *,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    user: int | None = None,
) -> Process:
    """Start a process in a session of its own; standard input is empty unless given.

    `user`, when given, is the uid and gid it runs with, without any further group: root's way to
    run what must not be root.
    """
    return subprocess.Popen(
        list(argv),
        cwd=cwd,
        env=dict(env) if env is not None else None,
        stdin=stdin if stdin is not None else subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        user=user,
        group=user,
        extra_groups=[] if user is not None else None,
    )


def end_group(process: Process, grace_s: float = 0) -> None:
    """End a process from `spawn` and all that it started: TERM, `grace_s`, KILL.

    May be called at any time and from any thread, also when it has ended: children that it left
    behind are killed then too. Its streams stay open for whoever reads them.
    """
    if grace_s > 0 and process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    _signal_group(process.pid, signal.SIGKILL)


def kill_group(process: Process) -> int:
    """`end_group` at once; then wait for it and close its streams. Returns its exit status."""
    end_group(process)
    status = process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    return status


def _signal_group(pgid: int, signum: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pgid, signum)
