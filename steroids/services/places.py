"""From a project and an engine to a place where its containers can be started."""

import os
from collections.abc import Callable
from dataclasses import replace

from steroids.engines.base import Engine
from steroids.engines.images import Image
from steroids.provisioning import snapshot
from steroids.provisioning.checkout import checkout
from steroids.provisioning.databases.managed import ALIAS
from steroids.provisioning.images import ensure_runner_image, image_settings
from steroids.provisioning.proxies import find_proxies
from steroids.provisioning.setup import setup_at
from steroids.provisioning.site import Site
from steroids.provisioning.snapshot import Snapshot, Want
from steroids.services import builds, devcontainers, parts
from steroids.services.host import Host, OpenProject
from steroids.settings import Settings
from steroids.store import home_models as home
from steroids.store import project_models as db


def site(host: Host, project: OpenProject, engine: Engine, section: db.Section | None) -> Site:
    """Where containers of that section (none: of the project) are started."""
    settings = settings_for(host, project, section)
    with project.store.read() as session:
        alone = bool(builds.resources(session, None, engine.name, settings))
        reads = parts.read_by(session, section) if section and settings.sparse else None
    return Site(
        store=host.store,
        home=host.path,
        controller=host.id,
        engine=engine,
        settings=settings,
        alone=alone,
        project_id=project.id,
        project=project.name,
        section=section.name if section else None,
        reads=None if reads and parts.is_for_all(host, project) else reads,
    )


def site_of(host: Host, project: OpenProject, runner: home.Runner) -> Site:
    """Where that runner is; one for all sections is where the section of its task is."""
    with project.store.read() as session:
        task = session.get(db.Task, runner.task_id) if runner.task_id else None
        section_id = runner.section_id or (task.section_id if task is not None else None)
        section = session.get(db.Section, section_id) if section_id is not None else None
    return site(host, project, host.engine(runner.engine_address), section)


def settings_for(host: Host, project: OpenProject, section: db.Section | None) -> Settings:
    """What a section says itself goes before the project's settings, these before its dev
    container, if that is the image, and that before the host's proxies.

    Raises `BadConfig` when the dev container or a proxy is none.
    """
    settings = host.settings(project)
    if section is not None:
        own = {"setup": section.setup, "image": section.image}
        given = {name: value for name, value in own.items() if value is not None}
        settings = settings.model_copy(update=given)
    settings = devcontainers.applied(project, settings)
    proxies = find_proxies(os.environ, settings.proxy, (ALIAS,))
    return settings.model_copy(update={"env": {**proxies.variables, **settings.env}})


def runner_image(host: Host, place: Site, progress: Callable[[str], None]) -> Image:
    """The image that runners there come from; built when it is missing."""
    settings = image_settings(place.settings)
    if settings.from_image and devcontainers.is_meant(settings.from_image):
        project = host.project(place.project_id)
        image, user = devcontainers.image_of(
            host, project, place.engine, settings.from_image, settings.proxies, progress
        )
        settings = replace(settings, from_image=image, user=user)
    return ensure_runner_image(place.engine, settings, progress=progress)


def snapshot_for(
    project: OpenProject,
    place: Site,
    commit: str,
    image: Image,
    want: Want | None = None,
) -> Snapshot:
    """The snapshot of this commit on this runner image; made when there is none."""
    made = checkout(project.mirror, commit, place.settings, place.reads)
    setup = setup_at(project.mirror, commit, place.settings.setup)
    return snapshot.ensure(place, image, setup, commit, made.sparse, want)
