"""From a project and an engine to a place where its containers can be started."""

from collections.abc import Callable

from steroids.engines.base import Engine
from steroids.engines.images import Image
from steroids.provisioning import snapshot
from steroids.provisioning.container import Site
from steroids.provisioning.images import ImageSettings, ensure_runner_image
from steroids.provisioning.setup import setup_at
from steroids.provisioning.snapshot import Snapshot
from steroids.services.host import Host, OpenProject


def site(host: Host, project: OpenProject, engine: Engine) -> Site:
    return Site(
        store=host.store,
        home=host.path,
        controller=host.id,
        engine=engine,
        settings=host.settings(project),
        project_id=project.id,
        project=project.name,
    )


def runner_image(host: Host, place: Site, progress: Callable[[str], None]) -> Image:
    """The image that all of this host's runners come from; built when it is missing."""
    settings = ImageSettings(
        base=place.settings.base_image,
        bootstrap=False,
        ca_bundle=place.settings.ca_bundle,
        from_image=place.settings.image,
    )
    return ensure_runner_image(place.engine, settings, progress=progress)


def snapshot_for(
    project: OpenProject,
    place: Site,
    commit: str,
    image: Image,
) -> Snapshot:
    """The snapshot of this commit on this runner image; made when there is none."""
    setup = setup_at(project.mirror, commit, place.settings.setup)
    return snapshot.ensure(place, image, setup, commit)
