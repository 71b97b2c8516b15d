"""The image that runners start from: found, or built on the first base that there is."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from steroids import proc
from steroids.engines.base import Engine
from steroids.engines.images import Image
from steroids.errors import EngineError, EngineUnavailable
from steroids.home import ensure_home
from steroids.provisioning import retiring
from steroids.provisioning.base_image import Base, bootstrapped_base, find_base, local_base
from steroids.provisioning.bootstrap import only_one
from steroids.provisioning.build_steps import BuildSteps
from steroids.provisioning.ca_bundle import find_ca_bundle
from steroids.provisioning.context import Context, digest, runner_context, write_context
from steroids.provisioning.proxies import Proxies, find_proxies
from steroids.provisioning.retiring import LABEL, LATEST, RUNNER
from steroids.settings import Settings

__all__ = ["LABEL", "LATEST", "RUNNER", "ImageSettings", "ensure_runner_image", "name_also"]

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
    packages: tuple[str, ...] = ()
    """Debian's, besides what every runner image has."""
    user: str | None = None
    """The user of `from_image` that becomes `agent`; none: the one that the image itself names."""
    proxies: Proxies = field(default_factory=lambda: Proxies({}))


def image_settings(settings: Settings) -> ImageSettings:
    """What the settings say about images. Raises `BadConfig` for a proxy that is none."""
    return ImageSettings(
        base=settings.base_image,
        ca_bundle=settings.ca_bundle,
        from_image=settings.image,
        packages=tuple(dict.fromkeys(settings.packages)),
        proxies=find_proxies(os.environ, settings.proxy),
    )


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
        image = present_runner_image(engine, settings)
        if image is not None:
            return image
    cache = ensure_home() / "cache"
    cache.mkdir(exist_ok=True)
    with only_one(cache / f"runner-image-{engine.name}.lock"):
        if settings.bootstrap:
            base = bootstrapped_base(engine, cache, progress)
        else:
            base = find_base(engine, named, cache, progress)
        image = None if rebuild else _existing(engine, context, base, settings)
        if image is None:
            if ca_bundle is not None:
                progress(f"Containers will trust what {ca_bundle} says")
            if settings.proxies.left_out:
                progress(settings.proxies.left_out)
            try:
                image = _build(engine, context, base, settings, progress, rebuild=rebuild)
            except EngineUnavailable:
                raise
            except EngineError as error:
                # It may well be why nothing could be downloaded.
                if settings.proxies.left_out:
                    error.message += f". {settings.proxies.left_out}"
                raise
            if settings.from_image is None:
                name_also(engine, f"{RUNNER}:{_key(context, base, settings)}", LATEST)
            retiring.retire(engine)
    return image


def present_runner_image(engine: Engine, settings: ImageSettings) -> Image | None:
    """The runner image for these settings if it is there; nothing is built. Raises `BadConfig`."""
    context = runner_context(find_ca_bundle(os.environ, settings.ca_bundle))
    base = local_base(engine, settings.from_image or settings.base)
    return _existing(engine, context, base, settings)


def _built_in(engine: Engine) -> Image:
    image = engine.images.find(LATEST)
    assert image is not None, "that is what building no images means"
    return image


def _existing(
    engine: Engine, context: Context, base: Base | None, settings: ImageSettings
) -> Image | None:
    if base is None:
        return None
    return engine.images.find(f"{RUNNER}:{_key(context, base, settings)}")


def _key(context: Context, base: Base, settings: ImageSettings) -> str:
    return digest(context, base.image.id, _user(base, settings), *settings.packages)


def _user(base: Base, settings: ImageSettings) -> str:
    """Whom the base was made for, if anybody but root."""
    found = settings.user or _of_devcontainer(base.image) or base.image.user
    user = found.partition(":")[0]
    return "" if user in ("root", "0") else user


def _of_devcontainer(image: Image) -> str:
    """What an image that was built for dev containers says about its user: the last word counts."""
    try:
        facts = json.loads(image.labels.get("devcontainer.metadata") or "[]")
    except ValueError:
        return ""
    entries = [each for each in (facts if isinstance(facts, list) else [facts]) if each]
    for name in ("remoteUser", "containerUser"):
        for entry in reversed(entries):
            if isinstance(entry, dict) and isinstance(entry.get(name), str):
                return str(entry[name])
    return ""


def _build(
    engine: Engine,
    context: Context,
    base: Base,
    settings: ImageSettings,
    progress: Progress,
    *,
    rebuild: bool,
) -> Image:
    key = _key(context, base, settings)
    args = {"BASE": base.ref, "REBUILD": str(time.time_ns()) if rebuild else ""}
    args |= {"NPM_REGISTRY": _npm_registry(), "AGENT_USER": _user(base, settings)}
    args |= {"PACKAGES": " ".join(settings.packages), **settings.proxies.variables}
    labels = {LABEL: "runner", f"{LABEL}.key": key}
    log = ensure_home() / "logs" / f"image-{key}.log"
    with (
        tempfile.TemporaryDirectory(prefix="steroids-image-") as folder,
        BuildSteps(log, progress) as steps,
    ):
        write_context(context, Path(folder))
        return engine.images.build(
            Path(folder), f"{RUNNER}:{key}", args=args, labels=labels, progress=steps.line
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
