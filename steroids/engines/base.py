"""The contract of an engine: what starts containers (Docker, Podman), or stands in for one.

Every call is synchronous and may be made from any thread. Two kinds of failure are kept apart:
the engine *answered* that a container is not there (`Status.GONE`, `ContainerGone`), and the
engine did *not answer* (`EngineUnavailable`), after which nothing is known and nothing may be
forgotten. `tests/contract/test_engine.py` holds every implementation to this text.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from steroids.engines.images import Images
from steroids.engines.networks import Networks
from steroids.engines.spec import Capabilities, ContainerSpec, ExecResult, Handle, Owned, State
from steroids.engines.volumes import Volumes


class Engine(Protocol):
    """What starts containers."""

    name: str
    """`docker`, `podman`: for people, labels and handles."""
    address: str
    """Where it is reached; stored, so that a later controller finds the same one."""

    @property
    def images(self) -> Images: ...

    @property
    def networks(self) -> Networks: ...

    @property
    def volumes(self) -> Volumes: ...

    def capabilities(self) -> Capabilities:
        """Ask the engine who it is. Raises `EngineUnavailable`."""

    def start(self, spec: ContainerSpec) -> Handle:
        """Create and start; returns as soon as the engine says it runs.

        Idempotent by name: a container of this name made from an equal spec is started if it
        stands still (its `files` put in anew), and its handle returned. Raises `ImageMissing`;
        `NameTaken` when the name belongs to something else; `EngineUnavailable` (calling again
        with the same spec is then right); `EngineError` when a volume or the network is not there.
        After any but `EngineUnavailable` no container of that name is left behind, unless it had
        run before: it may hold work.
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
        """Run a command in a running container; returns when it ends, however long that takes.

        An unknown command or user exits with 126 or 127. Raises `ContainerGone`; `EngineError`
        when the container does not run; `EngineUnavailable` when the output was cut off.
        """

    def written(self, handle: Handle) -> int | None:
        """Bytes of the files that it has written, running or not, its volumes aside.

        Looks at each of them: half a second for 50,000. None: gone, or the engine does not say.
        """

    def logs(
        self, handle: Handle, *, follow: bool = False, tail: int | None = None
    ) -> Iterator[bytes]:
        """Chunks of its output (both streams), running or exited; `tail` counts lines.

        `follow` goes on to the container's end or removal, a tenth of a second behind. Raises
        `ContainerGone` at once, and `EngineUnavailable` at once or, when the engine goes away,
        from the iterator.
        """

    def commit(
        self, handle: Handle, ref: str, *, labels: Mapping[str, str], command: Sequence[str]
    ) -> str:
        """Make an image named `ref` of a stopped or running container; returns the image's id.

        `labels` replace those of the container (their values: no quotes, backslashes, dollars or
        newlines), `command` is what its containers run. Raises `ContainerGone`; `ref` is put on
        the whole image as the last step, so after a failure it is what it was.
        """

    def list_owned(self, labels: Mapping[str, str]) -> list[Owned]:
        """All containers, running or not, whose specs gave them all these labels.

        Labels that a container only has from its image neither match nor show.
        """

    def close(self) -> None:
        """Let go of the connections to the engine; no call may follow."""
