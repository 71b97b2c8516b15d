"""The image that the runner image is built on: named, else local, else pulled, else made."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from steroids.engines.base import Engine
from steroids.engines.images import Image
from steroids.errors import EngineError, ImageMissing
from steroids.provisioning.bootstrap import base_rootfs, bootstrapper

MADE = "localhost/steroids/base:latest"
# In full: Podman asks which registry a short name means.
PUBLIC = "docker.io/library/debian:trixie-slim"


@dataclass(frozen=True)
class Base:
    ref: str
    image: Image


def local_base(engine: Engine, named: str | None) -> Base | None:
    """The named one, or without a name a usual one, if the engine has it already."""
    for ref in (named,) if named else (MADE, PUBLIC):
        image = engine.images.find(ref)
        if image is not None:
            return Base(ref, image)
    return None


def find_base(
    engine: Engine, named: str | None, cache: Path, progress: Callable[[str], None]
) -> Base:
    """A base that the engine has when this returns; says through `progress` which it took.

    Raises `ImageMissing` when the named one is nowhere, `EngineError` when there is no way to any.
    """
    base = local_base(engine, named)
    if base is not None:
        progress(f"Base: {base.ref}, which {engine.name} has")
        return base
    ref = named or PUBLIC
    progress(f"Pulling {ref}")
    try:
        base = Base(ref, engine.images.pull(ref, progress=progress))
    except ImageMissing as missing:
        if named:
            raise ImageMissing(
                missing.message, hint=f"{engine.name} pull {named}   # or another --base"
            ) from None
        if bootstrapper() is None:
            raise EngineError(
                f"There is no base image ({missing.message.rstrip('.')}), and none can be made "
                "here: neither mmdebstrap nor debootstrap can be run",
                hint="sudo apt-get install mmdebstrap uidmap && steroids images build --bootstrap",
            ) from None
        progress(missing.message)
        return bootstrapped_base(engine, cache, progress)
    progress(f"Base: {ref}, pulled")
    return base


def bootstrapped_base(engine: Engine, cache: Path, progress: Callable[[str], None]) -> Base:
    """Make it from Debian's packages, whatever else there is. Raises `EngineError`."""
    image = engine.images.load_rootfs(base_rootfs(cache, progress), MADE)
    progress(f"Base: {MADE}, made from Debian's packages")
    return Base(MADE, image)
