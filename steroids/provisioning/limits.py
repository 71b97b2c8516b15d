"""Which limits a runner's container is started with."""

from dataclasses import dataclass

from steroids.engines.spec import Capabilities
from steroids.setting_groups import UNLIMITED, Runners
from steroids.wire.size import parse

LEAST_SHARE_BYTES = 2 << 30
"""A share of the memory is never less, as far as there is that much: a build would not fit."""


@dataclass(frozen=True)
class Asked:
    """None: no limit."""

    memory_bytes: int | None
    cpus: float | None
    pids: int | None
    disk_bytes: int | None


def asked(settings: Runners, engine: Capabilities) -> Asked:
    """What the settings want on this engine. Where nothing is isolated, a share of the memory is
    nobody's wish: only what was given as a number is."""
    return Asked(
        memory_bytes=_memory(settings.memory, engine.memory_bytes),
        cpus=settings.cpus,
        pids=settings.pids,
        disk_bytes=parse(settings.disk) if settings.disk is not None else None,
    )


def _memory(setting: str, all_bytes: int | None) -> int | None:
    if setting == UNLIMITED:
        return None
    if not setting.endswith("%"):
        return parse(setting)
    if all_bytes is None:
        return None
    share = all_bytes * int(setting[:-1]) // 100
    return max(share, min(LEAST_SHARE_BYTES, all_bytes))
