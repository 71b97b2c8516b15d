"""Engines of a test's own, to be killed: a dockerd and a Podman service that nobody else uses.

Each lives in namespaces of its own (processes, network, mounts, and with them `/run` and the
locks in `/dev/shm`), so that it can touch neither the machine's engine nor the user's network, and
so that all of it ends with one process. Its containers reach no network outside; runners need
none, since they speak over a socket in a mounted folder.
"""

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import docker
import psutil
import pytest

from steroids import proc
from steroids.engines.base import Engine
from steroids.engines.container_connect import connect
from steroids.engines.container_wire import SLOW_ANSWER_S
from steroids.errors import EngineUnavailable
from steroids.provisioning.base_image import local_base
from steroids.provisioning.images import ImageSettings, ensure_runner_image
from tests.support.engines import eventually, promised

READY_S = 60.0
# Podman's locks are in /dev/shm; a second Podman that finds no traces of itself frees them all.
_INIT = """mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /dev/shm || exit 1
if [ -n "$3" ]; then mkdir "$2" && mount -t tmpfs -o "size=$3" tmpfs "$2" || exit 1; fi
touch "$1"; while :; do sleep 1; done"""
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_CGROUPS = Path("/sys/fs/cgroup")


class PrivateEngine:
    """`start` and `stop`, or `kill`, as often as one likes. Made by `private_engine`."""

    def __init__(self, name: str, folder: Path, storage_bytes: int | None = None) -> None:
        """`storage_bytes`: of all that it keeps, in memory; none: as much as there is room for."""
        self.name = name
        self.address = f"unix://{folder / 'engine.sock'}"
        self.log = folder / "engine.log"
        self._folder = folder
        # In place of the machine's.
        (folder / "daemon.json").write_text("{}")
        self._init = self._enter(storage_bytes)
        self._daemon: proc.Process | None = None

    def _enter(self, storage_bytes: int | None) -> proc.Process:
        """Make the namespaces; they end with the process that `unshare` waits for."""
        ready = self._folder / "ready"
        # Also when the tests are killed, the way a CI job is.
        argv = ["setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--kill-child"]
        argv += ["--pid", "--mount-proc", "--net", "--mount", "sh", "-c", _INIT, "init", str(ready)]
        argv += [str(self._folder / "root"), str(storage_bytes or "")]
        process = proc.spawn(argv, stdout=proc.PIPE, stderr=proc.STDOUT)
        try:
            eventually(lambda: ready.exists() or process.poll() is not None)
        except BaseException:
            proc.kill_group(process)
            raise
        if process.poll() is not None:
            said = process.communicate()[0].decode("utf-8", "replace")
            raise EngineUnavailable(f"no namespaces can be made here: {said.strip()}")
        return process

    def start(self) -> None:
        """Start it, for the first time or again, and wait until it answers."""
        assert self._daemon is None, "it runs"
        (self._folder / "engine.pid").unlink(missing_ok=True)
        (first,) = psutil.Process(self._init.pid).children()
        argv = ["nsenter", "--target", str(first.pid), "--pid", "--net", "--mount"]
        env = {**os.environ, "PATH": _PATH, "TMPDIR": str(self._folder)}
        with self.log.open("ab") as log:
            self._daemon = proc.spawn(
                [*argv, *self._argv()], cwd="/", env=env, stdout=log, stderr=proc.STDOUT
            )
        eventually(self._answers, timeout_s=READY_S)

    def _argv(self) -> list[str]:
        folder = self._folder
        if self.name == "podman":
            return [
                *("podman", "--root", f"{folder}/root", "--runroot", f"{folder}/run"),
                *("--tmpdir", f"{folder}/tmp", "--network-config-dir", f"{folder}/networks"),
                *("--cgroup-manager", "cgroupfs", "--events-backend", "file"),
                *("system", "service", "--time=0", self.address),
            ]
        return [
            *("dockerd", "--data-root", f"{folder}/root", "--exec-root", f"{folder}/run"),
            *("--pidfile", f"{folder}/engine.pid", "--host", self.address),
            *(
                "--exec-opt",
                "native.cgroupdriver=cgroupfs",
                "--config-file",
                f"{folder}/daemon.json",
            ),
        ]

    def leave_free(self, size_bytes: int | None) -> None:
        """Take up the storage that it was made with, but for so much; none: give all of it back."""
        script = (
            'cd "$1"; rm -f ballast; [ -z "$2" ] || '
            "fallocate -l $(($(stat -fc '%a * %S' .) - $2)) ballast"
        )
        (first,) = psutil.Process(self._init.pid).children()
        argv = ["nsenter", "--target", str(first.pid), "--mount", "sh", "-ec", script, "sh"]
        given = (str(self._folder / "root"), str(size_bytes or ""))
        done = proc.run([*argv, *given], timeout_s=READY_S)
        assert done.ok, done.err

    def _answers(self) -> bool:
        assert self._daemon is not None
        tail = self.log.read_text(errors="replace")[-2000:]
        assert self._daemon.poll() is None, f"the private {self.name} ended:\n{tail}"
        try:
            self.open().close()
        except EngineUnavailable:
            return False
        return True

    def open(self) -> Engine:
        """A new connection, which the caller closes."""
        return connect(self.address, {})

    def kill(self) -> None:
        """SIGKILL, as the kernel does when memory ends. What Docker's containers do then is
        theirs until `start`, which ends them; Podman's live on."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As a service manager would."""
        self._end(signal.SIGTERM)

    def _end(self, signum: signal.Signals) -> None:
        if self._daemon is None:
            return
        # With it goes the containerd that it started.
        with contextlib.suppress(psutil.NoSuchProcess):
            (engine,) = psutil.Process(self._daemon.pid).children()
            below = [each for each in engine.children() if each.name() == "containerd"]
            engine.send_signal(signum)
            _, alive = psutil.wait_procs([engine, *below], timeout=READY_S)
            assert not alive, f"it does not end: {alive}"
        proc.kill_group(self._daemon)
        self._daemon = None

    def destroy(self) -> None:
        """End all its processes and remove all that it has written."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for first in psutil.Process(self._init.pid).children():
                first.kill()
        # Ends when the last process inside has ended, and with it the last mount.
        self._init.wait(READY_S)
        if self._init.stdout is not None:
            self._init.stdout.close()
        if self._daemon is not None:
            proc.kill_group(self._daemon)
        containers = [path.name for path in self._folder.glob("root/*containers/*")]
        shutil.rmtree(self._folder)
        _remove_cgroups(containers)


def _remove_cgroups(containers: list[str]) -> None:
    """Containers that nobody removed leave theirs, empty."""
    for folder, _, _ in os.walk(_CGROUPS, topdown=False):
        if any(container in folder for container in containers):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()


@contextlib.contextmanager
def private_engine(name: str, storage_bytes: int | None = None) -> Iterator[PrivateEngine]:
    """One that runs. Skips or fails the test where none can be."""
    program = "podman" if name == "podman" else "dockerd"
    if os.geteuid() != 0 or shutil.which(program, path=_PATH) is None:
        _cannot(name, f"a private {name} needs root and {program}")
    # Not under pytest's folder: its sockets' paths would be too long.
    folder = Path(tempfile.mkdtemp(prefix="steroids-engine-"))
    try:
        engine = PrivateEngine(name, folder, storage_bytes)
    except (EngineUnavailable, FileNotFoundError) as error:
        shutil.rmtree(folder)
        _cannot(name, str(error))
    try:
        engine.start()
        yield engine
    finally:
        engine.destroy()


def _cannot(name: str, why: str) -> None:
    if name in promised():
        pytest.fail(f"a private {name} was promised: {why}", pytrace=False)
    pytest.skip(why)


class Reachable(Protocol):
    @property
    def address(self) -> str: ...

    def open(self) -> Engine: ...


def give_runner_image(source: Engine, target: Reachable) -> None:
    """Copy this tree's runner image and what it is built on, names and ids included.

    Built when it is missing; else the copy takes some 10 to 20 s.
    """
    image = ensure_runner_image(source, ImageSettings(), progress=print)
    base = local_base(source, None)
    assert base is not None
    names = [*image.refs, base.ref]
    reader, writer = (
        docker.APIClient(base_url=address, version="auto", timeout=SLOW_ANSWER_S)
        for address in (source.address, target.address)
    )
    with contextlib.closing(reader), contextlib.closing(writer):
        url = f"{reader.base_url}/v{reader.api_version}/images/get"
        with reader.get(url, params={"names": names}, stream=True) as saved:
            saved.raise_for_status()
            url = f"{writer.base_url}/v{writer.api_version}/images/load"
            writer.post(url, data=saved.iter_content(1 << 20)).raise_for_status()
    with contextlib.closing(target.open()) as engine:
        copied = engine.images.find(image.id)
    assert copied is not None and set(image.refs) <= set(copied.refs)
