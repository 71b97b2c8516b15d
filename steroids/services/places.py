"""From a project and an engine to a place where its containers can be started."""

from collections.abc import Callable

from steroids.engines.base import Engine
from steroids.engines.images import Image
from steroids.provisioning import snapshot
from steroids.provisioning.images import ImageSettings, ensure_runner_image
from steroids.provisioning.setup import setup_at
from steroids.provisioning.site import Site
from steroids.provisioning.snapshot import Snapshot
from steroids.services import builds
from steroids.services.host import Host, OpenProject
from steroids.settings import Settings
from steroids.store import project_models as db


def site(host: Host, project: OpenProject, engine: Engine, section: db.Section | None) -> Site:
    """Where containers of that section (none: of the project) are started."""
    settings = settings_for(host, project, section)
    with project.store.read() as session:
        alone = bool(builds.resources(session, None, engine.name, settings))
    return Site(
        store=host.store,
        home=host.path,
        controller=host.id,
        engine=engine,
        settings=settings,
        alone=alone,
        project_id=project.id,
        project=project.name,
    )


def settings_for(host: Host, project: OpenProject, section: db.Section | None) -> Settings:
    """What a section says itself goes before the project's settings."""
    settings = host.settings(project)
    if section is None:
        return settings
    own = {"setup": section.setup, "image": section.image}
    given = {name: value for name, value in own.items() if value is not None}
    return settings.model_copy(update=given)


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
