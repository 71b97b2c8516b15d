"""What an engine can do with images. References are full names: `localhost/steroids/runner:1`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Image:
    id: str
    """`sha256:...`, the same on every look."""
    refs: tuple[str, ...]
    size_bytes: int
    created_at: datetime
    labels: Mapping[str, str]
    """Without empty ones: a commit can blank its container's labels, not take them away."""
    user: str = field(default="", compare=False)
    """Whom its containers run as, when told not to by nobody. From `find` only."""


@dataclass(frozen=True)
class Usage:
    """What an engine keeps on its disk, and for whom."""

    total_bytes: int | None
    """Of all images, each layer counted once. None: the engine does not say."""
    own_bytes: Mapping[str, int]
    """Of images, by id: what no other one has too. Podman counts what it keeps of its builds
    among the others."""
    containers: Mapping[str, int] = field(default_factory=dict)
    """How many are made of an image, running or not, by its id."""
    volume_bytes: Mapping[str, int] = field(default_factory=dict)
    """By name, as far as the engine says."""


Progress = Callable[[str], None]
"""Called with a line of the engine's output as it comes."""


class Images(Protocol):
    """All calls raise `EngineUnavailable` when the engine does not answer."""

    def find(self, ref: str) -> Image | None:
        """The local image of that name or id; never asks a registry."""

    def list(self, labels: Mapping[str, str]) -> list[Image]:
        """Local images that carry all these labels, newest first."""

    def build(
        self,
        context: Path,
        ref: str,
        *,
        args: Mapping[str, str],
        labels: Mapping[str, str],
        progress: Progress,
        dockerfile: str = "Dockerfile",
        target: str = "",
    ) -> Image:
        """Build `context/dockerfile` as `ref`, up to the stage `target` if one is named.

        Raises `EngineError` with the output's end in `details["tail"]`; `ref` is then what it was.
        """

    def load_rootfs(self, tar: Path, ref: str) -> Image:
        """Make a root file system's tar an image. Raises `EngineError`."""

    def pull(self, ref: str, *, progress: Progress) -> Image:
        """Raises `ImageMissing` when no registry that can be reached has it, within a minute."""

    def usage(self) -> Usage:
        """Looked at anew, which may take seconds."""

    def remove(self, ref: str) -> None:
        """Untag, and delete when nothing else holds it. Missing: fine. In use: `EngineError`."""
