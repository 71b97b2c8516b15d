"""What a runner reaches over the network, and what of it is reached, on real engines."""

import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from steroids.engines.base import Engine
from steroids.engines.networks import Network
from steroids.engines.spec import ContainerSpec
from tests.support.story import LABEL, Story, at_gate, gate

HEADS = ["ID", "STATUS", "ENGINE", "CONTAINER", "PID", "SECTION", "TASK", "HEARTBEAT", "PORTS"]
ANSWERED = "I am the host"


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(ANSWERED.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def host_port() -> Iterator[int]:
    """Of a server of this host, on all of its addresses."""
    server = ThreadingHTTPServer(("0.0.0.0", 0), Hello)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def outward() -> str:
    """This host's address on the way out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Nothing is sent. An address that nobody has.
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


def serve(name: str) -> str:
    """Shell of an agent that has a dev server answer on its usual port, and waits."""
    return f"""mkdir -p "$HOME/www"; echo "I am {name}" > "$HOME/www/index.html"
python3 -m http.server -d "$HOME/www" "$PORT" > /dev/null 2>&1 &
server=$!
until curl -sf "127.0.0.1:$PORT" > /dev/null; do sleep 0.1; done
{gate()}
kill $server"""


def answer(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=20) as response:
        return str(response.read().decode().strip())


def ports(story: Story) -> dict[str, list[dict[str, int]]]:
    return {runner["section"]: runner["ports"] for runner in story.runners()}


def reached(story: Story, section: str, place: str) -> str:
    """What answers there to the section's runner; empty: nothing does."""
    script = f"curl -s -m 3 http://{place} || true"
    return story.run("exec", section, "--", "sh", "-c", script).out.strip()


def own_network(story: Story, section: str) -> Network:
    ident = story.run("sections", "show", section, "--json").json["section"]["id"]
    (found,) = [each for each in story.networks() if each.labels[f"{LABEL}.section"] == ident]
    return found


def gateway(story: Story, section: str) -> str:
    """This host, as it is seen from the section's own network."""
    subnet = own_network(story, section).subnet.partition("/")[0]
    first, _, last = subnet.rpartition(".")
    return f"{first}.{int(last) + 1}"


def test_two_dev_servers_have_the_same_port(story: Story, host_port: int) -> None:
    story.add_section("A", options=("--port", "3000", "--port", "1229"))
    story.add_section("B", options=("--port", "3000"))
    assert "  ports       3000, 1229\n" in story.run("sections", "show", "A").out
    for name in ("A", "B"):
        story.add_task(name, f"Serve {name}", serve(name))
    up = story.start("up")
    story.wait("both serve", lambda: len(_at_gates(story)) == 2)

    found = ports(story)
    assert [each["inside"] for each in found["A"]] == [3000, 1229]
    assert [each["inside"] for each in found["B"]] == [3000]
    a, b = (found[name][0]["published"] for name in ("A", "B"))
    assert (answer(a), answer(b)) == ("I am A", "I am B")
    heads, *rows = story.run("ps").out.splitlines()
    assert heads.split() == HEADS
    assert any(f"127.0.0.1:{a}->3000, 127.0.0.1:" in row for row in rows)
    assert any(row.endswith(f"127.0.0.1:{b}->3000") for row in rows)
    assert f"  127.0.0.1:{b}->3000\n" in story.run("runners", "status").out
    # The way out is open, and does not lead to the neighbour.
    assert reached(story, "A", f"{outward()}:{host_port}") == ANSWERED
    assert reached(story, "A", f"{gateway(story, 'B')}:{b}") == ""

    # What is said anew holds for the next runner.
    note = story.run("sections", "edit", "B", "--no-ports").err
    assert note == "note: a runner that lives keeps the ports that it was started with\n"
    assert answer(b) == "I am B"
    for name in ("A", "B"):
        story.release(name)
    assert f"B  ready  127.0.0.1:{b}->3000  " in story.finish(up).out


def _at_gates(story: Story) -> list[dict[str, Any]]:
    return [event for event in story.events("log") if event["text"] == at_gate()]


def test_a_runner_reaches_what_the_setting_leaves_it(story: Story, host_port: int) -> None:
    story.configure(network="internal")
    story.add_section("A", options=("--port", "3000"))
    up = story.run("up", "--section", "A", "--keep", "-d")
    assert "note: A: 3000 not published: network is internal\n" in up.err
    assert ports(story) == {"A": []}
    assert reached(story, "A", f"{outward()}:{host_port}") == ""
    if story.engine is not None and story.engine.name == "docker":
        # On Podman the host cannot be kept off it; and beside Docker on one host, Docker's rules
        # drop what goes over its bridge.
        assert reached(story, "A", f"{gateway(story, 'A')}:{host_port}") == ""
        with neighbour(story, story.engine, "A"):
            story.wait("an answer", lambda: reached(story, "A", "database:3000") == ANSWERED)
    story.run("down")

    story.configure(network="none")
    up = story.run("up", "--section", "A", "--keep", "-d")
    assert "note: A: 3000 not published: network is none\n" in up.err
    assert story.networks() == []
    devices = story.run("exec", "A", "--", "ls", "/sys/class/net").out.split()
    assert devices == ["lo"]


@contextmanager
def neighbour(story: Story, engine: Engine, section: str) -> Iterator[None]:
    """A server on the network of that section's runner, where a test database's would be."""
    network = own_network(story, section)
    image = engine.images.list({f"{LABEL}.image": "snapshot"})[0].refs[0]
    serve = f"mkdir /tmp/s; cd /tmp/s; echo '{ANSWERED}' > index.html; python3 -m http.server 3000"
    spec = ContainerSpec(f"{network.name}-test", image, ("sh", "-c", serve))
    handle = engine.start(spec)
    try:
        engine.networks.connect(network, handle, ["database"])
        yield
    finally:
        engine.remove(handle)
