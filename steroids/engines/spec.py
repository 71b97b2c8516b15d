"""What is said to an engine and what it answers: plain data, equal when it says the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    CREATED = "created"
    RUNNING = "running"
    EXITED = "exited"
    GONE = "gone"


@dataclass(frozen=True)
class Handle:
    """What is stored to find a container again, also after a restart of controller or engine."""

    engine: str
    id: str
    name: str


NO_NETWORK = "none"
"""In place of a network's name: only what the container has inside."""


@dataclass(frozen=True)
class State:
    status: Status
    exit_code: int | None = None
    """Only when `EXITED`; 137 after SIGKILL."""
    pid: int | None = field(default=None, compare=False)
    """The main process as the engine's host knows it. From `inspect` only, and when `RUNNING`."""
    ports: Mapping[int, int] = field(default_factory=dict, compare=False)
    """Published ports: inside, and on the engine's host. From `inspect` only, and when `RUNNING`;
    they may be others after each start."""


@dataclass(frozen=True)
class Mount:
    """A host folder that exists, seen inside. Only the controller's socket folder ever is one."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class VolumeMount:
    """A volume of the engine's, made by `Volumes.create`, seen inside.

    An empty one takes owner, mode and content from the image's folder at `target`, once.
    """

    volume: str
    """Its name."""
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class File:
    """A file put into the container before it starts, owned by root. Its folder must exist."""

    path: str
    content: bytes
    mode: int = 0o600


@dataclass(frozen=True)
class ContainerSpec:
    """A container to start. Names are unique per engine; labels are the whole set."""

    name: str
    image: str
    command: Sequence[str] = ()
    """Empty: the image's own."""
    labels: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[Mount] = ()
    volumes: Sequence[VolumeMount] = ()
    files: Sequence[File] = ()
    network: str | None = None
    """Name of a network made by `Networks.create`, or `NO_NETWORK`; None: the engine's default."""
    ports: Sequence[int] = ()
    """TCP ports inside that are published on free ones of 127.0.0.1, which `inspect` tells; with
    `NO_NETWORK` none is."""
    capabilities: Sequence[str] = ()
    """All others are dropped; `no-new-privileges` is always set."""
    memory_bytes: int | None = None
    cpus: float | None = None
    pids: int | None = None
    disk_bytes: int | None = None
    """For what the container itself writes, its volumes aside. Most storage drivers have no quotas:
    where `Capabilities.limits` has no `disk` after the start, nothing is kept, and `Engine.written`
    tells how much it is."""


@dataclass(frozen=True)
class ExecResult:
    exit_code: int
    output: bytes
    """Standard output and standard error, interleaved."""


@dataclass(frozen=True)
class Owned:
    """A container as `list_owned` sees it."""

    handle: Handle
    state: State
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Capabilities:
    name: str
    """`docker`, `podman`, ...: the word in configuration, store and labels."""
    version: str
    rootless: bool
    address: str
    """Where it was found, for people: `unix:///var/run/docker.sock`."""
    isolated: bool = True
    """Whether what runs inside is kept away from the host's files, processes and users, and held
    to its limits. Without it, file paths inside begin with `$STEROIDS_ROOT`."""
    builds_images: bool = True
    """Whether images can be built, loaded and pulled; else the runner image is built in."""
    limits: frozenset[str] = frozenset({"memory", "cpus", "pids"})
    """Which of the limits of a `ContainerSpec` are kept, as far as the engine itself knows, by
    name: `disk` may be among them, until a start shows that it is not."""
    memory_bytes: int | None = None
    """All that the engine's host has; None: it does not say."""
