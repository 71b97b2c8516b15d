"""The images of this host's engines that are ours."""

from collections.abc import Callable
from pathlib import Path

from steroids.engines.base import Engine
from steroids.engines.images import Image
from steroids.errors import SteroidsError
from steroids.provisioning.images import ImageSettings, ensure_runner_image
from steroids.provisioning.site import LABEL
from steroids.services.host import Host
from steroids.wire.daemon import ImageLine, ImagesBuild

KINDS = ("base", "runner", "snapshot")


def build(host: Host, body: ImagesBuild, progress: Callable[[str], None]) -> ImageLine:
    """Build the runner image anew. Raises `BadConfig`, `EngineError`."""
    settings = host.settings(None)
    engine = host.engine(body.engine or settings.engine)
    image = ensure_runner_image(
        engine,
        ImageSettings(
            base=body.base or settings.base_image,
            bootstrap=body.bootstrap,
            ca_bundle=Path(body.ca_bundle) if body.ca_bundle else settings.ca_bundle,
            from_image=body.from_image or settings.image,
        ),
        progress=progress,
        rebuild=body.rebuild,
    )
    return _wire(engine, "runner", image, {})


def listing(host: Host, engine: str | None) -> list[ImageLine]:
    """All engines' (or one's) images, newest first."""
    names = [engine] if engine else ["docker", "podman"]
    engines: dict[str, Engine] = {}
    for name in names:
        try:
            found = host.engine(name)
        except SteroidsError:
            if engine is not None:
                raise
            continue
        engines[found.name] = found
    projects = {row.id: row.name for row in host.projects()}
    lines = [
        _wire(found, kind, image, projects)
        for found in engines.values()
        for kind in KINDS
        for image in found.images.list({f"{LABEL}.image": kind})
    ]
    return sorted(lines, key=lambda line: line.created_at, reverse=True)


def _wire(engine: Engine, kind: str, image: Image, projects: dict[str, str]) -> ImageLine:
    refs = [ref for ref in image.refs if not ref.endswith(":latest")] or list(image.refs)
    return ImageLine(
        ref=refs[0] if refs else image.id,
        engine=engine.name,
        kind=kind,
        size_bytes=image.size_bytes,
        created_at=image.created_at,
        project=projects.get(image.labels.get(f"{LABEL}.project", "")),
    )
