"""Ports of dev servers: declared per section, published for the runner that works on it."""

import socket
from collections.abc import Collection, Sequence
from itertools import count

from steroids.provisioning.site import Site

LOOPBACK = "127.0.0.1"


def published(site: Site, declared: Sequence[int], taken: Collection[int] = ()) -> tuple[int, ...]:
    """Those of the declared ports that are reached from outside, once the container runs.

    A container has all of them for itself, whatever others listen on. Without one (the engine
    `local`) runners share the host's: then it is one free port in place of the first, none of
    those that are `taken` by other runners.
    """
    if not site.what.isolated:
        return own(site, declared, taken)
    return tuple(declared) if publishes(site.settings.network) else ()


def publishes(network: str) -> bool:
    """Whether the setting leaves a way in: `internal` and `none` leave none."""
    return network == "open"


def own(site: Site, declared: Sequence[int], taken: Collection[int] = ()) -> tuple[int, ...]:
    """What may be listened on inside; its first is `PORT`."""
    if not declared or site.what.isolated:
        return tuple(declared)
    return (next(port for port in map(_free, count()) if port not in taken),)


def _free(_: int) -> int:
    """A port of this host that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
