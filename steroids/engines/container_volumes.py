"""Volumes of Docker and Podman. See `engines/volumes.py` for what each call promises."""

from collections.abc import Mapping
from typing import Any

from docker.errors import APIError

from steroids.engines.container_create import SPEC_LABEL
from steroids.engines.container_errors import answers, is_volume_gone, says
from steroids.engines.volumes import Volume
from steroids.errors import NameTaken

_OURS = "volume"
"""What `SPEC_LABEL` says on one of ours."""


class ContainerVolumes:
    def __init__(self, engine: str, client: Any) -> None:
        self._engine = engine
        self._client = client

    def create(self, name: str, labels: Mapping[str, str]) -> Volume:
        with answers(self._engine, f"create the volume {name}"):
            # Both engines return the one that has the name, whatever labels were asked for.
            made = _volume(self._create(name, {**labels, SPEC_LABEL: _OURS}))
        if made is None or dict(made.labels) != dict(labels):
            raise NameTaken(
                f"A volume named {name} exists and is not this one",
                hint=f"{self._engine} volume rm {name}",
            )
        return made

    def _create(self, name: str, labels: Mapping[str, str]) -> Mapping[str, Any]:
        while True:
            try:
                made: Mapping[str, Any] = self._client.create_volume(name, labels=labels)
            except APIError as error:
                # Podman, to whoever is just not the first: the next call finds that one's.
                if "volume already exists" not in says(error):
                    raise
            else:
                return made

    def list_owned(self, labels: Mapping[str, str]) -> list[Volume]:
        wanted = {"label": [f"{key}={value}" for key, value in labels.items()]}
        with answers(self._engine, "list volumes"):
            rows = self._client.volumes(filters=wanted)["Volumes"] or []
        ours = (_volume(row) for row in rows)
        return [each for each in ours if each and labels.items() <= each.labels.items()]

    def remove(self, volume: Volume) -> None:
        with answers(self._engine, f"remove the volume {volume.name}"):
            try:
                self._client.remove_volume(volume.name)
            except APIError as error:
                if not is_volume_gone(error):
                    raise

    def exists(self, name: str) -> bool:
        """Whoever made it. Raises what the SDK raises."""
        try:
            self._client.inspect_volume(name)
        except APIError as error:
            if is_volume_gone(error):
                return False
            raise
        return True


def _volume(row: Mapping[str, Any]) -> Volume | None:
    labels = dict(row.get("Labels") or {})
    return Volume(row["Name"], labels) if labels.pop(SPEC_LABEL, None) == _OURS else None
