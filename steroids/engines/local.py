"""The engine `local`: a container is a process of this host, with a folder for its own files.

It keeps files apart and nothing else. What runs inside runs as the controller's own user, sees the
host's programs, files, processes and network, and is held to no limit: for hosts without an engine,
and for what needs the desktop. What is an absolute path in a real container is below the folder
`$STEROIDS_ROOT` here. Users that are named, capabilities, limits, networks and read-only mounts
count for nothing. No port is published: one that is listened on inside is a port of the host, for
one runner at a time, and `inspect` says so. There are no volumes.
"""

import contextlib
import logging
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import steroids
from steroids import proc
from steroids.engines import local_logs
from steroids.engines.container_create import digest
from steroids.engines.local_container import (
    ENGINE,
    WORKSPACE,
    Container,
    Facts,
    named,
)
from steroids.engines.local_create import create, put_files
from steroids.engines.local_folders import Folders
from steroids.engines.local_images import LocalImages
from steroids.engines.local_process import kill_all
from steroids.engines.local_shim import launch
from steroids.engines.networks import NoNetworks
from steroids.engines.spec import (
    Capabilities,
    ContainerSpec,
    ExecResult,
    Handle,
    Owned,
    State,
    Status,
)
from steroids.engines.volumes import NoVolumes
from steroids.errors import ContainerGone, EngineError, NameTaken

log = logging.getLogger("steroids.local")

_KILLED_S = 15.0
_NOT_FOUND, _CANNOT_RUN = 127, 126


class LocalEngine:
    """Keeps everything below `home`; any number of them, in any process, may do so together."""

    name = ENGINE

    def __init__(self, home: Path) -> None:
        self.address = f"{ENGINE}:{home}"
        self._folders = Folders.of(home)
        self._folders.ensure()
        self.images = LocalImages(self._folders)
        self.images.ensure_builtin()
        self.networks = NoNetworks(ENGINE)
        self.volumes = NoVolumes(ENGINE)
        self._told: set[str] = set()

    def close(self) -> None:
        """There is nothing to let go of."""

    def capabilities(self) -> Capabilities:
        return Capabilities(
            ENGINE,
            steroids.__version__,
            rootless=os.getuid() != 0,
            address=self.address,
            isolated=False,
            builds_images=False,
            limits=frozenset(),
        )

    def start(self, spec: ContainerSpec) -> Handle:
        self._tell_of_what_does_not_count(spec)
        with _able_to(f"start {spec.name}"), self._folders.locked(spec.name):
            container = named(self._folders.containers, spec.name)
            if container is None:
                container = create(self._folders, self.images, spec)
            facts = container.facts()
            assert facts is not None, "nobody else removes it while its name is locked"
            if facts.spec != digest(spec):
                raise NameTaken(
                    f"A container named {spec.name} exists and is not this one",
                    hint="steroids ps",
                    details={"container": container.id},
                )
            status = container.state().status
            if status is not Status.RUNNING:
                self._launch(spec, container, never_ran=status is Status.CREATED)
            return facts.handle

    def _launch(self, spec: ContainerSpec, container: Container, *, never_ran: bool) -> None:
        try:
            put_files(container, spec.files)
            launch(container)
        except (EngineError, OSError):
            # One that has run before may hold work: it is left for the caller to look at.
            if never_ran:
                self._destroy(container)
            raise

    def inspect(self, handle: Handle) -> State:
        container = self._container(handle)
        state, facts = container.state(), container.facts()
        if facts is None or state.status is not Status.RUNNING:
            return state
        return replace(state, ports={port: port for port in facts.ports})

    def stop(self, handle: Handle, grace_s: float) -> None:
        container = self._container(handle)
        if container.state().status is not Status.RUNNING:
            return
        container.signal(signal.SIGTERM)
        if container.wait_end(grace_s):
            return
        container.signal(signal.SIGKILL)
        if not container.wait_end(_KILLED_S):
            # Its shim does not clear up, for whatever reason.
            kill_all(container.id)

    def remove(self, handle: Handle) -> None:
        with self._folders.locked(handle.name):
            container = self._container(handle)
            if container.facts() is not None:
                self._destroy(container)

    def _destroy(self, container: Container) -> None:
        # Its shim clears up best: it reaps what it kills.
        container.signal(signal.SIGKILL)
        container.wait_end(_KILLED_S)
        if not kill_all(container.id):
            raise EngineError(
                f"A process in container {container.id[:12]} cannot be killed",
                hint=f"grep -lz STEROIDS_CONTAINER={container.id} /proc/*/environ",
            )
        self._folders.discard(container.folder)

    def exec(
        self, handle: Handle, argv: Sequence[str], *, user: str = "", workdir: str = ""
    ) -> ExecResult:
        facts, container = self._facts(handle), self._container(handle)
        if container.state().status is not Status.RUNNING:
            raise EngineError(
                f"The local engine could not run {argv[0]} in {handle.name}: it does not run",
                hint="steroids ps",
            )
        try:
            process = proc.spawn(
                container.program(argv),
                cwd=container.path(workdir or WORKSPACE),
                env=facts.env,
                stdout=proc.PIPE,
                stderr=proc.STDOUT,
            )
        except OSError as error:
            code = _NOT_FOUND if isinstance(error, FileNotFoundError) else _CANNOT_RUN
            return ExecResult(code, f"{error}\n".encode())
        with process:
            output, _ = process.communicate()
        status = process.returncode
        return ExecResult(status if status >= 0 else 128 - status, output)

    def written(self, handle: Handle) -> int | None:
        """None: what it was made of is a copy of its own here, and cannot be told apart."""
        return None

    def logs(
        self, handle: Handle, *, follow: bool = False, tail: int | None = None
    ) -> Iterator[bytes]:
        self._facts(handle)
        return local_logs.read(self._container(handle), follow=follow, tail=tail)

    def commit(
        self, handle: Handle, ref: str, *, labels: Mapping[str, str], command: Sequence[str]
    ) -> str:
        self._facts(handle)
        with _able_to(f"commit {handle.name}"):
            return self.images.add(ref, self._container(handle), labels, command)

    def list_owned(self, labels: Mapping[str, str]) -> list[Owned]:
        owned = []
        for folder in self._folders.containers.iterdir():
            container = Container(folder)
            facts, state = container.facts(), container.state()
            if facts is None or state.status is Status.GONE:
                continue
            if labels.items() <= facts.labels.items():
                owned.append(Owned(facts.handle, state, facts.labels))
        return owned

    def _container(self, handle: Handle) -> Container:
        return Container(self._folders.containers / Path(handle.id).name)

    def _facts(self, handle: Handle) -> Facts:
        facts = self._container(handle).facts()
        if facts is None:
            raise ContainerGone(f"There is no container {handle.name}", hint="steroids ps")
        return facts

    def _tell_of_what_does_not_count(self, spec: ContainerSpec) -> None:
        asked = {
            "runners.memory": spec.memory_bytes is not None,
            "runners.cpus": spec.cpus is not None,
            "network": spec.network is not None,
        }
        for setting, given in asked.items():
            if given and setting not in self._told:
                self._told.add(setting)
                log.warning("the local engine holds nothing to %s", setting)


@contextlib.contextmanager
def _able_to(do: str) -> Iterator[None]:
    """A full disk and the like, in a sentence."""
    try:
        yield
    except (OSError, proc.TimedOut) as error:
        raise EngineError(f"The local engine could not {do}: {error}", hint="df -h") from error
