"""Keeping the container out of the networks of all others, from inside.

Engines keep their networks apart with rules of the host's firewall. With netavark before 1.5
(Debian 12, Ubuntu 24.04) those go whenever any container does, and come back with the next one. A
route needs no firewall, and nobody inside has the right to change it once this is done.
"""

import ctypes
import fcntl
import os
import socket
import struct

UNREACHABLE = "STEROIDS_UNREACHABLE"
"""The variable that names the subnets which all runners' networks are cut from."""

_SIOCADDRT = 0x890B
_RTF_UP, _RTF_REJECT = 0x0001, 0x0200
# `struct rtentry` (route(7)) of 64-bit Linux: what is sent where, and how.
_ROUTE = struct.Struct("@L16s16s16sHhLPhPLLH")
_ADDRESS = struct.Struct("=HH4s8x")

_NET_ADMIN, _SETPCAP = 12, 8
_PR_CAPBSET_DROP = 24
_VERSION_3 = 0x20080522
_SETS = struct.Struct("=6I")
"""Effective, permitted and inheritable capabilities below 32, then the same of those above."""


def seclude(subnets: str) -> None:
    """Make these subnets unreachable but for this container's own, which is smaller; then give up
    the right to do so, for good. Without any it only gives up the right.

    Raises `OSError` when it cannot be done: then nothing may be started.
    """
    for subnet in subnets.split():
        address, _, length = subnet.partition("/")
        _reject(socket.inet_aton(address), (0xFFFFFFFF << 32 - int(length)) & 0xFFFFFFFF)
    _give_up()


def _reject(address: bytes, mask: int) -> None:
    to, gateway, of = (
        _ADDRESS.pack(socket.AF_INET, 0, each) for each in (address, bytes(4), mask.to_bytes(4))
    )
    route = _ROUTE.pack(0, to, gateway, of, _RTF_UP | _RTF_REJECT, 0, 0, 0, 0, 0, 0, 0, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        fcntl.ioctl(asked, _SIOCADDRT, route)


def _give_up() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (_NET_ADMIN, _SETPCAP):
        # Refused to whoever has not SETPCAP: then it was not given, nor the other one.
        libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), *[ctypes.c_ulong(0)] * 3)
    header = struct.pack("=Ii", _VERSION_3, 0)
    held = ctypes.create_string_buffer(_SETS.size)
    _check(libc.capget(header, held))
    rest = ~(1 << _NET_ADMIN | 1 << _SETPCAP) & 0xFFFFFFFF
    low = [word & rest for word in _SETS.unpack(held.raw)[:3]]
    _check(libc.capset(header, _SETS.pack(*low, *_SETS.unpack(held.raw)[3:])))


def _check(status: int) -> None:
    if status != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"capabilities cannot be given up: {os.strerror(code)}")
