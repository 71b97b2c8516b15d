"""What stands between the engine and a container's main process, and outlives the controller.

It starts the process, waits for its end, kills what that has left behind, and writes down the exit
code: what containerd's shim does. Started by `launch`, as a program of its own.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO

import psutil

import steroids
from steroids import proc
from steroids.engines.local_container import (
    EXIT,
    FAILED,
    OUTPUT,
    RUN,
    WORKSPACE,
    Container,
)
from steroids.engines.local_folders import get, put
from steroids.engines.local_process import MARK, ended, kill_all, life_of
from steroids.engines.spec import Status
from steroids.errors import EngineError

_LOG = "shim.log"
_READY_S = 30.0
_OTHER_SHIM_S = 2.0
_PR_SET_CHILD_SUBREAPER = 36


def python(code: str, *packages: str) -> list[str]:
    """Run code with this Python and this very `steroids`, whatever the environment says."""
    files = [steroids.__file__, *packages]
    paths = list(dict.fromkeys(str(Path(file).parents[1]) for file in files))
    return [sys.executable, "-IS", "-c", f"import sys; sys.path += {paths!r}; {code}"]


def launch(container: Container) -> None:
    """Start its process; returns when that runs.

    One that has ended may be launched again. Raises `EngineError` when the process cannot be
    started. To be called by one at a time.
    """
    (container.folder / FAILED).unlink(missing_ok=True)
    code = "from steroids.engines.local_shim import main; main()"
    # The shell ends at once and leaves the shim to init: nobody here has to wait for its end.
    script = '"$@" >>"$0" 2>&1 & echo $!'
    argv = [*python(code, psutil.__file__), str(container.folder)]
    env = {MARK: container.id, "PATH": os.environ.get("PATH", os.defpath)}
    log = str(container.folder / _LOG)
    started = proc.run(["sh", "-c", script, log, *argv], cwd="/", env=env, timeout_s=_READY_S)
    why = _await_ready(container, int(started.out))
    if why is not None:
        raise EngineError(
            f"The local engine could not start a process: {why}", hint="steroids doctor"
        )


def _await_ready(container: Container, shim: int) -> str | None:
    """None as soon as the process runs, or has run; else why it does not."""
    deadline = time.monotonic() + _READY_S
    while True:
        gone = ended(shim)
        run = get(container.folder / RUN)
        if run is not None and run["shim"]["pid"] == shim:
            return None
        why = get(container.folder / FAILED)
        if why is not None:
            return str(why)
        if gone:
            # Perhaps there is another one, of a controller that died while it was starting it.
            deadline = min(deadline, time.monotonic() + _OTHER_SHIM_S)
            if container.state().status is Status.RUNNING:
                return None
        if time.monotonic() > deadline:
            lines = (container.folder / _LOG).read_text(errors="replace").splitlines()
            return lines[-1] if lines else "its shim did not begin"
        time.sleep(0.005)


def main() -> None:
    container = Container(Path(sys.argv[1]))
    # The shell that started us has both ignored, and the process would inherit that.
    for signum in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(signum, signal.SIG_DFL)
    with (container.folder / "shim.lock").open("w") as lock:
        if _locked(lock):
            _adopt_orphans()
            _run(container)


def _locked(lock: IO[str]) -> bool:
    """False: another shim has the container, of a controller that died while it was starting."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _adopt_orphans() -> None:
    """Become the parent of what loses its own, so that nothing in the container gets away."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _run(container: Container) -> None:
    facts = container.facts()
    if facts is None:
        return
    for name in (RUN, EXIT):
        (container.folder / name).unlink(missing_ok=True)
    with (container.folder / OUTPUT).open("ab") as output:
        try:
            process = proc.spawn(
                container.program(facts.argv),
                cwd=container.path(WORKSPACE),
                env=facts.env,
                stdout=output,
                stderr=proc.STDOUT,
            )
        except OSError as error:
            put(container.folder / FAILED, str(error))
            return
    signal.signal(signal.SIGTERM, lambda *_: _pass_on(process))
    lives = {"main": life_of(process.pid), "shim": life_of(os.getpid())}
    put(container.folder / RUN, {who: vars(life) for who, life in lives.items()})
    status = _wait(process)
    # As with the end of process 1 of a real container.
    kill_all(container.id, spare=(os.getpid(),))
    _reap()
    put(container.folder / EXIT, status if status >= 0 else 128 - status)


def _pass_on(process: proc.Process) -> None:
    # Not `terminate`, which may reap it behind our back.
    if process.returncode is None:
        os.kill(process.pid, signal.SIGTERM)


def _reap() -> None:
    """Those killed last; whatever this does not wait for is init's."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            continue


def _wait(process: proc.Process) -> int:
    """Reap orphans, too, until it is the main process that has ended."""
    while True:
        pid, status = os.wait()
        if pid == process.pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode
