"""What an engine can do with images. References are full names: `localhost/steroids/runner:1`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
    ) -> Image:
        """Build `context/Dockerfile` as `ref`.

        Raises `EngineError` with the output's end in `details["tail"]`; `ref` is then what it was.
        """

    def load_rootfs(self, tar: Path, ref: str) -> Image:
        """Make a root file system's tar an image. Raises `EngineError`."""

    def pull(self, ref: str, *, progress: Progress) -> Image:
        """Raises `ImageMissing` when no registry that can be reached has it, within a minute."""

    def remove(self, ref: str) -> None:
        """Untag, and delete when nothing else holds it. Missing: fine. In use: `EngineError`."""
