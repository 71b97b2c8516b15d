"""Engines for tests: real Docker, real Podman, local, the fake; an image that needs no registry.

Import the fixtures in a `conftest.py`. An engine that is missing is a skip, and a failure when
`STEROIDS_TEST_ENGINES=docker,podman` (or CI, without it) promises it. All that tests make carries
the label `io.steroids.test=<session>` and is swept at the session's end.
"""

import os
import shutil
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from steroids import proc
from steroids.engines.base import Engine
from steroids.engines.discover import find_engine
from steroids.engines.fake import FakeEngine
from steroids.engines.local import LocalEngine
from steroids.engines.local_builtin import REF as BUILTIN_IMAGE
from steroids.engines.spec import ContainerSpec, Handle, Status
from steroids.errors import NoEngine

TEST_LABEL = "io.steroids.test"
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
SESSION = f"{_RUN[:8]}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
"""One per worker: each sweeps what it made, and nothing of its neighbours."""

BASE_IMAGE = "localhost/steroids/base:latest"
TINY_IMAGE = "localhost/steroids/test-tiny:latest"
TINY_TOOLS = (
    *(
        "sh",
        "cat",
        "chown",
        "grep",
        "head",
        "id",
        "ls",
        "mkdir",
        "mknod",
        "perl",
        "printenv",
        "rm",
        "sleep",
        "stat",
    ),
    *("tail", "touch"),
)

REAL = (
    pytest.param("docker", marks=pytest.mark.docker),
    pytest.param("podman", marks=pytest.mark.podman),
)


def promised() -> set[str]:
    """The engines whose absence is a failure here."""
    default = "docker,podman" if os.environ.get("CI") else ""
    return set(os.environ.get("STEROIDS_TEST_ENGINES", default).replace(",", " ").split())


def open_engine(name: str) -> Engine:
    """A new connection (or a new fake); skips or fails the test when there is none."""
    if name == "fake":
        fake = FakeEngine()
        fake.images.add(BASE_IMAGE)
        return fake
    try:
        return find_engine(name, os.environ)
    except NoEngine as error:
        if name in promised():
            pytest.fail(f"{name} was promised and is missing: {error}", pytrace=False)
        pytest.skip(str(error))


def image_for_tests(engine: Engine, folder: Path) -> str:
    """A local image with a shell; made of this machine's own programs when there is none."""
    if not engine.capabilities().builds_images:
        return BUILTIN_IMAGE
    wanted = os.environ.get("STEROIDS_TEST_IMAGE")
    for ref in (wanted,) if wanted else (BASE_IMAGE, TINY_IMAGE):
        if engine.images.find(ref):
            return ref
    if wanted:
        pytest.fail(f"STEROIDS_TEST_IMAGE={wanted} is not there", pytrace=False)
    engine.images.load_rootfs(tiny_rootfs(folder), TINY_IMAGE)
    return TINY_IMAGE


def tiny_rootfs(folder: Path) -> Path:
    """A root file system of a few programs of this machine and the libraries they name."""
    target = folder / "tiny.tar"
    with tarfile.open(target, "w", dereference=True) as tar:
        temporary = tarfile.TarInfo("tmp")
        temporary.type, temporary.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(temporary)
        libraries = set()
        for tool in TINY_TOOLS:
            program = shutil.which(tool)
            assert program, f"this machine has no {tool}"
            tar.add(program, f"bin/{tool}")
            words = proc.run(["ldd", program], timeout_s=10).out.split()
            libraries |= {word for word in words if word.startswith("/")}
        for library in sorted(libraries):
            tar.add(library, library.lstrip("/"))
        # Its modules for sockets, which its smallest package has on Debian.
        places = proc.run(["perl", "-e", "print qq($_\n) for @INC"], timeout_s=10).out.split()
        modules = next(each for each in places if Path(each, "IO/Socket/INET.pm").is_file())
        tar.add(modules, modules.lstrip("/"))
    return target


