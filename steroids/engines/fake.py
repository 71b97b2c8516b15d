"""An engine in memory that keeps the contract, quickly, and breaks down on demand.

Containers run programs in threads: the toy shell, or a Python callable per image. Nothing listens
on their ports and nobody is kept from anybody. `faults` makes calls fail; `lose` and `die` do to a
container what people and kernels do; `sizes` is what containers have written, by their names.
"""

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from steroids.engines import fake_shell
from steroids.engines.container_create import digest
from steroids.engines.fake_box import Box, Exit
from steroids.engines.fake_faults import AFTER, BEFORE, MIDWAY, Faults
from steroids.engines.fake_images import FakeImage, FakeImages
from steroids.engines.fake_networks import FakeNetworks
from steroids.engines.fake_volumes import FakeVolumes
from steroids.engines.spec import (
    NO_NETWORK,
    Capabilities,
    ContainerSpec,
    ExecResult,
    File,
    Handle,
    Owned,
    State,
    Status,
)
from steroids.errors import ContainerGone, EngineError, ImageMissing, NameTaken

Program = Callable[[Box], int]
"""What a container of an image runs in place of the toy shell; returns the exit code."""


@dataclass
class _Container:
    handle: Handle
    spec: ContainerSpec
    image: FakeImage
    state: State = field(default_factory=lambda: State(Status.CREATED))
    files: dict[str, File] = field(default_factory=dict)
    box: Box | None = None

    @property
    def argv(self) -> tuple[str, ...]:
        return tuple(self.spec.command) or self.image.command


