"""Controllers of a home without a project, and what they are asked from outside."""

import contextlib
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from steroids import proc
from steroids.cli.connect import answers, lives
from tests.support.story_cli import Cli

WAIT_S = 60.0
"""For one thing to happen: only a failing test ever waits this long."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Cli]:
    """A command line with a home of its own; its controller is stopped at the end."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    cli = Cli(home, tmp_path)
    yield cli
    cli.run("daemon", "stop")
    assert not lives(home)


@contextlib.contextmanager
def of_version(cli: Cli, version: str, also: str = "") -> Iterator[None]:
    """The home's controller is one of that version; `also` is Python that it runs before."""
    code = (
        f"import sys, steroids; steroids.__version__ = {version!r}\n{also}\n"
        "sys.argv = ['steroids', 'daemon', 'run']\n"
        "from steroids.__main__ import main; main()"
    )
    process = proc.spawn([sys.executable, "-c", code], cwd=cli.cwd, env=cli.env)
    try:
        eventually(lambda: answers(cli.home / "controller.sock") or process.poll() is not None)
        assert process.poll() is None
        yield
    finally:
        proc.end_group(process, grace_s=20)


def eventually(check: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not check():
        assert time.monotonic() < deadline, "never"
        time.sleep(0.02)


def raw_request(where: Path | tuple[str, int], head: str) -> bytes:
    """What is answered to a request that no client of ours would send."""
    family = socket.AF_UNIX if isinstance(where, Path) else socket.AF_INET
    with socket.socket(family) as connection:
        connection.settimeout(WAIT_S)
        connection.connect(str(where) if isinstance(where, Path) else where)
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    return answer
