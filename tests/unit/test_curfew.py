"""What runs as the agent is ended when its container is over a limit; nothing else is."""

from pathlib import Path

import pytest

from steroids.runner import curfew
from steroids.runner.failures import CommandFailed
from steroids.runner.workspace import Workspace


def test_only_what_may_be_ended_is(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int | None] = []
    monkeypatch.setattr(curfew, "reap", ended.append)
    one = curfew.Curfew(1000)

    one.end("too much")
    assert (one.reason, ended) == ("too much", [])
    with one.endable():
        one.end("far too much")
        one.end("far too much")
    one.end("too much still")
    assert ended == [1000, 1000]


def test_a_command_that_was_ended_says_why(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, tmp_path, None, {"PATH": "/usr/bin:/bin"})
    workspace.curfew.end("wrote too much")
    said: list[str] = []

    with pytest.raises(CommandFailed) as caught:
        workspace.shell("echo before; exit 9", workspace.env, said.append, 60)
    assert workspace.shell("echo fine", workspace.env, said.append, 60) == "fine"

    assert caught.value.tail == "before\nwrote too much"
    assert said == ["before", "wrote too much", "fine"]
