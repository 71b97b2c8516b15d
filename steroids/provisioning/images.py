"""The image that runners start from: found, or built on the first base that there is."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from steroids import proc
from steroids.engines.base import Engine
from steroids.engines.images import Image
from steroids.home import ensure_home
from steroids.provisioning.base_image import Base, bootstrapped_base, find_base, local_base
from steroids.provisioning.bootstrap import only_one
from steroids.provisioning.ca_bundle import find_ca_bundle
from steroids.provisioning.context import Context, digest, runner_context, write_context

LABEL = "io.steroids.image"
RUNNER = "localhost/steroids/runner"
LATEST = f"{RUNNER}:latest"
"""The newest one that is not made from a user's own image."""
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ImageSettings:
    """What the user said about images."""

    base: str | None = None
    """Built on instead of Debian 13."""
    bootstrap: bool = False
    """Make the base from Debian's packages, whatever is there."""
    ca_bundle: Path | None = None
    from_image: str | None = None
    """The user's own development image; goes before `base`."""


def ensure_runner_image(
    engine: Engine, settings: ImageSettings, *, progress: Progress, rebuild: bool = False
) -> Image:
    """The runner image for these settings, built when it is missing; a few ms when it is not.

    Of several callers one builds and the others wait. `rebuild` builds it anyway, with newer
    packages. An engine that builds no images has one, whatever the settings. Raises `BadConfig`
    for a CA bundle that is none, `EngineError` when there is no base or the build fails
    (`details["tail"]`), `EngineUnavailable`.
    """
    if not engine.capabilities().builds_images:
        return _built_in(engine)
    ca_bundle = find_ca_bundle(os.environ, settings.ca_bundle)
    context = runner_context(ca_bundle)
    named = settings.from_image or settings.base
    if not rebuild and not settings.bootstrap:
        image = _existing(engine, context, local_base(engine, named))
        if image is not None:
            return image
    cache = ensure_home() / "cache"
    cache.mkdir(exist_ok=True)
    with only_one(cache / f"runner-image-{engine.name}.lock"):
        if settings.bootstrap:
            base = bootstrapped_base(engine, cache, progress)
        else:
            base = find_base(engine, named, cache, progress)
        image = None if rebuild else _existing(engine, context, base)
        if image is None:
            if ca_bundle is not None:
                progress(f"Containers will trust what {ca_bundle} says")
            image = _build(engine, context, base, progress, rebuild=rebuild)
            if settings.from_image is None:
                name_also(engine, f"{RUNNER}:{_key(context, base)}", LATEST)
    return image


def _built_in(engine: Engine) -> Image:
    image = engine.images.find(LATEST)
    assert image is not None, "that is what building no images means"
    return image


def _existing(engine: Engine, context: Context, base: Base | None) -> Image | None:
    return engine.images.find(f"{RUNNER}:{_key(context, base)}") if base is not None else None


def _key(context: Context, base: Base) -> str:
    return digest(context, base.image.id)


def _build(
    engine: Engine, context: Context, base: Base, progress: Progress, *, rebuild: bool
) -> Image:
    key = _key(context, base)
    args = {"BASE": base.ref, "REBUILD": str(time.time_ns()) if rebuild else ""}
    args |= {"NPM_REGISTRY": _npm_registry(), **_proxies()}
    labels = {LABEL: "runner", f"{LABEL}.key": key}
    with tempfile.TemporaryDirectory(prefix="steroids-image-") as folder:
        write_context(context, Path(folder))
        return engine.images.build(
            Path(folder), f"{RUNNER}:{key}", args=args, labels=labels, progress=progress
        )


def name_also(engine: Engine, ref: str, further: str) -> None:
    """Give an image one more name: a build without a step is just that, on both engines."""
    with tempfile.TemporaryDirectory(prefix="steroids-image-") as folder:
        write_context({"Dockerfile": f"FROM {ref}\n".encode()}, Path(folder))
        engine.images.build(Path(folder), further, args={}, labels={}, progress=_silent)


def _silent(line: str) -> None:
    """For what is nothing to show."""


def _npm_registry() -> str:
    """Where the host's npm gets its packages; none: the image has Debian's npm.

    Not one with a password in it, which would stay in the image's history.
    """
    if shutil.which("npm") is None:
        return ""
    done = proc.run(["npm", "config", "get", "registry"], cwd="/", timeout_s=60)
    return done.out if done.ok and done.out.startswith("http") and "@" not in done.out else ""


def _proxies() -> Mapping[str, str]:
    """The host's proxies, under the names that builders pass on without being asked."""
    found = {}
    for name in _PROXIES:
        value = os.environ.get(name) or os.environ.get(name.upper())
        if value:
            found[name] = found[name.upper()] = value
    return found