def eventually(check: Callable[[], Any], *, timeout_s: float = 15) -> Any:
    """What `check` returns as soon as that is true."""
    deadline = time.monotonic() + timeout_s
    while not (result := check()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
    return result


@dataclass
class Lab:
    """Makes containers that are swept, of an image that is there."""

    engine: Engine
    image: str
    labels: dict[str, str] = field(default_factory=lambda: {TEST_LABEL: SESSION})

    def name(self) -> str:
        return f"steroids-test-{uuid.uuid4().hex[:12]}"

    def ref(self) -> str:
        """A name for an image; what is made under it is to carry `labels`."""
        return f"localhost/steroids/test-{uuid.uuid4().hex[:12]}:1"

    def spec(self, script: str = "sleep 60", **fields: Any) -> ContainerSpec:
        defaults: dict[str, Any] = {
            "name": self.name(),
            "image": self.image,
            "command": ("sh", "-c", script),
        }
        labels = {**self.labels, **fields.pop("labels", {})}
        return ContainerSpec(**{**defaults, **fields}, labels=labels)

    def start(self, script: str = "sleep 60", **fields: Any) -> Handle:
        return self.engine.start(self.spec(script, **fields))

    def started_and_up(self, script: str, **fields: Any) -> Handle:
        """Started, and `script` has said `up`: its trap is set."""
        handle = self.start(script, **fields)
        for chunk in self.engine.logs(handle, follow=True):
            if b"up" in chunk:
                return handle
        raise AssertionError("it ended without saying `up`")

    def ended(self, handle: Handle) -> int | None:
        """Its exit code, when it has ended by itself."""
        eventually(lambda: self.engine.inspect(handle).status is not Status.RUNNING)
        return self.engine.inspect(handle).exit_code

    def listening(self, port: int, says: str, **fields: Any) -> Handle:
        """Started, and it says that to whoever connects to the port."""
        script = (
            f"my $s = IO::Socket::INET->new(Listen => 9, LocalPort => {port}) or die $@; "
            f'$| = 1; print "up\\n"; while (my $c = $s->accept) {{ print $c "{says}"; close $c }}'
        )
        command = ("perl", "-MIO::Socket::INET", "-e", script)
        return self.started_and_up("", command=command, **fields)

    def heard(self, handle: Handle, host: str, port: int) -> str:
        """What is said to who connects from inside; or why nothing is."""
        script = (
            "my $c = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], "
            "Timeout => 2) or (print($@), exit); print <$c>"
        )
        argv = ["perl", "-MIO::Socket::INET", "-e", script, host, str(port)]
        return self.engine.exec(handle, argv).output.decode()

    def output(self, handle: Handle) -> bytes:
        return b"".join(self.engine.logs(handle))


def sweep(engine: Engine) -> None:
    """Remove all that this session made."""
    owned = engine.list_owned({TEST_LABEL: SESSION})
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda each: engine.remove(each.handle), owned))
    for volume in engine.volumes.list_owned({TEST_LABEL: SESSION}):
        engine.volumes.remove(volume)
    for image in engine.images.list({TEST_LABEL: SESSION}):
        for name in image.refs or (image.id,):
            engine.images.remove(name)


def _lab(name: str, folder: Path) -> Iterator[Lab]:
    engine = LocalEngine(folder) if name == "local" else open_engine(name)
    try:
        yield Lab(engine, image_for_tests(engine, folder))
        sweep(engine)
    finally:
        engine.close()


@pytest.fixture(scope="session", params=["fake", "local", *REAL])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Once per engine, the fake among them. Paths inside begin with `$STEROIDS_ROOT`."""
    yield from _lab(request.param, tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="session", params=["local", *REAL])
def host_lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """Once per engine that runs real processes."""
    yield from _lab(request.param, tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="session", params=REAL)
def real_lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """Once per engine that isolates."""
    yield from _lab(request.param, tmp_path_factory.mktemp("lab"))
