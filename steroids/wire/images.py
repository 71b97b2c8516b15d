"""What engines keep for Steroids: images, and volumes of caches and databases."""

from datetime import datetime

from steroids.wire.body import Body
from steroids.wire.error import ErrorBody


class ImageLine(Body):
    ref: str
    engine: str
    kind: str
    """base, devcontainer, runner, snapshot, a database server's; cache and database are volumes."""
    size_bytes: int | None
    """With what it shares with others. None: the engine does not say."""
    created_at: datetime | None = None
    project: str | None = None
    own_bytes: int | None = None
    """What only it has, and so what removing it frees, as far as the engine says."""
    containers: int | None = None
    """How many are made of it, running or not."""


class ImageLines(Body):
    images: list[ImageLine]


class ImagesBuild(Body):
    engine: str | None = None
    base: str | None = None
    bootstrap: bool = False
    ca_bundle: str | None = None
    from_image: str | None = None
    packages: list[str] = []
    """Besides those of the settings."""
    project: str | None = None
    """Path of the one whose dev container is meant."""
    rebuild: bool = False


class BuildLine(Body):
    """A line of a build's stream: one of the three."""

    progress: str | None = None
    image: ImageLine | None = None
    failure: ErrorBody | None = None


class Prune(Body):
    engine: str | None = None
    """None: all that can be found."""
    all: bool = False
    """Everything that no container uses, however new; caches too."""
    project: str | None = None
    """Path: only this one's snapshots."""
    keep: int | None = None
    """How many of a kind stay; none: as many as usually."""
    dry_run: bool = False
    everything: bool = False
    """Not only images: containers, networks, databases, what projects have left."""
    projects: list[str] = []
    """Ids of those that are to be forgotten, since their folders are gone."""


class PrunedLine(Body):
    what: str
    """For people, with its kind before it: `snapshot my-app:3f9c21`."""
    engine: str | None
    bytes: int | None = None
    """What it had for itself."""


class GoneProject(Body):
    """One whose folder is not there any more."""

    id: str
    name: str
    path: str


class Pruned(Body):
    removed: list[PrunedLine]
    """With `dry_run`: what would be."""
    freed_bytes: int | None
    """Of images and caches. At least: Podman does not say how much its own leavings were."""
    at_least: bool = False
    in_use: int = 0
    """How many would have gone, but containers are made of them."""
    gone_projects: list[GoneProject] = []
    """Left as they are, until they are named."""
