"""A runner in which attempts to get out are made, and what they were after."""

import json
import socket
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

from steroids.engines.base import Engine
from steroids.engines.subnets import POOL
from tests.support.escapes import database, files, kernel, network, root, secrets
from tests.support.escapes.attempts import MARK, Row, Targets, chosen
from tests.support.repos import Repo
from tests.support.story import Story, at_gate, gate
from tests.support.story_repos import plain_monorepo

MODULES = (secrets, files, root, kernel, network, database)
"""What was imported has told `ATTEMPTS` of its own."""
SOURCE = Path(__file__).parent / "escapes"
PACKAGE = "tests/support/escapes"
PEER_PORT = 3000
VARIABLES = (
    *("PATH", "LANG", "HOME", "USER", "LOGNAME", "CI"),
    # Where programs find the certificates that the host trusts.
    *("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"),
    # As whom it commits.
    *("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"),
    # Its task, as the README lists it.
    *("STEROIDS_TASK", "STEROIDS_TITLE", "STEROIDS_ATTEMPT", "STEROIDS_SECTION"),
    *("STEROIDS_FEEDBACK", "STEROIDS_PROMPT", "STEROIDS_ROLE"),
    # What the agent `script` has its shell print before each command.
    "PS4",
)
"""All that an agent's environment has, beside the user's `env`, `PORT` and its database's."""
PEER_FILE = "/workspace/of-the-other-runner"
LISTENS = f"""echo secret > {PEER_FILE}
python3 -m http.server {PEER_PORT} --bind :: --directory /workspace > /dev/null 2>&1 &
until python3 -c 'import socket; socket.create_connection(("127.0.0.1", {PEER_PORT}))' \\
  2> /dev/null; do sleep 0.05; done
{gate()}"""


PLANT = """echo 'export PLANTED=1' | tee -a ~/.bashrc >> ~/.profile
mkdir -p ~/.local/bin
for name in git npm python3 planted; do
  printf '#!/bin/sh\\necho planted\\n' > ~/.local/bin/$name; chmod 755 ~/.local/bin/$name
done
git config --global alias.planted '!echo planted'
echo 'planted=true' >> ~/.npmrc
touch /tmp/planted /dev/shm/planted
! touch /var/cache/steroids/planted 2> /dev/null
"""
"""What an agent may leave behind for whoever comes after it."""
LOOK = """for path in ~/.local/bin/planted /tmp/planted /dev/shm/planted; do
  [ ! -e $path ] || echo "$1 sees $(basename $(dirname $path))"
done
! grep -qs PLANTED ~/.bashrc ~/.profile || echo "$1 sees the profile"
! grep -qs planted ~/.npmrc || echo "$1 sees npmrc"
! git config --global alias.planted > /dev/null || echo "$1 sees gitconfig"
for name in git npm python3; do
  case $(command -v $name) in $HOME/*) echo "$1 runs the planted $name" ;; esac
done
echo "$1 has looked"
"""


def sights(story: Story, who: str) -> set[str]:
    """What `LOOK` has found, as far as that has been told by the log."""
    words = [event["text"] for event in story.events("log")]
    return {text.removeprefix(f"{who} ") for text in words if text.startswith(f"{who} ")}


def monorepo_with_attempts(path: Path) -> Repo:
    repo = plain_monorepo(path, "ab")
    sources = {f"{PACKAGE}/{file.name}": file.read_text() for file in SOURCE.glob("*.py")}
    repo.commit("Attempts", {**sources, "look.sh": LOOK})
    return repo


def environment_of_a_user(patch: pytest.MonkeyPatch, secret: str) -> None:
    """Such as a developer has, for the controller to inherit."""
    for name in ("GITHUB_TOKEN", "NPM_TOKEN", "AWS_SECRET_ACCESS_KEY", "ANTHROPIC_API_KEY"):
        patch.setenv(name, secret)
    patch.setenv("SSH_AUTH_SOCK", f"/tmp/{secret}/agent")


