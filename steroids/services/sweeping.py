"""Removing what is nobody's any more: containers, networks, folders with sockets, uploads.

Only ever what carries this home's own label or lies in its own folders; and only after a look at
the living that is younger than the look at what is there, since whoever makes something is on the
books before it.
"""

import contextlib
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from steroids.engines.base import Engine
from steroids.engines.networks import Network
from steroids.engines.spec import Owned
from steroids.errors import EngineError
from steroids.provisioning import container
from steroids.provisioning import networks as networks_
from steroids.provisioning.site import DATABASE, LABEL, owned_by
from steroids.services.host import Host
from steroids.services.jobs import Jobs
from steroids.store import runners as rows

log = logging.getLogger("steroids.sweeping")


def containers(host: Host, jobs: Jobs, engine: Engine, owned: Sequence[Owned]) -> None:
    """Remove those of the listed ones that no living runner claims, started or not.

    Database servers are nobody's alone: `databases` looks after them.
    """
    of_runners = [each for each in owned if each.labels.get(f"{LABEL}.role") != DATABASE]
    if not of_runners:
        return
    alive = living(host)
    for each in of_runners:
        runner_id = each.labels.get(f"{LABEL}.runner", "")
        if runner_id not in alive:
            log.info("removing container %s, which no runner claims", each.handle.name)
            key = ("remove", each.handle.id)
            jobs.once(key, container.remove, engine, each.handle, runner_id)


def networks(host: Host, jobs: Jobs, engine: Engine) -> None:
    """The same for networks; one that a container is still on has to wait for the next round."""
    found = engine.networks.list_owned(owned_by(host.id))
    of_runners = [each for each in found if each.labels.get(f"{LABEL}.role") != DATABASE]
    if not of_runners:
        return
    alive = living(host)
    for each in of_runners:
        if each.labels.get(f"{LABEL}.runner") not in alive:
            jobs.once(("remove", each.id), _remove_network, engine, each)


def folders(host: Host) -> None:
    """Remove the sockets' folders and uploads of runners that are gone."""
    sockets = _inside(host.path / "runners")
    uploads = [path for path in _inside(host.path / "incoming") if path.suffix == ".bundle"]
    if not sockets and not uploads:
        return
    alive = living(host)
    for path in sockets:
        if path.name not in alive:
            shutil.rmtree(path, ignore_errors=True)
    for path in uploads:
        if path.stem not in alive:
            path.unlink(missing_ok=True)


def half_served(host: Host) -> None:
    """When a controller starts: what an earlier one was sending, or was being sent."""
    for path in _inside(host.path / "incoming"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix == ".part":
            path.unlink(missing_ok=True)


def living(host: Host) -> set[str]:
    """Ids of the runners on the books."""
    with host.store.read() as session:
        return {row.id for row in rows.active(session)}


def _remove_network(engine: Engine, network: Network) -> None:
    with contextlib.suppress(EngineError):
        networks_.remove(engine, network)
        log.info("removed network %s, which no runner claims", network.name)


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
