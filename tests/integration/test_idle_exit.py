"""A controller that nobody needs ends, and nobody notices."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from steroids.cli import connect
from steroids.cli.connect import lives
from steroids.wire.daemon import DaemonOne
from tests.support.controllers import eventually
from tests.support.story_cli import Cli


def configure(cli: Cli, idle_exit_s: float) -> None:
    settings = {"daemon": {"idle_exit_s": idle_exit_s}}
    (cli.home / "config.yaml").write_text(json.dumps(settings))


def test_it_ends_by_itself_and_the_next_command_starts_another(desk: Cli) -> None:
    configure(desk, 0.2)
    first = desk.run("daemon", "start", "--json").json["daemon"]
    assert first["idleExitS"] == 0.2
    eventually(lambda: not lives(desk.home))
    assert not (desk.home / "controller.sock").exists()
    assert desk.run("daemon", "status").code == 1
    log = desk.run("daemon", "logs").out
    assert "nobody has needed this controller for 0.2 s" in log and "ends" in log
    assert "idle_exit_s" in desk.run("config", "show").out
    configure(desk, 0)
    assert desk.run("daemon", "restart", "--json").json["daemon"]["pid"] != first["pid"]
    assert "idle exit  never" in desk.run("daemon", "status").out


def test_whoever_comes_while_it_ends_is_answered(
    desk: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would like to end all the time, and so mostly just when somebody asks.
    configure(desk, 0.001)
    for name, value in desk.env.items():
        monkeypatch.setenv(name, value)

    def asks(_: int) -> list[int]:
        client = connect.connect()
        return [client.get("/v1/daemon", DaemonOne).daemon.pid for _ in range(4)]

    with ThreadPoolExecutor(3) as pool:
        answers = [pid for pids in pool.map(asks, range(3)) for pid in pids]
    assert len(answers) == 12