class FakeEngine:
    name = "fake"
    address = "memory"

    def __init__(self, programs: Mapping[str, Program] | None = None) -> None:
        self.faults = Faults()
        self.images = FakeImages(self.faults)
        self.networks = FakeNetworks(self.faults, lambda each: each in self._containers)
        self.volumes = FakeVolumes(self.faults)
        self.sizes: dict[str, int] = {}
        self.limits = frozenset({"memory", "cpus", "pids"})
        self.programs = dict(programs or {})
        self._containers: dict[str, _Container] = {}
        self._numbers = itertools.count(1)
        self._ports = itertools.count(40_000)
        self._lock = threading.RLock()
        """Guards `_containers` and their states."""

    def close(self) -> None:
        """Ends all programs, so that no thread outlives a test."""
        for container in list(self._containers.values()):
            self._kill(container)

    def capabilities(self) -> Capabilities:
        self.faults.at("capabilities", BEFORE)
        return Capabilities(self.name, "1", rootless=True, address=self.address, limits=self.limits)

    def start(self, spec: ContainerSpec) -> Handle:
        self.faults.at("start", BEFORE)
        with self._lock:
            container = self._by_name(spec.name)
            if container is None:
                container = self._create(spec)
            elif digest(container.spec) != digest(spec):
                raise NameTaken(
                    f"A container named {spec.name} exists and is not this one",
                    hint=f"fake rm -f {spec.name}",
                )
            self.faults.at("start", MIDWAY)
            if container.state.status is not Status.RUNNING:
                container.files |= {file.path: file for file in spec.files}
                self._run(container)
        self.faults.at("start", AFTER)
        return container.handle

    def _create(self, spec: ContainerSpec) -> _Container:
        image = self.images.get(spec.image)
        if image is None:
            raise ImageMissing(f"There is no image {spec.image}", hint="steroids images build")
        handle = Handle(self.name, f"{next(self._numbers):064x}", spec.name)
        container = _Container(handle, spec, image, files=dict(image.files))
        argv = container.argv
        if argv[0] not in ("sh", "sleep", "true", "false") and spec.image not in self.programs:
            raise EngineError(
                f"Fake could not start {spec.name}: no program {argv[0]}", hint="steroids doctor"
            )
        try:
            for mount in spec.volumes:
                self.volumes.join(mount.volume, handle.id)
            if spec.network is not None and spec.network != NO_NETWORK:
                self.networks.join(spec.network, handle.id)
        except EngineError:
            self.volumes.left(handle.id)
            raise
        self._containers[handle.id] = container
        self.images.used.add(image.image.id)
        return container

    def _run(self, container: _Container) -> None:
        box = Box(dict(container.spec.env), container.files, container.argv)
        if container.box is not None:
            box.output += container.box.output
        pid = 1000 + int(container.handle.id, 16)
        spec = container.spec
        inside = spec.ports if spec.network != NO_NETWORK else ()
        ports = {port: next(self._ports) for port in inside}
        container.box, container.state = box, State(Status.RUNNING, pid=pid, ports=ports)
        program = self.programs.get(container.spec.image) or (
            lambda box: fake_shell.run(box, box.argv)
        )

        def run() -> None:
            try:
                code = program(box)
            except Exit as exit_:
                code = exit_.code
            with self._lock:
                container.state = State(Status.EXITED, exit_code=code)
            box.end()

        threading.Thread(target=run, name=container.handle.name, daemon=True).start()

    def inspect(self, handle: Handle) -> State:
        self.faults.at("inspect", BEFORE)
        with self._lock:
            container = self._containers.get(handle.id)
            return container.state if container else State(Status.GONE)

    def stop(self, handle: Handle, grace_s: float) -> None:
        self.faults.at("stop", BEFORE)
        container = self._containers.get(handle.id)
        if container and container.box and not container.box.ended:
            container.box.signal(kill=False)
            if not container.box.wait_end(grace_s):
                self._kill(container)
        self.faults.at("stop", AFTER)

    def remove(self, handle: Handle) -> None:
        self.faults.at("remove", BEFORE)
        self.lose(handle)
        self.faults.at("remove", AFTER)

    def exec(
        self, handle: Handle, argv: Sequence[str], *, user: str = "", workdir: str = ""
    ) -> ExecResult:
        self.faults.at("exec", BEFORE)
        container = self._get(handle)
        if container.state.status is not Status.RUNNING:
            raise EngineError(
                f"Fake could not run {argv[0]} in {handle.name}: it does not run",
                hint="steroids ps",
            )
        box = Box(dict(container.spec.env), container.files, tuple(argv), user)
        code = fake_shell.run(box, argv)
        self.faults.at("exec", AFTER)
        return ExecResult(code, b"".join(box.output))

    def written(self, handle: Handle) -> int | None:
        self.faults.at("written", BEFORE)
        return self.sizes.get(handle.name, 0) if handle.id in self._containers else None

    def logs(
        self, handle: Handle, *, follow: bool = False, tail: int | None = None
    ) -> Iterator[bytes]:
        self.faults.at("logs", BEFORE)
        box = self._get(handle).box or Box({}, {}, ended=True)
        return box.read(follow=follow, tail=tail, alive=lambda: self.faults.at("logs", MIDWAY))

    def commit(
        self, handle: Handle, ref: str, *, labels: Mapping[str, str], command: Sequence[str]
    ) -> str:
        self.faults.at("commit", BEFORE)
        container = self._get(handle)
        if ref != ref.lower():
            raise EngineError(f"Fake could not commit: {ref} is no name", hint="steroids doctor")
        self.faults.at("commit", MIDWAY)
        image = self.images.add(ref, labels=labels, command=command, files=container.files)
        self.faults.at("commit", AFTER)
        return image.id

    def list_owned(self, labels: Mapping[str, str]) -> list[Owned]:
        self.faults.at("list_owned", BEFORE)
        with self._lock:
            return [
                Owned(container.handle, container.state, dict(container.spec.labels))
                for container in self._containers.values()
                if labels.items() <= container.spec.labels.items()
            ]

    def die(self, handle: Handle) -> None:
        """Kill the program from outside, as the kernel does when memory ends."""
        self._kill(self._get(handle))

    def lose(self, handle: Handle) -> None:
        """The container vanishes, as with `docker rm -f`."""
        with self._lock:
            container = self._containers.pop(handle.id, None)
            self.images.used = {each.image.image.id for each in self._containers.values()}
        self.networks.left(handle.id)
        self.volumes.left(handle.id)
        if container:
            self._kill(container)

    def _kill(self, container: _Container) -> None:
        if container.box is not None:
            container.box.signal(kill=True)
            container.box.wait_end(5)

    def _by_name(self, name: str) -> _Container | None:
        fitting = (each for each in self._containers.values() if each.spec.name == name)
        return next(fitting, None)

    def _get(self, handle: Handle) -> _Container:
        container = self._containers.get(handle.id)
        if container is None:
            raise ContainerGone(f"There is no container {handle.name}", hint="steroids ps")
        return container
