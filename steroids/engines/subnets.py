"""Where a network's addresses come from. Pure, but for reading this host's routes.

An engine that is left to choose takes whole /16s from a pool that ends after some 30 networks,
which the user's own compose projects need too.
"""

import zlib
from collections.abc import Collection, Iterator
from ipaddress import IPv4Network
from pathlib import Path

POOL = IPv4Network("10.213.0.0/16")
PREFIX = 28
"""13 containers each, 4,096 networks."""
_ROUTES = Path("/proc/net/route")


def free_subnets(name: str, taken: Collection[IPv4Network]) -> Iterator[IPv4Network]:
    """Subnets that overlap nothing that is taken, in an order of the name's own.

    So two that choose at the same moment, for different names, hardly ever choose the same.
    """
    count = 2 ** (PREFIX - POOL.prefixlen)
    first = zlib.crc32(name.encode()) % count
    near = [network for network in taken if network.overlaps(POOL)]
    step = 2 ** (POOL.max_prefixlen - PREFIX)
    for number in range(count):
        address = POOL.network_address + (first + number) % count * step
        subnet = IPv4Network((address, PREFIX))
        if not any(subnet.overlaps(other) for other in near):
            yield subnet


def host_routes() -> set[IPv4Network]:
    """Where this host sends packets to, the default route aside; nothing is known elsewhere.

    Docker takes a subnet that it is given even when a VPN is there already.
    """
    try:
        lines = _ROUTES.read_text().splitlines()[1:]
    except OSError:
        return set()
    found = set()
    for line in lines:
        _, destination, _, _, _, _, _, mask, *_ = line.split()
        network = IPv4Network((_address(destination), bin(int(mask, 16)).count("1")), strict=False)
        if network.prefixlen > 0:
            found.add(network)
    return found


def _address(little_endian: str) -> int:
    return int.from_bytes(bytes.fromhex(little_endian)[::-1], "big")
