"""Who reaches whom, on the engines that isolate: with real sockets and names."""

import itertools
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

import pytest

from steroids.engines.networks import Network
from steroids.engines.spec import NO_NETWORK, Handle
from tests.support.engines import Lab, eventually

PORT = 5432


@pytest.fixture(autouse=True)
def swept(real_lab: Lab) -> Iterator[None]:
    yield
    for owned in real_lab.engine.list_owned(real_lab.labels):
        real_lab.engine.remove(owned.handle)
    for network in real_lab.engine.networks.list_owned(real_lab.labels):
        real_lab.engine.networks.remove(network)


def own_network(lab: Lab) -> Network:
    return lab.engine.networks.create(lab.name(), lab.labels)


def addresses(lab: Lab, handle: Handle) -> list[str]:
    """Those that it has on its networks, from the kernel's own table."""
    table = lab.engine.exec(handle, ["cat", "/proc/net/fib_trie"]).output.decode().split("\n")
    local = {
        above.split()[-1] for above, line in itertools.pairwise(table) if "/32 host LOCAL" in line
    }
    return sorted(each for each in local if not each.startswith("127."))


def test_a_runner_reaches_its_database_by_name_and_no_other_runner(real_lab: Lab) -> None:
    lab = real_lab
    one, two = own_network(lab), own_network(lab)
    first = lab.listening(PORT, "first", network=one.name)
    second = lab.listening(PORT, "second", network=two.name)
    server = lab.listening(PORT, "database")
    for network in (one, two):
        lab.engine.networks.connect(network, server, ("database", "db"))

    for runner in (first, second):
        for name in ("database", "db"):
            assert lab.heard(runner, name, PORT) == "database"
    (address,) = addresses(lab, first)
    assert lab.heard(first, address, PORT) == "first"

    def joined() -> str:
        # With Podman a network that somebody else's container leaves opens all for a moment.
        lab.engine.remove(lab.start(network=one.name))
        return lab.heard(second, address, PORT)

    assert eventually(lambda: "first" not in joined())

    (near,) = (a for a in addresses(lab, server) if IPv4Address(a) in IPv4Network(one.subnet))
    assert lab.heard(first, near, PORT) == "database"
    lab.engine.networks.disconnect(one, server)
    assert lab.heard(second, "database", PORT) == "database"
    assert "database" not in lab.heard(first, near, PORT)


def test_a_restarted_server_is_found_by_its_names_again(real_lab: Lab) -> None:
    lab, name, network = real_lab, real_lab.name(), own_network(real_lab)
    runner = lab.start(network=network.name)
    server = lab.listening(PORT, "database", name=name)
    lab.engine.networks.connect(network, server, ("database",))

    lab.engine.stop(server, 0)
    assert lab.listening(PORT, "database", name=name) == server

    assert eventually(lambda: lab.heard(runner, "database", PORT)) == "database"


def test_without_a_network_there_is_loopback_and_nothing_else(real_lab: Lab) -> None:
    lab = real_lab
    handle = lab.listening(PORT, "self", network=NO_NETWORK)

    devices = lab.engine.exec(handle, ["cat", "/proc/net/dev"]).output.decode().splitlines()[2:]
    routes = lab.engine.exec(handle, ["cat", "/proc/net/route"]).output.decode().splitlines()[1:]

    assert [line.split(":")[0].strip() for line in devices] == ["lo"]
    assert routes == []
    assert lab.heard(handle, "127.0.0.1", PORT) == "self"
    other = lab.listening(PORT, "other")
    (address,) = addresses(lab, other)
    assert "unreachable" in lab.heard(handle, address, PORT).lower()
