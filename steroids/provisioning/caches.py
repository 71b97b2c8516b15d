"""What package managers have downloaded, kept between set-ups: a volume per project and engine.

Only the containers that make snapshots write it; they run what is on the target branch. All others
see it read-only, and copy from it what a set-up of their own needs (`runner/caches.py`), so that
nothing an agent does can reach another container through it.
"""

import contextlib

import msgspec

from steroids.engines.spec import VolumeMount
from steroids.errors import EngineError
from steroids.provisioning.site import LABEL, Site, owned_by
from steroids.store.home_models import Runner
from steroids.wire.assignment import Assignment, Kind
from steroids.wire.runner import Role

FOLDER = "/var/cache/steroids"
"""The agent's own in the image, and so in the volume."""
ROLE = "cache"


def mounts(site: Site, runner: Runner) -> tuple[VolumeMount, ...]:
    """What the runner's container sees of the cache: nothing where the settings or the engine have
    none. Without one all works as well, and downloads more."""
    if not site.settings.cache or not site.what.isolated:
        return ()
    with contextlib.suppress(EngineError):
        # Each time: one that somebody removed would be made without its labels.
        made = site.engine.volumes.create(
            f"steroids-cache-{site.controller[:8]}-{site.project_id[:12]}",
            cache_labels(site.controller, site.project_id),
        )
        return (VolumeMount(made.name, FOLDER, read_only=not _makes_snapshot(runner)),)
    return ()


def _makes_snapshot(runner: Runner) -> bool:
    # What migrates a database has the same role, and runs what nobody has looked at yet.
    if runner.role != Role.SETUP or runner.assignment is None:
        return False
    return msgspec.json.decode(runner.assignment, type=Assignment).kind is Kind.SETUP


def cache_labels(controller: str, project_id: str | None = None) -> dict[str, str]:
    """By which a controller's caches are found (`Volumes.list_owned`), or a project's own."""
    project = {f"{LABEL}.project": project_id} if project_id else {}
    return {**owned_by(controller), **project, f"{LABEL}.role": ROLE}
