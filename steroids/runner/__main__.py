"""Entry point of the container; or, with the engine `local`, of the process that stands for it."""

import fcntl
import os
import pwd
import signal
import sys
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from steroids.client import Client
from steroids.errors import Busy
from steroids.runner.confine import confine
from steroids.runner.loop import Loop
from steroids.runner.seclusion import UNREACHABLE, seclude

if TYPE_CHECKING:
    from steroids.runner.workspace import Workspace

ROOT = Path(os.environ.get("STEROIDS_ROOT") or "/")
"""Where what a container has for itself is; another one than `/` when it is no container."""
# Resolved, since the path of a socket may not be long and that of `ROOT` is.
MOUNTED = (ROOT / "run/steroids").resolve()
SOCKET = MOUNTED / "controller.sock"
STATE = ROOT / "var/lib/steroids"
TOKENS = (MOUNTED / "token", STATE / "token")
WORKSPACE = ROOT / "workspace"
AGENT = "agent"

PASSED_ON = (
    "PATH",
    "LANG",
    "SSL_CERT_FILE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "TMPDIR",
    "GIT_CEILING_DIRECTORIES",
    "STEROIDS_ROOT",
    "STEROIDS_CONTAINER",
)
"""Of the image's environment; everything else an agent gets comes with its assignment."""
TOOLS = (
    "ANDROID_HOME",
    "ANDROID_SDK_ROOT",
    "BUNDLE_APP_CONFIG",
    "CARGO_HOME",
    "DOTNET_ROOT",
    "GEM_HOME",
    "GOPATH",
    "GOROOT",
    "GOTOOLCHAIN",
    "GRADLE_HOME",
    "JAVA_HOME",
    "MAVEN_HOME",
    "NVM_DIR",
    "PLAYWRIGHT_BROWSERS_PATH",
    "PNPM_HOME",
    "PYENV_ROOT",
    "RBENV_ROOT",
    "RUSTUP_HOME",
    "SDKMAN_DIR",
    "VIRTUAL_ENV",
)
"""Of it, too, where the image is the user's own: where the tools are that it has. Not all of it,
since an image may have secrets in there."""


def main() -> int:
    """Work until told to stop (0), or until the workspace is beyond repair (1).

    6 when another runner works in this container already.
    """
    # First: what locks this one in has been done by another, if there is one. No agent can write
    # this folder.
    place = take_place(STATE)
    if isinstance(place, str):
        print(place, file=sys.stderr, flush=True)
        return Busy.exit_code
    with place:
        if Path("/") == ROOT:
            _lock_in()
        return _work()


def take_place(state: Path) -> IO[str] | str:
    """The lock of this container's one runner, held while it is open; or who has it."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = (state / "runner.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with lock:
            lock.seek(0)
            pid = lock.read(32).strip() or "?"
        return f"A runner works in this container already (pid {pid}): there is one per container"
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _work() -> int:
    client = Client(SOCKET, token=_take_token())
    uid, name, folder = _agent()
    passed_on = PASSED_ON + TOOLS if Path("/") == ROOT else PASSED_ON
    env = {key: os.environ[key] for key in passed_on if key in os.environ}
    env |= {"CI": "true", "HOME": folder, "USER": name, "LOGNAME": name}
    # Last: what set-up puts there is found, and hides nothing of the image's.
    env["PATH"] = f"{env.get('PATH', os.defpath)}:{folder}/.local/bin"
    loop = Loop(client, partial(_workspace, uid, env))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    worker = threading.Thread(target=loop.run, name="loop", daemon=True)
    worker.start()
    while worker.is_alive() and not stop.is_set():
        stop.wait(0.1)
    if stop.is_set():
        loop.stop()
    return loop.exit_code


def _lock_in() -> None:
    """Before there is a second thread, or anything that the agent may write is read."""
    try:
        seclude(os.environ.get(UNREACHABLE, ""))
        confine()
    except OSError as error:
        sys.exit(f"nothing is started, since it could not be locked in: {error}")


def _workspace(uid: int | None, env: Mapping[str, str]) -> "Workspace":
    from steroids.runner.workspace import Workspace

    return Workspace(WORKSPACE, STATE, uid, env)


def _agent() -> tuple[int | None, str, str]:
    """Whom agents run as, by uid and name, and their home. No uid: this process's own user."""
    if Path("/") != ROOT:
        return None, pwd.getpwuid(os.getuid()).pw_name, os.environ["HOME"]
    agent = pwd.getpwnam(AGENT)
    return agent.pw_uid, AGENT, agent.pw_dir


def _take_token() -> str:
    """Read the token and remove its file, so that no mistake later on can show it."""
    for path in TOKENS:
        if path.exists():
            token = path.read_text().strip()
            path.unlink()
            return token
    places = " nor ".join(map(str, TOKENS))
    sys.exit(f"There is no token, neither {places}: runners are started by `steroids up`")


if __name__ == "__main__":
    sys.exit(main())
