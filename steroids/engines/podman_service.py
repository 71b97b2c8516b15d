"""Podman without a service running: start one of our own."""

import fcntl
import os
import time
from collections.abc import Mapping
from pathlib import Path

from steroids import proc
from steroids.engines.container import ContainerEngine
from steroids.engines.container_connect import connect
from steroids.errors import EngineUnavailable

OWN_SOCKET = "podman.sock"
_READY_S = 20.0


def ensure_podman_service(
    program: str, folder: Path, environ: Mapping[str, str]
) -> ContainerEngine:
    """The service behind `folder/podman.sock`, started unless it answers already.

    It lives on when this process ends, as the engines of others do, and serves the next one.
    Raises `EngineUnavailable` with the end of its log when it does not come up.
    """
    address = f"unix://{folder / OWN_SOCKET}"
    # Guards the socket: two services started at once would take it from each other.
    with (folder / "podman.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return connect(address, environ)
        except EngineUnavailable:
            return _start(program, address, folder / "podman.log", environ)


def _start(program: str, address: str, log: Path, environ: Mapping[str, str]) -> ContainerEngine:
    # The shell ends at once and leaves the service to init: nobody has to wait for its end.
    script = '"$@" >>"$0" 2>&1 & echo $!'
    argv = ["sh", "-c", script, str(log), program, "system", "service", "--time=0", address]
    # There: where it is started, conmon leaves a file `oom` when a container runs out of memory.
    pid = int(proc.run(argv, cwd=log.parent, env=environ, timeout_s=_READY_S).out)
    deadline = time.monotonic() + _READY_S
    while True:
        try:
            return connect(address, environ)
        except EngineUnavailable as error:
            if _ended(pid) or time.monotonic() > deadline:
                tail = log.read_text(errors="replace").strip().splitlines()[-1:]
                raise EngineUnavailable(
                    f"`podman system service` did not start: {' '.join(tail) or error.message}",
                    hint=f"cat {log}",
                ) from error
        time.sleep(0.05)


def _ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
