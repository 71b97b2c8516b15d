"""Daemons and what looks like them, as real processes, in places that are a container or are not.

A place is a mount namespace: what says that something is a container is made or hidden there.
"""

import contextlib
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from steroids import proc
from steroids.containment.detect import VARIABLES
from steroids.controller.only_one import AT_ONCE_S
from tests.support import starter
from tests.support.engines import eventually

INSIDE = "mount -t tmpfs tmpfs /run && : > /run/.containerenv"
OUTSIDE = (
    "for each in /.dockerenv /run/.containerenv /run/systemd/container; do "
    '[ ! -e "$each" ] || mount --bind /dev/null "$each"; done'
)
SAYS = "from steroids.containment import facts; print(facts.has_evidence())"


class Daemon:
    """A process that was started, and what it said."""

    def __init__(self, process: proc.Process, out: Path) -> None:
        self.process = process
        self._out = out

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def said(self) -> str:
        return self._out.read_text(errors="replace").strip()

    @property
    def lives(self) -> bool:
        return self.process.poll() is None

    def up(self) -> "Daemon":
        """When it has what it came for."""
        eventually(lambda: "up" in self.said.splitlines() or not self.lives, timeout_s=60)
        assert self.lives, self.said
        return self

    def hang(self) -> None:
        """It does not do anything any more."""
        self.process.send_signal(signal.SIGSTOP)
        # A signal that comes before it has stopped would be heard.
        eventually(lambda: psutil.Process(self.pid).status() == psutil.STATUS_STOPPED)

    def ended(self) -> int:
        eventually(lambda: not self.lives, timeout_s=60)
        return self.process.returncode


class Daemons:
    """Starts them, in one place and for one home, and ends them with the test."""

    def __init__(self, folder: Path, prefix: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.prefix = prefix
        self.home = folder / "home"
        self.home.mkdir(mode=0o700, exist_ok=True)
        self.program = folder / "bin" / "steroids"
        self.program.parent.mkdir()
        shutil.copy(starter.__file__, self.program)
        self.started: list[Daemon] = []

    def enforce(self) -> None:
        (self.home / "config.yaml").write_text("enforce_single_daemon_process: true\n")

    def start(self, *words: str, **env: str) -> Daemon:
        """`steroids WORDS`; default `daemon run`."""
        return self.run(sys.executable, str(self.program), *(words or ("daemon", "run")), **env)

    def run(self, *argv: str, **env: str) -> Daemon:
        out = self.folder / f"out-{len(self.started)}"
        with out.open("wb") as file:
            started = proc.spawn(
                [*self.prefix, *argv],
                env={**_plain(os.environ), "STEROIDS_HOME": str(self.home), **env},
                cwd="/",
                stdout=file,
                stderr=proc.STDOUT,
            )
        daemon = Daemon(started, out)
        self.started.append(daemon)
        return daemon

    def age(self) -> None:
        """As if all had been at their places for a while."""
        for lock in self.home.rglob("*.lock"):
            at = lock.stat().st_mtime - 2 * AT_ONCE_S
            os.utime(lock, (at, at))

    def bystanders(self) -> list[Daemon]:
        """Same Python, similar words, another home, another project: none of them is to go."""
        wait = "import signal; print('up', flush=True); signal.pause()"
        script = self.folder / "other.py"
        script.write_text(wait)
        other = self.folder / "other"
        other.mkdir()
        found = [
            self.start(STEROIDS_HOME=str(other)),
            self.run(sys.executable, "-c", wait, "-m", "steroids", "daemon", "run"),
            self.run(sys.executable, str(script), "-m", "steroids", "daemon", "run"),
            self.run(sys.executable, str(script), "steroids", "daemon", "run"),
            self.start("loop", "--project", str(other)),
            self.run("sh", "-c", "echo up; read line < /dev/zero; : steroids daemon run"),
        ]
        return [each.up() for each in found]

    def end(self) -> None:
        for each in self.started:
            proc.kill_group(each.process)


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    """Without what says of the place of the tests that it is a container."""
    return {name: value for name, value in environ.items() if name not in VARIABLES}


@contextlib.contextmanager
def namespace(script: str) -> Iterator[tuple[str, ...]]:
    """A mount namespace after that script; yields what to put before a command line."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    wait = f"{script} && echo up && exec sleep infinity"
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", wait]
    holder = proc.spawn(argv, stdout=proc.PIPE, stderr=proc.STDOUT)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"up\n", shlex.join(argv)
        yield ("nsenter", f"--mount=/proc/{holder.pid}/ns/mnt", "--")
    finally:
        proc.kill_group(holder)


@contextlib.contextmanager
def daemons(folder: Path, script: str, inside: bool) -> Iterator[Daemons]:
    with namespace(script) as prefix:
        says = proc.run(
            [*prefix, sys.executable, "-c", SAYS], env=_plain(os.environ), cwd="/", timeout_s=60
        )
        if says.out != str(inside):
            pytest.skip(f"what the kernel says of this place cannot be changed: {says}")
        made = Daemons(folder, prefix)
        try:
            yield made
        finally:
            made.end()


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Daemons]:
    """A container, with enforcement."""
    with daemons(tmp_path, INSIDE, True) as made:
        made.enforce()
        yield made


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Daemons]:
    """No container; without enforcement until it is asked for."""
    with daemons(tmp_path, OUTSIDE, False) as made:
        yield made
