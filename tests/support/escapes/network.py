"""Other runners, the host and the engine over the network."""

import fcntl
import os
import re
import socket
import struct
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path

from tests.support.escapes.attempts import GotOut, Targets, attempt, refused

WAIT_S = 2.0
"""For an answer from where there is none: some refuse, some are silent."""
_SIOCGIFADDR, _SIOCSIFADDR, _SIOCADDRT = 0x8915, 0x8916, 0x890B


def _connect(host: str, port: int) -> object:
    """What it says there, when anything does."""
    with socket.create_connection((host, port), WAIT_S) as client:
        client.settimeout(WAIT_S)
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        try:
            return f"{host}:{port}: {client.recv(100)!r}"
        except TimeoutError:
            return f"{host}:{port}: connected"


def _all_refused(calls: Iterable[Callable[[], object]]) -> str:
    """`refused`, at the same time: each may wait to its end."""
    with ThreadPoolExecutor(max_workers=16) as pool:
        said = list(pool.map(refused, calls))
    return ", ".join(dict.fromkeys(said))


@attempt("connect to another runner, by its address and its names")
def other_runner(targets: Targets) -> str:
    names = (targets.peer, *targets.peer_names)
    ports = (targets.peer_port, 22, 80)
    return _all_refused(partial(_connect, name, port) for name in names for port in ports)


@attempt("connect to what another runner has published for the host alone")
def published(targets: Targets) -> str:
    aliases = ("127.0.0.1", "localhost", "::1", "host.docker.internal", "host.containers.internal")
    places = [*targets.host, *aliases]
    assert targets.published and len(targets.host) >= 2
    return _all_refused(partial(_connect, place, targets.published) for place in places)


@attempt("connect to another runner through the gateways, by the port that it has inside")
def through_the_gateway(targets: Targets) -> str:
    return _all_refused(partial(_connect, place, targets.peer_port) for place in targets.host)


@attempt("speak to the engine over the network")
def engine_api(targets: Targets) -> str:
    ports = (2375, 2376, 2377, 4243, 8080, 5000)
    return _all_refused(partial(_connect, place, port) for place in targets.host for port in ports)


@attempt("find neighbours on its own network: by their addresses, by IPv6, by the kernel's tables")
def neighbours(targets: Targets) -> str:
    own = _address("eth0")
    network = IPv4Network(f"{own}/28", strict=False)
    others = [str(host) for host in network.hosts() if str(host) != own]
    # To make the kernel ask who is there, whatever they answer.
    with ThreadPoolExecutor(max_workers=16) as pool:
        list(pool.map(_knock, others))
    rows = [line.split() for line in Path("/proc/net/arp").read_text().splitlines()[1:]]
    # Flags 2: it has answered.
    found = {row[0] for row in rows if int(row[2], 16) & 2}
    server = os.environ.get("PGHOST")
    given = {socket.gethostbyname(server)} if server else set()
    strange = found - {_gateway()} - given
    if strange:
        raise GotOut(f"on this network there are {sorted(strange)} too")
    return f"{len(others)} addresses; there is nobody but {', '.join(sorted(found)) or 'itself'}"


def _knock(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as knock:
        try:
            knock.settimeout(WAIT_S)
            knock.connect((address, 9))
            knock.send(b"x")
            knock.send(b"x")
            knock.recv(1)
        except OSError:
            return


def _address(interface: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        request = struct.pack("256s", interface.encode())
        return socket.inet_ntoa(fcntl.ioctl(asked, _SIOCGIFADDR, request)[20:24])


def _gateway() -> str:
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] == "00000000":
            return socket.inet_ntoa(int(fields[2], 16).to_bytes(4, "little"))
    return ""


@attempt("send packets of its own making: raw, below IP, to the kernel's tables")
def raw_packets(targets: Targets) -> str:
    kinds = (
        *((socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),),
        *((socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),),
        *((socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),),
        *((socket.AF_PACKET, socket.SOCK_RAW, 0x0003),),
        *((socket.AF_PACKET, socket.SOCK_DGRAM, 0x0003),),
    )
    return refused(*(partial(socket.socket, *kind) for kind in kinds))


@attempt("give itself another address, route or interface")
def own_network(targets: Targets) -> str:
    def configure(request: int) -> object:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            address = struct.pack("<HH4s8x", socket.AF_INET, 0, socket.inet_aton(targets.peer))
            return fcntl.ioctl(asked, request, struct.pack("16s16s32x", b"eth0", address))

    def tunnel() -> object:
        return os.open("/dev/net/tun", os.O_RDWR)

    def interface() -> object:
        """An answer with an error in it is one that refuses (rtnetlink(7), RTM_NEWLINK)."""
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as link:
            link.bind((0, 0))
            kind = struct.pack("HH5sxxx", 9, 1, b"dummy")
            info = struct.pack("HH", 4 + len(kind), 18) + kind
            body = struct.pack("BxHiII", 0, 0, 0, 0, 0) + info
            link.send(struct.pack("IHHII", 16 + len(body), 16, 0x605, 1, 0) + body)
            (error,) = struct.unpack("i", link.recv(4096)[16:20])
            if error:
                raise OSError(-error, os.strerror(-error))
            return "made"

    return refused(
        partial(configure, _SIOCSIFADDR), partial(configure, _SIOCADDRT), tunnel, interface
    )


@attempt("see connections, interfaces or abstract sockets that are not its own")
def tables(targets: Targets) -> str:
    interfaces = set(re.findall(r"^\s*(\S+):", Path("/proc/net/dev").read_text(), re.MULTILINE))
    rest = {name for name in interfaces if not re.fullmatch(r"lo|eth\d|tap0", name)}
    # What every new network namespace has, when the module is loaded; all of them are down.
    rest -= {"tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip6tnl0", "ip_vti0", "ip6_vti0"}
    if rest:
        raise GotOut(f"there are the interfaces {sorted(rest)}")
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [
        row[1]
        for row in rows
        # In the state 0A it listens. The engine's name server does, on 127.0.0.11, and what other
        # attempts do here at this moment is the agent's own.
        if row[3] == "0A" and row[7] != str(os.getuid()) and not row[1].startswith("0B00007F")
    ]
    if listening:
        raise GotOut(f"somebody else listens here: {listening}")
    return f"{', '.join(sorted(interfaces))}; nobody else listens"


@attempt("this much is allowed: a listener of its own, by its own address")
def control_listener(targets: Targets) -> str:
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((_address("eth0"), port), WAIT_S) as client:
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"x")
            assert client.recv(1) == b"x"
    return "as it is to be"
