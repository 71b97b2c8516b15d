"""From a `ContainerSpec` to a local container's folder."""

import contextlib
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from steroids.engines.container_create import digest
from steroids.engines.local_container import FACTS, HOME, ROOT, Container, Facts
from steroids.engines.local_folders import Folders, copy_tree, put
from steroids.engines.local_images import LocalImages
from steroids.engines.local_process import MARK
from steroids.engines.spec import ContainerSpec, File
from steroids.errors import EngineError, ImageMissing

_PASSED_ON = (
    "PATH",
    "LANG",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
)
"""Of the controller's environment. Not HOME: no settings or keys of the user are picked up."""


def create(folders: Folders, images: LocalImages, spec: ContainerSpec) -> Container:
    """Make the container, which does not run yet. To be called with its name locked.

    Raises `ImageMissing`, `EngineError`; nothing is left then.
    """
    for mount in spec.mounts:
        if not Path(mount.source).exists():
            raise EngineError(
                f"The local engine could not start {spec.name}: "
                f"there is no {mount.source} to mount",
                hint=f"mkdir -p {mount.source}",
            )
    if spec.volumes:
        raise EngineError(
            f"The local engine could not start {spec.name}: it has no volumes",
            hint="steroids up --engine auto",
        )
    image_id, files, command = images.root_of(spec.image)
    container = Container(folders.containers / secrets.token_hex(32))
    with folders.half_made() as half:
        _copy(images, spec.image, files, half / "root")
        for mount in spec.mounts:
            _link(half / "root" / mount.target.lstrip("/"), mount.source)
        facts = Facts(
            id=container.id,
            name=spec.name,
            image=image_id,
            spec=digest(spec),
            labels=dict(spec.labels),
            argv=list(spec.command) or command,
            env=_environment(container, spec.env),
            mounts=[mount.target for mount in spec.mounts],
            ports=list(spec.ports),
        )
        put(half / FACTS, asdict(facts))
        half.rename(container.folder)
    return container


def put_files(container: Container, files: Sequence[File]) -> None:
    """In place of what is there; never open to others in between, whatever the umask says."""
    for file in files:
        path = container.path(file.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as target:
            target.write(file.content)
            os.fchmod(target.fileno(), file.mode)


def _copy(images: LocalImages, ref: str, files: Path, target: Path) -> None:
    try:
        copy_tree(files, target)
    except EngineError:
        # Removed by somebody while it was read.
        if images.find(ref) is None:
            raise ImageMissing(f"There is no image {ref}", hint="steroids up") from None
        raise


def _link(place: Path, source: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        place.rmdir()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(source)


def _environment(container: Container, given: Mapping[str, str]) -> dict[str, str]:
    """All that the container's processes get."""
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    root = str(container.root)
    return {
        **env,
        "HOME": root + HOME,
        "TMPDIR": f"{root}/tmp",
        # An agent that loses its repository must not find one that the root happens to lie in.
        "GIT_CEILING_DIRECTORIES": root,
        ROOT: root,
        **given,
        MARK: container.id,
    }
