"""How a runner's container is put together: what it may, what it sees, what it knows."""

import contextlib
import os
import re
import shutil
from pathlib import Path

from steroids.engines.spec import NO_NETWORK, ContainerSpec, File, Handle, Mount
from steroids.provisioning import networks
from steroids.provisioning.site import Site, labels
from steroids.store.home_models import Runner

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


def start(site: Site, runner: Runner, token: str, image: str) -> Handle:
    """Start the runner's container. Idempotent; raises what `Engine.start` raises."""
    folder = socket_folder(site.home, runner.id)
    folder.mkdir(parents=True, exist_ok=True)
    # Not by mkdir's mode, which the umask cuts: root inside may be another user than we are.
    folder.chmod(0o711)
    link_socket(site.home, runner.id)
    limits = site.settings.runners
    network = networks.ensure(site, runner)
    spec = ContainerSpec(
        name=f"steroids-{runner.role}-{runner.id[:12]}",
        image=image,
        labels=labels(site.controller, runner),
        mounts=(Mount(str(folder), SOCKET_FOLDER),),
        files=_hand_over(site, folder, token),
        network=network.name if network else _no_network(site),
        capabilities=CAPABILITIES,
        memory_bytes=parse_size(limits.memory),
        cpus=limits.cpus,
        pids=limits.pids,
    )
    return site.engine.start(spec)


def _no_network(site: Site) -> str | None:
    return NO_NETWORK if site.settings.network == NO_NETWORK else None


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
