"""What an engine can do with networks: what containers share, and what keeps others out.

Names are unique per engine, as those of containers are. What is found again, and swept, is known
by its labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from steroids.engines.spec import Handle
from steroids.errors import EngineError


@dataclass(frozen=True)
class Network:
    id: str
    name: str
    labels: Mapping[str, str]
    """Those that it was made with."""
    subnet: str
    """`10.213.7.16/28`; empty when the engine does not say."""
    internal: bool = False
    """Its containers reach each other and nothing else, as far as the engine can keep them."""


class Networks(Protocol):
    """All calls raise `EngineUnavailable` when the engine does not answer."""

    def create(self, name: str, labels: Mapping[str, str], *, internal: bool = False) -> Network:
        """Make a network for a handful of containers. Idempotent by name.

        One of this name that was made with equal arguments is returned as it is. Raises
        `NameTaken` when the name belongs to anything else; after another `EngineError` there is
        no network of that name.
        """

    def connect(self, network: Network, handle: Handle, aliases: Sequence[str]) -> None:
        """Put a container on one more network, where others find it under these names too.

        Idempotent. Raises `ContainerGone`, `EngineError` when the network is gone.
        """

    def disconnect(self, network: Network, handle: Handle) -> None:
        """Take it off again. Not on it, or one of the two gone: fine."""

    def list_owned(self, labels: Mapping[str, str]) -> list[Network]:
        """All networks made by `create` with all these labels, in use or not."""

    def remove(self, network: Network) -> None:
        """Gone already: fine. Raises `EngineError` when a container is on it, running or not."""


class NoNetworks:
    """For an engine whose containers are none and share the host's network."""

    def __init__(self, engine: str) -> None:
        self._engine = engine

    def create(self, name: str, labels: Mapping[str, str], *, internal: bool = False) -> Network:
        raise EngineError(
            f"The engine {self._engine} has no networks: its runners use the host's",
            hint="steroids up --engine auto",
        )

    def connect(self, network: Network, handle: Handle, aliases: Sequence[str]) -> None:
        raise EngineError(f"The engine {self._engine} has no networks", hint="steroids ps")

    def disconnect(self, network: Network, handle: Handle) -> None:
        return

    def list_owned(self, labels: Mapping[str, str]) -> list[Network]:
        return []

    def remove(self, network: Network) -> None:
        return
