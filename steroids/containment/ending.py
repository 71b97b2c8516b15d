"""Ending daemons of ours, and never anything else: what is signalled was looked at right before,
and a process that has the number of one that ended meanwhile is not reached.
"""

import contextlib
import logging
import os
import select
import shlex
import signal
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import psutil

from steroids.containment.daemon import Daemon, same_time, verify_daemon_process
from steroids.errors import Busy

GRACE_S = 5.0
LOOK_S = 0.02
log = logging.getLogger("steroids.containment")


class Target(NamedTuple):
    daemon: Daemon
    pidfd: int | None
    """The process itself, where the system has such handles: its number may be given again."""


def end(daemons: Sequence[Daemon], why: str, grace_s: float = GRACE_S) -> None:
    """End them: TERM, `grace_s`, KILL; returns when all have ended. Each step is logged.

    Raises `Busy` when one may not be signalled, or is still there `grace_s` after KILL.
    """
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(_opened(each)) for each in daemons]
        for signum in (signal.SIGTERM, signal.SIGKILL):
            targets = [each for each in targets if _signalled(each, signum, why)]
            deadline = time.monotonic() + grace_s
            while time.monotonic() < deadline and not all(map(_ended, targets)):
                time.sleep(LOOK_S)
        for each in targets:
            if not _ended(each):
                raise _stays(each, "is still there after SIGKILL")


@contextlib.contextmanager
def _opened(daemon: Daemon) -> Iterator[Target]:
    pidfd = None
    # Not on every system, and a container's rules may forbid it.
    if hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            pidfd = os.pidfd_open(daemon.pid)
    try:
        yield Target(daemon, pidfd)
    finally:
        if pidfd is not None:
            os.close(pidfd)


def _ended(target: Target) -> bool:
    """Whether it has; one that nobody has waited for yet has too."""
    if target.pidfd is not None:
        return bool(select.select([target.pidfd], [], [], 0)[0])
    try:
        process = psutil.Process(target.daemon.pid)
        other = not same_time(process.create_time(), target.daemon.created)
        return other or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _signalled(target: Target, signum: signal.Signals, why: str) -> bool:
    """Whether it got the signal; not one that has ended, or is not that daemon any more."""
    if _ended(target):
        return False
    daemon = target.daemon
    # The handle was opened by number: only now is it certain to be of that daemon.
    now = verify_daemon_process(daemon.pid)
    same = now is not None and same_time(now.created, daemon.created)
    if now is None or not same or now._replace(created=daemon.created) != daemon:
        _tell("%s is gone, or another process by now: left alone", daemon, why)
        return False
    _tell(f"{signum.name} to %s: {why}", daemon, why)
    try:
        if target.pidfd is not None:
            signal.pidfd_send_signal(target.pidfd, signum)
        else:
            psutil.Process(daemon.pid).send_signal(signum)
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False
    except (PermissionError, psutil.AccessDenied):
        raise _stays(target, "may not be ended by this user") from None
    return True


def _tell(message: str, daemon: Daemon, why: str) -> None:
    facts = {"pid": daemon.pid, "command": shlex.join(daemon.argv), "why": why}
    log.warning(message, _words(daemon), extra=facts)


def _words(daemon: Daemon) -> str:
    what = f"{daemon.kind.name.lower()} {daemon.pid} of {daemon.path}"
    return f"{what} ({shlex.join(daemon.argv)})"


def _stays(target: Target, text: str) -> Busy:
    daemon = target.daemon
    return Busy(
        f"The {daemon.kind.name.lower()} of {daemon.path} (pid {daemon.pid}) {text}",
        hint=f"ps -fp {daemon.pid}",
        details={"pid": daemon.pid},
    )
