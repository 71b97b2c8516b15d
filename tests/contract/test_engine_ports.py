"""Ports that are published, held by every engine that has any."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from steroids.engines.spec import NO_NETWORK
from tests.support.engines import REAL, Lab, eventually

INSIDE = 3000


@pytest.fixture(autouse=True)
def swept(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    lab: Lab = request.getfixturevalue("real_lab" if "real_lab" in request.fixturenames else "lab")
    for owned in lab.engine.list_owned(lab.labels):
        lab.engine.remove(owned.handle)


def heard(host: str, port: int) -> str:
    """What is said there, or nothing."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=2) as there:
        return there.makefile().read()
    return ""


def own_addresses() -> set[str]:
    """Those of this host that others reach it by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Sends nothing; the kernel chooses the address that it would send from.
        probe.connect(("192.0.2.1", 9))
        return {probe.getsockname()[0]} - {"127.0.0.1"}


@pytest.mark.parametrize("lab", ["fake", *REAL], indirect=True, scope="session")
def test_each_port_is_published_on_one_of_its_own(lab: Lab) -> None:
    one, two = lab.start(ports=(3000, 5173)), lab.start(ports=(3000,))

    first, second = lab.engine.inspect(one).ports, lab.engine.inspect(two).ports

    assert set(first) == {3000, 5173} and set(second) == {3000}
    assert len({*first.values(), *second.values()}) == 3
    assert lab.engine.inspect(lab.start()).ports == {}


@pytest.mark.parametrize("lab", ["fake", *REAL], indirect=True, scope="session")
def test_ports_are_those_of_a_running_container(lab: Lab) -> None:
    spec = lab.spec(ports=(INSIDE,))
    handle = lab.engine.start(spec)

    lab.engine.stop(handle, 0)
    assert lab.engine.inspect(handle).ports == {}

    assert lab.engine.start(spec) == handle
    assert set(lab.engine.inspect(handle).ports) == {INSIDE}


@pytest.mark.parametrize("lab", ["fake", *REAL], indirect=True, scope="session")
def test_without_a_network_nothing_is_published(lab: Lab) -> None:
    handle = lab.start(ports=(INSIDE,), network=NO_NETWORK)

    assert lab.engine.inspect(handle).ports == {}


def test_two_containers_listen_on_the_same_port_and_both_are_reached(real_lab: Lab) -> None:
    lab, name = real_lab, real_lab.name()
    one = lab.listening(INSIDE, "one", name=name, ports=(INSIDE,))
    network = lab.engine.networks.create(lab.name(), lab.labels)
    try:
        # On a network of its own, as runners are.
        two = lab.listening(INSIDE, "two", ports=(INSIDE,), network=network.name)
        ports = [lab.engine.inspect(each).ports[INSIDE] for each in (one, two)]

        assert [heard("127.0.0.1", port) for port in ports] == ["one", "two"]
        for address in own_addresses():
            assert [heard(address, port) for port in ports] == ["", ""]
        lab.engine.stop(one, 0)
        assert heard("127.0.0.1", ports[0]) == ""
        assert lab.listening(INSIDE, "one", name=name, ports=(INSIDE,)) == one
        again = lab.engine.inspect(one).ports[INSIDE]
        assert eventually(lambda: heard("127.0.0.1", again)) == "one"
        lab.engine.remove(two)
    finally:
        lab.engine.networks.remove(network)
