"""What an engine can do with volumes: folders that it keeps for containers, beyond their ends.

Names are unique per engine. What is found again, and swept, is known by its labels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from steroids.errors import EngineError


@dataclass(frozen=True)
class Volume:
    name: str
    labels: Mapping[str, str]
    """Those that it was made with."""


class Volumes(Protocol):
    """All calls raise `EngineUnavailable` when the engine does not answer."""

    def create(self, name: str, labels: Mapping[str, str]) -> Volume:
        """Make an empty one. Idempotent by name: one of equal labels is returned as it is, with
        what is in it. Raises `NameTaken` when the name belongs to anything else."""

    def list_owned(self, labels: Mapping[str, str]) -> list[Volume]:
        """All volumes made by `create` with all these labels, in use or not."""

    def remove(self, volume: Volume) -> None:
        """With all that is in it. Gone already: fine. Raises `EngineError` when a container has
        it, running or not."""


class NoVolumes:
    """For an engine whose containers are folders of the host."""

    def __init__(self, engine: str) -> None:
        self._engine = engine

    def create(self, name: str, labels: Mapping[str, str]) -> Volume:
        raise EngineError(
            f"The engine {self._engine} has no volumes", hint="steroids up --engine auto"
        )

    def list_owned(self, labels: Mapping[str, str]) -> list[Volume]:
        return []

    def remove(self, volume: Volume) -> None:
        return
