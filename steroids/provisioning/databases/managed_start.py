"""Starting a database server's container, and telling when its data is beyond repair."""

import contextlib
import time
from collections.abc import Mapping

from steroids.engines.base import Engine
from steroids.engines.spec import ContainerSpec, ExecResult, Handle, Status, VolumeMount
from steroids.errors import EngineError, EngineUnavailable, NameTaken
from steroids.provisioning.databases.recipe import Recipe, execute, labels, name
from steroids.provisioning.site import Site

READY_S = 120.0
POLL_S = 0.05
CANNOT_RUN = (126, 127)


class NoStart(Exception):
    """It ended, or did not answer; the message is what it said last."""


def start(site: Site, recipe: Recipe, image: str, volume: str) -> Handle:
    """Its container, on the data of that volume, once it answers. Raises `NoStart`."""
    engine, mine = site.engine, labels(site.controller, recipe.kind)
    engine.volumes.create(volume, mine)
    network = engine.networks.create(name(site, recipe.kind), mine, internal=True)
    spec = ContainerSpec(
        name=name(site, recipe.kind),
        image=image,
        command=recipe.command,
        labels=mine,
        env=recipe.env,
        volumes=(VolumeMount(volume, recipe.data),),
        files=recipe.files,
        network=network.name,
        capabilities=recipe.pulled_capabilities if site.settings.database.image else (),
    )
    _remove_ended(engine, mine)
    try:
        handle = engine.start(spec)
    except NameTaken:
        # Our own, made of another image or by another version of Steroids.
        _remove_container(engine, mine)
        handle = engine.start(spec)
    _await_ready(engine, handle, recipe)
    return handle


def _await_ready(engine: Engine, handle: Handle, recipe: Recipe) -> None:
    deadline = time.monotonic() + READY_S
    run = execute(engine, handle, recipe)
    while True:
        try:
            answer = run(recipe.ready)
        except EngineUnavailable:
            raise
        except EngineError:
            answer = ExecResult(1, b"")
        if answer.exit_code == 0:
            return
        said = answer.output.decode("utf-8", "replace").strip()
        if engine.inspect(handle).status is not Status.RUNNING:
            raise NoStart(_last_line(engine, handle) or "it ended")
        if answer.exit_code in CANNOT_RUN and said:
            raise NoStart(said.splitlines()[-1])
        if time.monotonic() > deadline:
            raise NoStart(_last_line(engine, handle) or f"no answer within {READY_S:.0f} s")
        time.sleep(POLL_S)


def _last_line(engine: Engine, handle: Handle) -> str:
    with contextlib.suppress(EngineError):
        text = b"".join(engine.logs(handle, tail=5)).decode("utf-8", "replace")
        return next((line for line in reversed(text.splitlines()) if line.strip()), "")[:300]
    return ""


def throw_away(site: Site, recipe: Recipe, volume: str) -> None:
    mine = labels(site.controller, recipe.kind)
    _remove_container(site.engine, mine)
    for each in site.engine.volumes.list_owned(mine):
        if each.name == volume:
            site.engine.volumes.remove(each)


def forget_others(site: Site, recipe: Recipe, volume: str) -> None:
    """Data of images that are not used any more."""
    for each in site.engine.volumes.list_owned(labels(site.controller, recipe.kind)):
        if each.name != volume:
            with contextlib.suppress(EngineError):
                site.engine.volumes.remove(each)


def _remove_ended(engine: Engine, mine: Mapping[str, str]) -> None:
    """Not started again: Podman may still be taking the one that was killed off its networks, and
    then nobody finds it there by its name. All that counts is in the volume."""
    for owned in engine.list_owned(mine):
        if owned.state.status is not Status.RUNNING:
            engine.remove(owned.handle)


def _remove_container(engine: Engine, mine: Mapping[str, str]) -> None:
    for owned in engine.list_owned(mine):
        engine.remove(owned.handle)
