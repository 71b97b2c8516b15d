"""The contract of an engine: what starts containers (Docker, Podman), or stands in for one.

Every call is synchronous and may be made from any thread. Two kinds of failure are kept apart:
the engine *answered* that a container is not there (`Status.GONE`, `ContainerGone`), and the
engine did *not answer* (`EngineUnavailable`), after which nothing is known and nothing may be
forgotten. `tests/contract/test_engine.py` holds every implementation to this text.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from steroids.engines.images import Images
from steroids.engines.spec import Capabilities, ContainerSpec, ExecResult, Handle, Owned, State


class Engine(Protocol):
    """What starts containers."""

    name: str

    @property
    def images(self) -> Images: ...

    def capabilities(self) -> Capabilities:
        """Ask the engine who it is. Raises `EngineUnavailable`."""

    def start(self, spec: ContainerSpec) -> Handle:
        """Create and start; returns as soon as the engine says it runs.

        Idempotent by name: a container of this name made from an equal spec is started if it
        stands still, and its handle returned. Raises `ImageMissing`; `NameTaken` when the name
        belongs to something else; `EngineUnavailable` (calling again with the same spec is then
        right). After any other `EngineError` no container of that name is left behind.
        """

    def inspect(self, handle: Handle) -> State:
        """Its state; `GONE` only when the engine says that there is no such container.

        Raises `EngineUnavailable` for anything that is not an answer.
        """

    def stop(self, handle: Handle, grace_s: float) -> None:
        """TERM, then KILL after `grace_s` seconds. One that is stopped or gone stays so."""

    def remove(self, handle: Handle) -> None:
        """Kill it if it runs, and remove it with its anonymous volumes. Gone already: fine."""

    def exec(
        self, handle: Handle, argv: Sequence[str], *, user: str = "", workdir: str = ""
    ) -> ExecResult:
        """Run a command in a running container. An unknown command exits with 126 or 127.

        Raises `ContainerGone`; `EngineError` when it does not run.
        """

    def logs(self, handle: Handle, *, follow: bool = False, tail: int | None = None) -> Iterator[bytes]:
        """Chunks of its output (both streams), running or exited. Raises `ContainerGone`."""

    def commit(self, handle: Handle, ref: str, *, labels: Mapping[str, str], command: Sequence[str]) -> str:
        """Make an image named `ref` of a stopped or running container; returns the image's id.

        `labels` replace those of the container, `command` is what its containers run. Raises
        `ContainerGone`; after any failure no image `ref` is left or changed.
        """

    def list_owned(self, labels: Mapping[str, str]) -> list[Owned]:
        """All containers, running or not, that carry all these labels."""
