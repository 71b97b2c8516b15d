"""A database server on this host, from a container: where it is found from a network of its own."""

import shlex
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from steroids.provisioning.databases.external import host_of
from tests.support.engines import REAL, Lab, eventually

pytestmark = pytest.mark.parametrize("lab", REAL, indirect=True, scope="session")
GREETING = b"here is a server\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of something that listens on all addresses, and greets who comes."""
    with closing(socket.create_server(("", 0))) as listening:

        def greet() -> None:
            while True:
                try:
                    there, _ = listening.accept()
                except OSError:
                    return
                with there:
                    there.sendall(GREETING)

        threading.Thread(target=greet, daemon=True).start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)


def test_a_server_on_this_host_is_reached_from_a_runners_network(lab: Lab, port: int) -> None:
    network = lab.engine.networks.create(lab.name(), lab.labels)
    address = host_of(lab.engine, network)
    script = f"exec 3<>/dev/tcp/{address}/{port}; cat <&3"

    handle = lab.start(f"bash -c {shlex.quote(script)}", network=network.name)

    try:
        eventually(lambda: lab.ended(handle) is not None)
        assert lab.output(handle) == GREETING
    finally:
        lab.engine.remove(handle)
        lab.engine.networks.remove(network)
