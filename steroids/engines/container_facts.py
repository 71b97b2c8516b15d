"""What Docker and Podman say about themselves: who they are, and which limits they keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from steroids.engines.container_wire import call

_QUOTAS = frozenset({"btrfs", "zfs"})
"""Storage drivers that can bound a container's own files. overlay can where its files are on xfs
that is mounted with `pquota`, which only a start tells."""

_CONTROLLERS = {"memory": "memory", "cpus": "cpu", "pids": "pids"}
"""A limit, and the cgroup controller that keeps it."""


@dataclass(frozen=True)
class Facts:
    """What does not change while an engine is there, but for a quota that it turns out to lack."""

    rootless: bool
    limits: frozenset[str]
    memory_bytes: int | None


def ask(client: Any, name: str) -> Facts:
    """Slow on Podman (0.2 s): to be kept. Raises what the SDK raises."""
    info = client.info()
    rootless = bool(info.get("Rootless")) or "name=rootless" in (info.get("SecurityOptions") or [])
    limits = _limits(info, rootless=rootless)
    if name == "podman" and rootless and limits:
        # The flags are those of the host; a user has the controllers that systemd hands down.
        limits &= _handed_down(client) | {"disk"}
    return Facts(rootless, limits, info.get("MemTotal") or None)


def _limits(info: Mapping[str, Any], *, rootless: bool) -> frozenset[str]:
    found = {"disk"} if _may_have_quotas(info) else set()
    # An ordinary user cannot write to cgroups of version 1. Podman then ignores limits silently.
    if not (rootless and str(info.get("CgroupVersion", "1")) == "1"):
        flags = {"memory": "MemoryLimit", "cpus": "CpuCfsQuota", "pids": "PidsLimit"}
        found |= {limit for limit, flag in flags.items() if info.get(flag)}
    return frozenset(found)


def _may_have_quotas(info: Mapping[str, Any]) -> bool:
    driver = str(info.get("Driver"))
    below = dict(info.get("DriverStatus") or []).get("Backing Filesystem")
    return driver in _QUOTAS or (driver in ("overlay", "overlay2") and below == "xfs")


def _handed_down(client: Any) -> frozenset[str]:
    response = client.get(f"{client.base_url}/v4.0.0/libpod/info", timeout=client.timeout)
    response.raise_for_status()
    has = response.json()["host"].get("cgroupControllers") or []
    return frozenset(limit for limit, needs in _CONTROLLERS.items() if needs in has)


def written(client: Any, container: str) -> int | None:
    """See `Engine.written`. Raises what the SDK raises, also when the container is gone."""
    # A count of all that was changed may take long, and nobody waits for it.
    response = call(
        client, "GET", f"/containers/{container}/json", params={"size": "1"}, timeout_s=600.0
    )
    size_bytes = response.json().get("SizeRw")
    return int(size_bytes) if size_bytes is not None else None