@dataclass(frozen=True)
class Network:
    """Of one container, as its engine tells it."""

    address: str
    gateway: str
    link_local: str
    names: list[str]


def network_of(engine: Engine, container: str) -> Network:
    client = docker.DockerClient(base_url=engine.capabilities().address)
    try:
        facts = client.containers.get(container).attrs
    finally:
        client.close()
    (found,) = facts["NetworkSettings"]["Networks"].values()
    names = [facts["Name"].lstrip("/"), facts["Id"][:12], facts["Config"]["Hostname"]]
    return Network(found["IPAddress"], found["Gateway"], _link_local(found["MacAddress"]), names)


def _link_local(mac: str) -> str:
    """What the kernel makes of it (RFC 4291, appendix A)."""
    parts = [int(part, 16) for part in mac.split(":")]
    parts[0] ^= 2
    parts[3:3] = [0xFF, 0xFE]
    words = [f"{high << 8 | low:x}" for high, low in zip(parts[::2], parts[1::2], strict=True)]
    return f"fe80::{':'.join(words)}%eth0"


def start_peer(story: Story, section: str) -> dict[str, Any]:
    """A runner in the middle of its work, with a file and a listener of its own."""
    story.add_task(section, "Is left alone", LISTENS)
    story.run("up", "--detach", "--keep", "--section", section)
    story.wait_for_line(at_gate())
    (runner,) = story.runners()
    return runner


def listens(peer: dict[str, Any]) -> bool:
    """Whether it answers on this host, where it was published for."""
    (port,) = peer["ports"]
    with socket.create_connection(("127.0.0.1", port["published"]), 10) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return client.recv(100).startswith(b"HTTP/1.0 200")


def targets(
    story: Story, own: dict[str, Any], peer: dict[str, Any], secret: str, *given: str
) -> Targets:
    """`given` are the variables that the user passes on."""
    assert story.engine is not None
    its = network_of(story.engine, peer["containerId"])
    (port,) = peer["ports"]
    addresses = [
        each.address
        for found in psutil.net_if_addrs().values()
        for each in found
        if each.family.name == "AF_INET" and _stays(ip_address(each.address))
    ]
    half = len(secret) // 2
    return Targets(
        paths=[str(story.home / "steroids.db"), str(story.repo.path / "apps"), PEER_FILE],
        secret=(secret[:half], secret[half:]),
        runner=own["id"],
        variables=[*VARIABLES, *given],
        database=peer["database"] or "",
        peer=its.address,
        peer_port=PEER_PORT,
        peer_names=[its.link_local, *its.names],
        published=port["published"],
        host=list(dict.fromkeys([its.gateway, *addresses]))[:20],
    )


def _stays(address: IPv4Address | IPv6Address) -> bool:
    """Not so those of the gateways of others, which come and go."""
    return not address.is_loopback and address not in POOL


def script(asked: Targets, *names: str) -> str:
    """What a task's agent runs to make all attempts, or those."""
    words = " ".join(names)
    return f"python3 -B -m {PACKAGE.replace('/', '.')} '{json.dumps(asdict(asked))}' {words}"


def assert_held(story: Story, asked: Targets) -> None:
    """All attempts have been made, and not one has worked; what came of each is printed."""
    found = rows(story)
    print(table(found, held=True))
    assert set(found) == set(chosen(asked)), story.events("log")[-20:]
    assert not table(found, held=False), table(found, held=False)


def rows(story: Story) -> dict[str, Row]:
    """Of all attempts that have been made."""
    lines = [event["text"] for event in story.events("log")]
    found = [json.loads(line.removeprefix(MARK)) for line in lines if line.startswith(MARK)]
    return {row["name"]: Row(**row) for row in found}


def table(found: dict[str, Row], *, held: bool) -> str:
    """For people who want to know what was tried, and what came of it."""
    return "\n".join(
        f"{row.name}: {row.tried}\n    {row.said}" for row in found.values() if row.held is held
    )
