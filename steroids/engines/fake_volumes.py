"""The fake engine's volumes: names and labels."""

import threading
from collections.abc import Mapping

from steroids.engines.fake_faults import AFTER, BEFORE, Faults
from steroids.engines.volumes import Volume
from steroids.errors import NameTaken


class FakeVolumes:
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._all: dict[str, Volume] = {}
        self._lock = threading.Lock()
        """Guards it."""

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
            self._all.pop(volume.name, None)
        self._faults.at("volumes.remove", AFTER)
