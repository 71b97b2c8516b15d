"""How a runner's container is put together: what it may, what it sees, what it knows."""

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from steroids.engines.base import Engine
from steroids.engines.networks import Network
from steroids.engines.spec import NO_NETWORK, ContainerSpec, File, Handle, Mount
from steroids.engines.subnets import POOL
from steroids.provisioning import caches, networks
from steroids.provisioning.limits import asked
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
TO_BEGIN_WITH = ("NET_ADMIN", "SETPCAP")
"""What it has until its network is secluded: the first thing it does (`runner/seclusion.py`)."""
UNREACHABLE = "STEROIDS_UNREACHABLE"
"""Names the subnets from which it secludes itself."""


def start(
    site: Site,
    runner: Runner,
    token: str,
    image: str,
    network: Network | None,
    ports: Sequence[int] = (),
) -> Handle:
    """Start the runner's container on its network (`networks.ensure`), with these ports published.

    Idempotent; raises what `Engine.start` raises.
    """
    folder = socket_folder(site.home, runner.id)
    folder.mkdir(parents=True, exist_ok=True)
    ours = _root_is_us(site)
    # Not by mkdir's mode, which the umask cuts. Where root inside is another user than we are, it
    # must get in as one of the others do, and `agent` with it: the token is what it has not.
    folder.chmod(0o700 if ours else 0o711)
    link_socket(site.home, runner.id)
    limits = asked(site.settings.runners, site.what)
    spec = ContainerSpec(
        name=f"steroids-{runner.role}-{runner.id[:12]}",
        image=image,
        labels=labels(site.controller, runner),
        # It may be `agent`'s own there, who would put a socket of its own in our place, and be told
        # the token. Else root inside removes the token from it, and `agent` never gets in.
        mounts=(Mount(str(folder), SOCKET_FOLDER, read_only=not ours),),
        volumes=caches.mounts(site, runner),
        files=_hand_over(site, folder, token),
        network=network.name if network else _no_network(site),
        ports=tuple(ports),
        capabilities=(*CAPABILITIES, *(TO_BEGIN_WITH if network else ())),
        # Said in any case: a snapshot has the environment of the container it was made of.
        env={UNREACHABLE: str(POOL) if network else ""},
        memory_bytes=limits.memory_bytes,
        cpus=limits.cpus,
        pids=limits.pids,
        disk_bytes=limits.disk_bytes,
    )
    return site.engine.start(spec)


def remove(engine: Engine, handle: Handle, runner_id: str) -> None:
    """Remove a runner's container, and then its network. Gone already: fine.

    Raises what `Engine.remove` raises; a network that stays is swept later.
    """
    engine.remove(handle)
    networks.release(engine, runner_id)


def _no_network(site: Site) -> str | None:
    return NO_NETWORK if site.settings.network == NO_NETWORK else None


def _root_is_us(site: Site) -> bool:
    """Whether root inside is this very user; not so for one in the group `docker`."""
    return os.getuid() == 0 or site.what.rootless or not site.what.isolated


def _hand_over(site: Site, folder: Path, token: str) -> tuple[File, ...]:
    """The token for root inside, and for nobody else inside.

    Into the socket folder, when root inside is this very user. Else (a user in the group `docker`)
    that folder's owner may have the same uid as `agent`: then into the container itself, which
    costs a call to the engine.
    """
    if not _root_is_us(site):
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
