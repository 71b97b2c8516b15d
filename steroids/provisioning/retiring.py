"""Which runner images have had their time."""

import contextlib
from collections.abc import Iterable
from datetime import timedelta

from steroids.engines.base import Engine
from steroids.engines.images import Image
from steroids.errors import EngineError
from steroids.store.columns import utc_now

LABEL = "io.steroids.image"
RUNNER = "localhost/steroids/runner"
LATEST = f"{RUNNER}:latest"
"""The newest one that is not made from a user's own image."""
MADE_FROM = f"{LABEL}.from"
"""On a snapshot: the id of the runner image that it was made from."""
KEPT = 3
"""How many of the newest stay, whoever uses them."""
YOUNG = timedelta(days=1)
"""What somebody else has just made on this engine is not taken away by a build."""


def retire(engine: Engine) -> None:
    """Remove what is old, once a newer one is there; an engine that refuses keeps it."""
    with contextlib.suppress(EngineError):
        for image in old_runner_images(engine, KEPT):
            if utc_now() - image.created_at > YOUNG:
                remove(engine, image)


def old_runner_images(engine: Engine, keep: int, used: Iterable[str] = ()) -> list[Image]:
    """Those but the newest `keep`, those that a snapshot is made from, and the ids in `used`.

    One whose name another one got is old.
    """
    runners = engine.images.list({LABEL: "runner"})
    snapshots = engine.images.list({LABEL: "snapshot"})
    needed = {*used, *(each.labels.get(MADE_FROM, "") for each in snapshots)}
    newest = [image.id for image in runners if image.refs][:keep]
    return [
        image
        for image in runners
        if image.id not in (*needed, *newest) and LATEST not in image.refs
    ]


def remove(engine: Engine, image: Image) -> None:
    """All its names, and with them the image. Raises `EngineError` when it is in use.

    By its names: without them it may still be what others are built on, and is kept as that.
    """
    for ref in image.refs or (image.id,):
        engine.images.remove(ref)
