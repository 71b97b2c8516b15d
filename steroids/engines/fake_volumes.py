"""The fake engine's volumes: names, labels, and which containers have them."""

import threading
from collections.abc import Mapping

from steroids.engines.fake_faults import AFTER, BEFORE, Faults
from steroids.engines.volumes import Volume
from steroids.errors import EngineError, NameTaken


class FakeVolumes:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._all: dict[str, Volume] = {}
        self._in: dict[str, set[str]] = {}
        """Ids of the containers that have each."""
        self._lock = threading.Lock()
        """Guards both."""

    def create(self, name: str, labels: Mapping[str, str]) -> Volume:
        self._faults.at("volumes.create", BEFORE)
        with self._lock:
            made = self._all.setdefault(name, Volume(name, dict(labels)))
        if dict(made.labels) != dict(labels):
            raise NameTaken(
                f"A volume named {name} exists and is not this one",
                hint=f"fake volume rm {name}",
            )
        self._faults.at("volumes.create", AFTER)
        return made

    def list_owned(self, labels: Mapping[str, str]) -> list[Volume]:
        self._faults.at("volumes.list_owned", BEFORE)
        with self._lock:
            return [each for each in self._all.values() if labels.items() <= each.labels.items()]

    def remove(self, volume: Volume) -> None:
        self._faults.at("volumes.remove", BEFORE)
        with self._lock:
            if self._in.get(volume.name):
                raise EngineError(
                    f"Fake could not remove the volume {volume.name}: in use",
                    hint="steroids down",
                )
            self._all.pop(volume.name, None)
        self._faults.at("volumes.remove", AFTER)

    def join(self, name: str, container: str) -> None:
        """A container of that id is made with it. Raises `EngineError` when there is none."""
        with self._lock:
            if name not in self._all:
                raise EngineError(f"There is no volume {name}", hint="fake volume ls")
            self._in.setdefault(name, set()).add(container)

    def left(self, container: str) -> None:
        """A container of that id is gone; the engine keeps it up to date."""
        with self._lock:
            for users in self._in.values():
                users.discard(container)
