"""The image of a managed database server: the one named, or built on the runner image's base."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from steroids.engines.images import Image
from steroids.errors import ImageMissing
from steroids.provisioning.base_image import find_base
from steroids.provisioning.bootstrap import only_one
from steroids.provisioning.ca_bundle import find_ca_bundle
from steroids.provisioning.context import Context, digest, images_dir, write_context
from steroids.provisioning.images import LABEL
from steroids.provisioning.proxies import find_proxies
from steroids.provisioning.site import Site


def ensure(site: Site, kind: str, progress: Callable[[str], None]) -> Image:
    """The image that the settings want, pulled or built when the engine does not have it.

    Raises `ImageMissing` when the one named is nowhere, `BadConfig` for a CA bundle that is none,
    `EngineError` when there is no base or the build fails.
    """
    named = site.settings.database.image
    if named is not None:
        return _named(site, named, progress)
    ca_bundle = find_ca_bundle(os.environ, site.settings.ca_bundle)
    context = _context(kind, ca_bundle)
    cache = site.home / "cache"
    cache.mkdir(mode=0o700, exist_ok=True)
    with only_one(cache / f"{kind}-image-{site.engine.name}.lock"):
        lines: list[str] = []
        base = find_base(site.engine, site.settings.base_image, cache, lines.append)
        key = digest(context, base.image.id)
        ref = f"localhost/steroids/{kind}:{key}"
        found = site.engine.images.find(ref)
        if found is not None:
            return found
        for line in (*lines, f"Building the image of the {kind} server"):
            progress(line)
        proxies = find_proxies(os.environ, site.settings.proxy)
        with tempfile.TemporaryDirectory(prefix="steroids-image-") as folder:
            write_context(context, Path(folder))
            return site.engine.images.build(
                Path(folder),
                ref,
                args={"BASE": base.ref, **proxies.variables},
                labels={LABEL: kind, f"{LABEL}.key": key},
                progress=progress,
            )


def _named(site: Site, ref: str, progress: Callable[[str], None]) -> Image:
    found = site.engine.images.find(ref)
    if found is not None:
        return found
    progress(f"Pulling {ref}")
    try:
        return site.engine.images.pull(ref, progress=progress)
    except ImageMissing as missing:
        raise ImageMissing(
            f"{missing.message.rstrip('.')}: the database server's image (database.image)",
            hint=f"{site.engine.name} pull {ref}   # or leave database.image out",
        ) from None


def _context(kind: str, ca_bundle: Path | None) -> Context:
    recipe = images_dir() / kind
    files = {path.name: path.read_bytes() for path in sorted(recipe.iterdir()) if path.is_file()}
    files.pop("README.md", None)
    files["apt.sh"] = (images_dir() / "runner" / "setup" / "apt.sh").read_bytes()
    return {**files, "ca/host.pem": ca_bundle.read_bytes() if ca_bundle else b""}
