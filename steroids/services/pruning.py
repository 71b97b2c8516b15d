"""Taking away what nobody needs any more, of images and of everything else that is this home's.

Nothing that a container is made of: the engine itself refuses that. All of it can be made again;
what cannot, a project's mirror with its unlanded work, goes only when it is named.
"""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlmodel import col, delete

from steroids.engines.base import Engine
from steroids.engines.images import Image, Usage
from steroids.errors import EngineError
from steroids.provisioning import container, retiring
from steroids.provisioning.site import DATABASE, LABEL, owned_by
from steroids.services import database_sweeping, images, pruning_snapshots, registry, sweeping
from steroids.services.host import Host
from steroids.services.presence import gone
from steroids.store import home_models as home
from steroids.store import runners as rows
from steroids.wire.images import GoneProject, Prune, Pruned, PrunedLine

CACHE = "cache"
_SERVERS_KEPT = 1
"""Of each kind of database server's images."""


@dataclass
class _Round:
    """What one call has done so far."""

    dry_run: bool
    removed: list[PrunedLine] = field(default_factory=list)
    in_use: int = 0

    def image(self, engine: Engine, kind: str, image: Image, usage: Usage | None) -> None:
        if usage is not None and usage.containers.get(image.id, 0) > 0:
            self.in_use += 1
            return
        if not self.dry_run:
            try:
                retiring.remove(engine, image)
            except EngineError:
                self.in_use += 1
                return
        own = usage.own_bytes.get(image.id) if usage else None
        self.say(_named(kind, image), engine, own)

    def say(self, what: str, engine: Engine | None, size: int | None = None) -> None:
        name = engine.name if engine else None
        self.removed.append(PrunedLine(what=what, engine=name, bytes=size))


def _named(kind: str, image: Image) -> str:
    """`snapshot my-app:3f9c21`, and not `runner runner:3f9c21`."""
    name = (images.shown(image.refs) or image.id[:19]).removeprefix("localhost/steroids/")
    return name if name.startswith(f"{kind}:") else f"{kind} {name}"


def prune(host: Host, asked: Prune) -> Pruned:
    """Do what is asked, and say what went; engines that are away are passed over.

    Raises `NoEngine` for a named engine that is not here, `NotAProject`.
    """
    done = _Round(asked.dry_run)
    freed, at_least = 0, False
    for engine in images.engines(host, asked.engine):
        with contextlib.suppress(EngineError):
            before = images.usage_of(engine)
            count = len(done.removed)
            if asked.everything:
                _containers(host, engine, done)
            for kind, image in list(doomed(host, engine, asked)):
                done.image(engine, kind, image, before)
            after = before if asked.dry_run else images.usage_of(engine)
            own = sum(line.bytes or 0 for line in done.removed[count:])
            was, now = _total(before), _total(after)
            if not asked.dry_run and was is not None and now is not None:
                freed += max(0, was - now)
            else:
                freed, at_least = freed + own, True
            if asked.everything and asked.all:
                freed += _caches(host, engine, done, before)
    if asked.everything:
        for what in database_sweeping.prune(host, asked.dry_run):
            done.say(what, None)
    gone = list(_gone(host)) if asked.everything else []
    for each in gone:
        if each.id in asked.projects:
            _forget(host, each, done)
    return Pruned(
        removed=done.removed,
        freed_bytes=freed,
        at_least=at_least,
        in_use=done.in_use,
        gone_projects=[each for each in gone if each.id not in asked.projects],
    )


def doomed(host: Host, engine: Engine, asked: Prune) -> Iterator[tuple[str, Image]]:
    """The images that are to go, those first that others may be built on last."""
    if asked.project is not None:
        project = registry.at(host, asked.project)
        for image in pruning_snapshots.of_project(host, engine, project.id, asked):
            yield "snapshot", image
        return
    if asked.all:
        yield from reversed(list(images.ours(engine)))
        return
    for row in host.projects():
        for image in pruning_snapshots.of_project(host, engine, row.id, asked):
            yield "snapshot", image
    keep = retiring.KEPT if asked.keep is None else asked.keep
    used = pruning_snapshots.runner_images(host, engine)
    for image in retiring.old_runner_images(engine, keep, used):
        yield "runner", image
    for kind in images.KINDS:
        if kind not in ("runner", "snapshot"):
            kept = keep if kind == "devcontainer" else _SERVERS_KEPT
            for image in engine.images.list({retiring.LABEL: kind})[kept:]:
                yield kind, image


def _containers(host: Host, engine: Engine, done: _Round) -> None:
    """This home's containers and networks that no living runner claims."""
    owned = engine.list_owned(owned_by(host.id))
    networks = engine.networks.list_owned(owned_by(host.id))
    alive = sweeping.living(host)
    for each in owned:
        runner_id = each.labels.get(f"{LABEL}.runner", "")
        if runner_id in alive or each.labels.get(f"{LABEL}.role") == DATABASE:
            continue
        with contextlib.suppress(EngineError):
            if not done.dry_run:
                container.remove(engine, each.handle, runner_id)
            done.say(f"container {each.handle.name}", engine)
    for network in networks:
        labels = network.labels
        if labels.get(f"{LABEL}.runner") in alive or labels.get(f"{LABEL}.role") == DATABASE:
            continue
        with contextlib.suppress(EngineError):
            if not done.dry_run:
                engine.networks.remove(network)
            done.say(f"network {network.name}", engine)


def _total(usage: Usage | None) -> int | None:
    return usage.total_bytes if usage else None


def _caches(host: Host, engine: Engine, done: _Round, usage: Usage | None) -> int:
    """All caches that no container has now; what they took."""
    freed = 0
    for volume in engine.volumes.list_owned({**owned_by(host.id), f"{LABEL}.role": CACHE}):
        try:
            if not done.dry_run:
                engine.volumes.remove(volume)
        except EngineError:
            done.in_use += 1
            continue
        size = usage.volume_bytes.get(volume.name) if usage else None
        freed += size or 0
        done.say(f"cache {volume.name}", engine, size)
    return freed


def _gone(host: Host) -> Iterator[GoneProject]:
    """Projects whose folder is not there, and that nobody works for."""
    with host.store.read() as session:
        busy = {row.project_id for row in rows.active(session)}
    every = host.projects()
    away = gone(row.path for row in every)
    for row in every:
        if row.id not in busy and row.path in away:
            yield GoneProject(id=row.id, name=row.name, path=row.path)


def _forget(host: Host, project: GoneProject, done: _Round) -> None:
    """Its snapshots, its mirror, its place in the home's books."""
    every = Prune(all=True, dry_run=done.dry_run)
    for engine in images.engines(host, None):
        with contextlib.suppress(EngineError):
            usage = images.usage_of(engine)
            for image in pruning_snapshots.of_project(host, engine, project.id, every):
                done.image(engine, "snapshot", image, usage)
    done.say(f"project {project.name} (was at {project.path})", None)
    if done.dry_run:
        return
    shutil.rmtree(host.path / "projects" / project.id, ignore_errors=True)
    with host.store.write() as session:
        session.exec(delete(home.Runner).where(col(home.Runner.project_id) == project.id))
        session.exec(delete(home.Project).where(col(home.Project.id) == project.id))
