"""The database server that Steroids runs itself: a container per home, engine and kind.

Its data is in a volume and its durability is off: what is in it can be made again. Nothing of it
is published, and it is on no network but its own and those of the runners that it serves.
"""

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from steroids.engines.base import Engine
from steroids.engines.spec import Handle, Status
from steroids.engines.volumes import Volume
from steroids.errors import ContainerGone
from steroids.provisioning.databases import server_image
from steroids.provisioning.databases.base import DatabaseUnavailable
from steroids.provisioning.databases.managed_start import (
    NoStart,
    forget_others,
    start,
    throw_away,
)
from steroids.provisioning.databases.recipe import Exec, Recipe, execute, labels, name
from steroids.provisioning.site import DATABASE, LABEL, Site

__all__ = ["ALIAS", "Exec", "Recipe", "ensure", "execute", "labels", "running", "stop", "volumes"]

GRACE_S = 20.0
ALIAS = "database"
"""What the server is called on its runners' networks."""


@dataclass(frozen=True)
class _Running:
    handle: Handle
    pid: int | None
    image: str | None
    """That the settings named; another one is another server, on data of its own."""


_starting: dict[str, threading.Lock] = defaultdict(threading.Lock)
"""By server: of many who need it one starts it. A single controller owns the home, so a lock
within its process is enough; it guards `_running` as well."""
_running: dict[str, _Running] = {}


def ensure(
    site: Site, recipe: Recipe, progress: Callable[[str], None], say: Callable[[str], None]
) -> Handle:
    """The server's container, which answers when this returns; a few ms when it runs already.

    Data that does not start any more is thrown away with all databases, which is told through
    `say`. Raises `DatabaseUnavailable` when it does not start on fresh data either, what
    `server_image.ensure` raises, and what the engine raises.
    """
    key = f"{site.engine.address} {name(site, recipe.kind)}"
    with _starting[key]:
        known = _running.get(key)
        named = site.settings.database.image
        if known is not None and known.image == named:
            state = site.engine.inspect(known.handle)
            if state.status is Status.RUNNING and state.pid == known.pid:
                return known.handle
        handle = _up(site, recipe, progress, say)
        recipe.settle(execute(site.engine, handle, recipe))
        _running[key] = _Running(handle, site.engine.inspect(handle).pid, named)
        return handle


def running(site: Site, recipe: Recipe) -> Handle | None:
    """Its container, if it runs now; nothing is started. Raises `EngineUnavailable`."""
    for owned in site.engine.list_owned(labels(site.controller, recipe.kind)):
        if owned.state.status is Status.RUNNING:
            return owned.handle
    return None


def _up(
    site: Site, recipe: Recipe, progress: Callable[[str], None], say: Callable[[str], None]
) -> Handle:
    image = server_image.ensure(site, recipe.kind, progress)
    # Data of another image may be another version's: it is left behind.
    short = image.id.removeprefix("sha256:")[:8]
    wanted = f"{name(site, recipe.kind)}-{short}"
    mine = labels(site.controller, recipe.kind)
    had_data = any(each.name == wanted for each in site.engine.volumes.list_owned(mine))
    try:
        try:
            handle = start(site, recipe, image.id, wanted)
        except NoStart as why:
            if not had_data:
                raise
            say(
                f"the {recipe.kind} server's data does not start any more ({why}): "
                "it is thrown away, and its databases are made anew"
            )
            throw_away(site, recipe, wanted)
            handle = start(site, recipe, image.id, wanted)
    except NoStart as why:
        raise DatabaseUnavailable(
            f"The {recipe.kind} server does not start: {why}",
            hint=f"{site.engine.name} logs {name(site, recipe.kind)}   # and: df -h",
        ) from None
    forget_others(site, recipe, wanted)
    return handle


def stop(engine: Engine, handle: Handle, still: Callable[[], bool] = lambda: True) -> None:
    """End it if that is `still` to be, and keep its data; who needs it next starts it again."""
    with _starting[f"{engine.address} {handle.name}"]:
        if not still():
            return
        with contextlib.suppress(ContainerGone):
            engine.stop(handle, GRACE_S)
        engine.remove(handle)
        for network in engine.networks.list_owned({f"{LABEL}.role": DATABASE}):
            if network.name == handle.name:
                engine.networks.remove(network)


def volumes(engine: Engine, controller: str) -> list[Volume]:
    """The data of all this home's servers."""
    return engine.volumes.list_owned({f"{LABEL}.controller": controller, f"{LABEL}.role": DATABASE})
