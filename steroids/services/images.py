"""What this host's engines keep for Steroids: images, and volumes of caches and databases."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from steroids.engines.base import Engine
from steroids.engines.images import Image, Usage
from steroids.errors import EngineError, NotAProject, SteroidsError
from steroids.provisioning.base_image import MADE
from steroids.provisioning.images import ensure_runner_image, image_settings
from steroids.provisioning.retiring import LABEL
from steroids.provisioning.site import LABEL as OWN
from steroids.services import devcontainers, registry, target
from steroids.services.host import Host
from steroids.wire.images import ImageLine, ImagesBuild

KINDS = ("devcontainer", "runner", "snapshot", "postgres", "mariadb")
"""As images are labelled."""
VOLUMES = ("cache", "database")
"""As volumes are, by their role."""
ENGINES = ("docker", "podman")


def build(host: Host, body: ImagesBuild, progress: Callable[[str], None]) -> ImageLine:
    """Build the runner image anew. Raises `BadConfig`, `EngineError`."""
    settings = host.settings(None)
    engine = host.engine(body.engine or settings.engine)
    settings = settings.model_copy(
        update={
            "image": body.from_image or (None if body.base or body.bootstrap else settings.image),
            "base_image": body.base or settings.base_image,
            "ca_bundle": Path(body.ca_bundle) if body.ca_bundle else settings.ca_bundle,
            "packages": [*settings.packages, *body.packages],
        }
    )
    wanted = replace(image_settings(settings), bootstrap=body.bootstrap)
    if devcontainers.is_meant(settings.image):
        if body.project is None:
            raise NotAProject(
                "A dev container is a repository's, and this is no project",
                hint="cd into the repository, or: steroids images build --project PATH",
            )
        project = registry.at(host, body.project)
        target.fetch(project)
        named = devcontainers.applied(project, settings).image or ""
        image, user = devcontainers.image_of(
            host, project, engine, named, wanted.proxies, progress, rebuild=body.rebuild
        )
        wanted = replace(wanted, from_image=image, user=user)
    made = ensure_runner_image(engine, wanted, progress=progress, rebuild=body.rebuild)
    return line(engine, "runner", made, {}, None)


def listing(host: Host, engine: str | None) -> list[ImageLine]:
    """Of all engines (or one), newest first; volumes behind the images."""
    projects = {row.id: row.name for row in host.projects()}
    lines = []
    for each in engines(host, engine):
        usage = usage_of(each)
        lines += [line(each, kind, image, projects, usage) for kind, image in ours(each)]
        lines += _volumes(host, each, projects, usage)
    return sorted(lines, key=lambda one: one.created_at.timestamp() if one.created_at else 0)[::-1]


def engines(host: Host, name: str | None) -> list[Engine]:
    """The named one, or all that are here. Raises `NoEngine` for a named one that is not."""
    found: dict[str, Engine] = {each.address: each for each in host.known_engines()}
    if name is not None:
        return [host.engine(name)]
    for known in ENGINES:
        with contextlib.suppress(SteroidsError):
            engine = host.engine(known)
            found[engine.address] = engine
    return list(found.values())


def ours(engine: Engine) -> Iterator[tuple[str, Image]]:
    """All images that are Steroids' own, whoever on this host made them, with their kind."""
    base = engine.images.find(MADE)
    if base is not None:
        yield "base", base
    for kind in KINDS:
        for image in engine.images.list({LABEL: kind}):
            yield kind, image


def line(
    engine: Engine, kind: str, image: Image, projects: dict[str, str], usage: Usage | None
) -> ImageLine:
    """For people and for `--json`; `projects` are names by id."""
    return ImageLine(
        ref=shown(image.refs) or image.id[:19],
        engine=engine.name,
        kind=kind,
        size_bytes=image.size_bytes,
        created_at=image.created_at,
        project=projects.get(image.labels.get(f"{OWN}.project", "")),
        own_bytes=usage.own_bytes.get(image.id) if usage else None,
        containers=usage.containers.get(image.id) if usage else None,
    )


def shown(refs: Sequence[str]) -> str | None:
    """Of several names the one that says most."""
    return min(refs, key=lambda ref: ref.endswith(":latest"), default=None)


def usage_of(engine: Engine) -> Usage | None:
    """None: the engine cannot say it now, as Podman while containers come and go. What is there
    can be listed and removed all the same."""
    try:
        return engine.images.usage()
    except EngineError:
        return None


def _volumes(
    host: Host, engine: Engine, projects: dict[str, str], usage: Usage | None
) -> Iterator[ImageLine]:
    for role in VOLUMES:
        wanted = {f"{OWN}.controller": host.id, f"{OWN}.role": role}
        for volume in engine.volumes.list_owned(wanted):
            size = usage.volume_bytes.get(volume.name) if usage else None
            yield ImageLine(
                ref=volume.name,
                engine=engine.name,
                kind=role,
                size_bytes=size,
                own_bytes=size,
                project=projects.get(volume.labels.get(f"{OWN}.project", "")),
            )
