"""Which snapshots and runner images somebody would want at the next start."""

import contextlib
from collections.abc import Iterator

from sqlmodel import select

from steroids.engines.base import Engine
from steroids.engines.images import Image
from steroids.errors import SteroidsError
from steroids.provisioning import snapshot
from steroids.provisioning.checkout import checkout
from steroids.provisioning.images import image_settings, present_runner_image
from steroids.provisioning.retiring import LABEL, MADE_FROM
from steroids.provisioning.setup import setup_at
from steroids.provisioning.site import LABEL as OWN
from steroids.provisioning.site import Site
from steroids.services import devcontainers, places
from steroids.services.host import Host, OpenProject
from steroids.store import project_models as db
from steroids.wire.images import Prune


def of_project(host: Host, engine: Engine, project_id: str, asked: Prune) -> list[Image]:
    """The snapshots that are to go: but the newest few, and those that a start would take now."""
    mine = {LABEL: "snapshot", f"{OWN}.project": project_id}
    found = engine.images.list(mine)
    if asked.all or not found:
        return found
    wanted = set(_wanted(host, engine, project_id))
    keep = asked.keep
    if keep is None:
        keep = host.settings(_opened(host, project_id)).snapshots.keep
    return [image for image in found[keep:] if not wanted & set(image.refs)]


def runner_images(host: Host, engine: Engine) -> set[str]:
    """Ids of the runner images that the settings of this home mean, as far as they are there."""
    found = set()
    with contextlib.suppress(SteroidsError):
        settings = image_settings(host.settings(None))
        if not devcontainers.is_meant(settings.from_image):
            image = present_runner_image(engine, settings)
            found |= {image.id} if image else set()
    for row in host.projects():
        for place in _places(host, engine, row.id):
            with contextlib.suppress(SteroidsError):
                image = _present(place)
                found |= {image.id} if image else set()
    return found


def _wanted(host: Host, engine: Engine, project_id: str) -> Iterator[str]:
    """Names of the snapshots that runners of the project and its sections start from now."""
    project = _opened(host, project_id)
    if project is None or project.known.tip is None:
        return
    for place in _places(host, engine, project_id):
        with contextlib.suppress(SteroidsError):
            image = _present(place)
            if image is not None:
                commit = project.known.tip
                made = checkout(project.mirror, commit, place.settings, place.reads)
                setup = setup_at(project.mirror, commit, place.settings.setup)
                yield snapshot.reference(place, image, setup, made.sparse)[0]


def _present(place: Site) -> Image | None:
    """The runner image of that place, if it is there. One on a dev container is known by the
    snapshots that are made from it."""
    settings = image_settings(place.settings)
    if devcontainers.is_meant(settings.from_image):
        mine = {LABEL: "snapshot", f"{OWN}.project": place.project_id}
        newest = next(iter(place.engine.images.list(mine)), None)
        made_from = newest.labels.get(MADE_FROM) if newest else None
        return place.engine.images.find(made_from) if made_from else None
    return present_runner_image(place.engine, settings)


def _places(host: Host, engine: Engine, project_id: str) -> Iterator[Site]:
    """Of the project, and of those sections that have something of their own."""
    project = _opened(host, project_id)
    if project is None:
        return
    with project.store.read() as session:
        sections = list(session.exec(select(db.Section)))
    sparse = host.settings(project).sparse
    own = [each for each in sections if sparse or each.image is not None or each.setup is not None]
    for section in (None, *own):
        with contextlib.suppress(SteroidsError):
            yield places.site(host, project, engine, section)


def _opened(host: Host, project_id: str) -> OpenProject | None:
    with contextlib.suppress(SteroidsError):
        return host.project(project_id)
    return None
