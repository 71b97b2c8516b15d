"""How a runner's container is put together: what it may, what it sees, what it knows."""

import contextlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from steroids.engines.base import Engine
from steroids.engines.spec import ContainerSpec, File, Handle, Mount
from steroids.settings import Settings
from steroids.store.home_models import Runner
from steroids.store.session import Store

SOCKET_FOLDER = "/run/steroids"
"""Where the controller's socket folder is inside."""
SOCKET_NAME = "controller.sock"
STATE_FOLDER = "/var/lib/steroids"
"""Readable by root inside only. Here or in the socket folder the runner finds its token, which it
reads and removes before it starts anything else."""
WORKSPACE = "/workspace"
AGENT = "agent"
COMMAND = ("/usr/local/bin/steroids-runner",)

CAPABILITIES = ("SETUID", "SETGID", "KILL")
"""What root inside keeps: to become `agent` and to signal what runs as it."""

LABEL = "io.steroids"


@dataclass(frozen=True)
class Site:
    """Where a container is started, and for whom."""

    store: Store
    """The home store, which knows all runners."""
    home: Path
    controller: str
    """Id of the controller's home, on every label."""
    engine: Engine
    settings: Settings
    project_id: str
    project: str
    alone: bool = False
    """Whether set-up has to ask for a turn: it uses what others use too."""


def labels(controller: str, runner: Runner) -> dict[str, str]:
    return {
        f"{LABEL}.controller": controller,
        f"{LABEL}.project": runner.project_id,
        f"{LABEL}.runner": runner.id,
        f"{LABEL}.role": runner.role,
        f"{LABEL}.section": runner.section_id or "",
    }


def owned_by(controller: str) -> dict[str, str]:
    """The label that all containers of one controller carry."""
    return {f"{LABEL}.controller": controller}


def start(site: Site, runner: Runner, token: str, image: str) -> Handle:
    """Start the runner's container. Idempotent; raises what `Engine.start` raises."""
    folder = socket_folder(site.home, runner.id)
    folder.mkdir(parents=True, exist_ok=True)
    # Not by mkdir's mode, which the umask cuts: root inside may be another user than we are.
    folder.chmod(0o711)
    link_socket(site.home, runner.id)
    limits = site.settings.runners
    spec = ContainerSpec(
        name=f"steroids-{runner.role}-{runner.id[:12]}",
        image=image,
        labels=labels(site.controller, runner),
        mounts=(Mount(str(folder), SOCKET_FOLDER),),
        files=_hand_over(site, folder, token),
        capabilities=CAPABILITIES,
        memory_bytes=parse_size(limits.memory),
        cpus=limits.cpus,
        pids=limits.pids,
    )
    return site.engine.start(spec)


def _hand_over(site: Site, folder: Path, token: str) -> tuple[File, ...]:
    """The token for root inside, and for nobody else inside.

    Into the socket folder, when root inside is this very user. Else (a user in the group `docker`)
    that folder's owner may have the same uid as `agent`: then into the container itself, which
    costs a call to the engine.
    """
    if os.getuid() != 0 and not site.engine.capabilities().rootless:
        return (File(f"{STATE_FOLDER}/token", token.encode(), 0o600),)
    path = folder / "token"
    path.touch(mode=0o600)
    path.write_text(token)
    return ()


def socket_folder(home: Path, runner_id: str) -> Path:
    return home / "runners" / runner_id


def runner_socket(home: Path) -> Path:
    """The controller's socket for runners; each runner's folder has a hard link to it."""
    return home / "runner.sock"


def link_socket(home: Path, runner_id: str) -> None:
    """Put the living controller's socket into a runner's folder, in place of an older one.

    A hard link is the same socket: one listener serves every runner, and yet each container sees
    a folder with nothing of the others in it.
    """
    folder = socket_folder(home, runner_id)
    fresh = folder / f".{SOCKET_NAME}.new"
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    os.link(runner_socket(home), fresh)
    fresh.replace(folder / SOCKET_NAME)


def forget(home: Path, runner_id: str) -> None:
    """Remove what the host keeps for a runner whose container is gone."""
    shutil.rmtree(socket_folder(home, runner_id), ignore_errors=True)


def parse_size(text: str | None) -> int | None:
    """`512m` in bytes."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)([kmgKMG]?)", text)
    assert match is not None, "the settings have checked it"
    return int(match[1]) << (10 * " kmg".index(match[2].lower() or " "))
