"""The dev container of a project, where its image is to be that."""

import logging
import re
from collections.abc import Callable

from steroids.engines.base import Engine
from steroids.errors import BadConfig
from steroids.provisioning import devcontainer_image
from steroids.provisioning.devcontainer import NAME, Devcontainer
from steroids.provisioning.devcontainer_image import Maker
from steroids.provisioning.proxies import Proxies
from steroids.services import target
from steroids.services.events import say
from steroids.services.host import Host, OpenProject
from steroids.settings import Settings
from steroids.wire.event import EventKind

MAX_AGE_S = 5.0
log = logging.getLogger("steroids.devcontainers")
_PATTERN = re.compile(rf"{NAME}(?::([^@]+))?(?:@([0-9a-f]+))?")
_good: dict[tuple[str, str | None], str] = {}
"""The commit whose dev container could be read last, by project and name. One that is broken may
have landed while runners work, and must not keep their work from going on."""
_told: set[tuple[str, str]] = set()


def is_meant(image: str | None) -> bool:
    """Whether the setting names the repository's dev container."""
    return _PATTERN.fullmatch(image or "") is not None


def applied(project: OpenProject, settings: Settings) -> Settings:
    """The settings with what the dev container at the target says, below what the user says.

    `image` has the commit in it then, which `image_of` knows. Raises `BadConfig` when it cannot be
    read and never could.
    """
    asked = _PATTERN.fullmatch(settings.image or "")
    if asked is None:
        return settings
    commit, container = _read(project, asked[1])
    found = list(container.setup) or None
    named = f"{NAME}:{asked[1]}" if asked[1] else NAME
    return settings.model_copy(
        update={
            "image": f"{named}@{commit}",
            "env": {**container.env, **settings.env},
            "setup": found if settings.setup is None else settings.setup,
        }
    )


def image_of(
    host: Host,
    project: OpenProject,
    engine: Engine,
    image: str,
    proxies: Proxies,
    progress: Callable[[str], None],
    *,
    rebuild: bool = False,
) -> tuple[str, str | None]:
    """The image to make a runner's, built when it is missing, and whom its agents become.

    Says once what of the dev container is not done. `image` is what `applied` made of the setting.
    """
    asked = _PATTERN.fullmatch(image)
    assert asked is not None and asked[2], "`applied` has put the commit in"
    commit = asked[2]
    container = devcontainer_image.at(project.mirror.path, commit, asked[1])
    _tell(host, project, container, progress)
    maker = Maker(engine, project.mirror, commit, proxies.variables, progress, rebuild)
    return maker.image_of(container), container.user


def _read(project: OpenProject, name: str | None) -> tuple[str, Devcontainer]:
    commit = _tip(project)
    try:
        container = devcontainer_image.at(project.mirror.path, commit, name)
    except BadConfig as error:
        before = _good.get((project.id, name))
        if before is None:
            raise
        log.warning("%s: %s; the one at %s is used", project.name, error.message, before[:7])
        return before, devcontainer_image.at(project.mirror.path, before, name)
    _good[project.id, name] = commit
    return commit, container


def _tip(project: OpenProject) -> str:
    # Who starts a runner has just fetched; everybody else asks often.
    return project.known.tip or target.tip(project, MAX_AGE_S)


def _tell(
    host: Host, project: OpenProject, container: Devcontainer, progress: Callable[[str], None]
) -> None:
    if not container.notes:
        return
    text = f"{container.path}: left out: {'; '.join(container.notes)}"
    progress(text)
    if (project.id, text) not in _told:
        _told.add((project.id, text))
        say(host, project, EventKind.NOTICE, text)
