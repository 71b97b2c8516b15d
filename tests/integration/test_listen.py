"""The controller's TCP port: for who has the token, and for nobody's browser."""

import json
import re
import socket
from pathlib import Path

import pytest

from steroids.cli.connect import lives
from steroids.controller.token import token_of
from steroids.errors import BadConfig
from tests.support.controllers import raw_request
from tests.support.story_cli import Cli


def configure(cli: Cli, listen: str) -> None:
    (cli.home / "config.yaml").write_text(json.dumps({"daemon": {"listen": listen}}))


def test_commands_use_the_port_with_the_token_and_start_nothing(desk: Cli) -> None:
    configure(desk, "127.0.0.1:0")
    started = desk.run("daemon", "start")
    assert started.code == 0, started
    found = re.search(r"listens on +(http://127\.0\.0\.1:(\d+)) ", started.out)
    assert found is not None, started
    url, port = found[1], int(found[2])
    path = desk.home / "token"
    token = path.read_text().strip()
    assert path.stat().st_mode & 0o777 == 0o600

    elsewhere = desk.cwd / "elsewhere"
    shown = desk.run(
        "config", "show", STEROIDS_URL=url, STEROIDS_TOKEN=token, STEROIDS_HOME=str(elsewhere)
    )
    assert shown.code == 0 and "daemon.listen" in shown.out, shown
    # Of the same user the token is where the controller keeps it.
    assert desk.run("daemon", "status", "--json", STEROIDS_URL=url).json["daemon"]["listen"]
    for wrong in ("x" * 43, token[:-1], token + "x"):
        refused = desk.run("config", "show", "--json", STEROIDS_URL=url, STEROIDS_TOKEN=wrong)
        assert refused.json["code"] == "UNAUTHORISED"
    assert desk.run("config", "show", STEROIDS_URL=url, STEROIDS_HOME=str(elsewhere)).code == 2
    assert desk.run("daemon", "stop", STEROIDS_URL=url).code == 2

    request = f"GET /v1/daemon HTTP/1.1\nHost: x\nConnection: close\nAuthorization: Bearer {token}"
    local = ("127.0.0.1", port)
    assert raw_request(local, request).startswith(b"HTTP/1.1 200 ")
    for where in (local, desk.home / "controller.sock"):
        answer = raw_request(where, f"{request}\nOrigin: http://127.0.0.1:{port}")
        assert answer.startswith(b"HTTP/1.1 403 "), answer
    for given in ("Bearer", "Basic " + token, "Bearer " + token[1:], "Bearer \xe9"):
        bad = f"GET /v1/daemon HTTP/1.1\nHost: x\nConnection: close\nAuthorization: {given}"
        assert raw_request(local, bad).startswith(b"HTTP/1.1 401 ")
    # What runners ask is not answered there, and what nobody has still needs the token.
    for path_ in ("/v1/claim", "/v1/nothing"):
        asked = request.replace("/v1/daemon", path_)
        assert raw_request(local, asked).startswith(b"HTTP/1.1 404 ")
        without = asked.rpartition("\n")[0]
        assert raw_request(local, without).startswith(b"HTTP/1.1 401 ")

    log = (desk.home / "logs" / "controller.log").read_text()
    assert token not in log and "for who has the token" in log and "not encrypted" not in log
    desk.run("daemon", "restart")
    assert path.read_text().strip() == token
    desk.run("daemon", "stop")
    gone = desk.run("config", "show", "--json", STEROIDS_URL=url)
    assert gone.json["code"] == "CONTROLLER_UNAVAILABLE" and not lives(desk.home)


def test_a_port_that_cannot_be_had_is_told_and_stops_nobody(desk: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        configure(desk, f"127.0.0.1:{taken.getsockname()[1]}")
        started = desk.run("daemon", "start")
        assert started.code == 0 and "started, pid" in started.out, started
        assert "note: cannot listen on 127.0.0.1:" in started.err
        assert "Address already in use" in started.err and "hint: daemon.listen" in started.err
        assert desk.run("config", "show").code == 0
    configure(desk, "127.0.0.1:70000")
    assert "ports go up to 65535" in desk.run("daemon", "restart").err


def test_an_address_that_others_reach_is_warned_of(desk: Cli) -> None:
    configure(desk, "0.0.0.0:0")
    assert "listens on" in desk.run("daemon", "start").out
    warned = desk.run("daemon", "logs", "--level", "warning").out
    assert "0.0.0.0:" in warned and "not encrypted" in warned


@pytest.mark.parametrize("url", ["https://x:1", "http://x", "x:7333", "http://x:99999", "http://"])
def test_an_address_that_is_none_is_refused(desk: Cli, url: str) -> None:
    refused = desk.run("config", "show", STEROIDS_URL=url, STEROIDS_TOKEN="t")
    assert refused.code == 2
    assert refused.err.startswith("error: STEROIDS_URL is no address like http://HOST:PORT")


def test_a_token_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    token = token_of(tmp_path)
    assert len(token) >= 40 and token_of(tmp_path) == token
    path = tmp_path / "token"
    path.chmod(0o644)
    assert token_of(tmp_path) == token and path.stat().st_mode & 0o777 == 0o600
    for content in ("", "short", "two words of which none is a token", "ä" * 40):
        path.write_text(content)
        with pytest.raises(BadConfig, match="holds no token"):
            token_of(tmp_path)
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        token_of(tmp_path)
