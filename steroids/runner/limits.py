"""What holds in this container, whatever the engine was asked for."""

import resource

from steroids.agents.cgroups import Cgroups
from steroids.wire.assignment import Limits


def found(groups: Cgroups | None = None) -> Limits:
    """As the kernel tells; see `wire.Limits`."""
    groups = groups or Cgroups()
    pids = [groups.pids(), _processes()]
    return Limits(
        memory_bytes=groups.memory_bytes(),
        cpus=groups.cpus(),
        pids=min((each for each in pids if each is not None), default=None),
    )


def _processes() -> int | None:
    """The limit of the user's processes, which it shares with its other containers."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    return soft if soft != resource.RLIM_INFINITY else None
