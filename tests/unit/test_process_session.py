from pathlib import Path

import pytest

from steroids import proc
from steroids.agents import process
from steroids.agents.base import Ended, Work
from steroids.agents.process import ProcessSession
from steroids.runner import commands, workspace
from steroids.wire.assignment import Outcome, TaskBrief


def test_a_run_ends_though_something_that_left_its_group_holds_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "OUTPUT_S", 0.1)
    task = TaskBrief(id="t", title="T", spec="", attempt=1, section="A")
    env = {"PATH": "/usr/bin:/bin"}
    work = Work(task, tmp_path, tmp_path, env, uid=None, timeout_s=60)
    # It says its pid from its own session.
    script = "setsid sh -c 'echo $$ > pid; exec sleep 300' & until [ -s pid ]; do sleep 0.01; done"
    session = ProcessSession(("sh", "-c", script), work, print, env=env)
    try:
        assert session.wait() == Ended(Outcome.DONE)
    finally:
        proc.run(["kill", (tmp_path / "pid").read_text().strip()])


def test_a_check_ends_though_something_that_left_its_group_holds_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "OUTPUT_S", 0.1)
    env = {"PATH": "/usr/bin:/bin"}
    place = workspace.Workspace(tmp_path, tmp_path, None, env)
    script = "setsid sh -c 'echo $$ > pid; exec sleep 300' & until [ -s pid ]; do sleep 0.01; done"
    try:
        assert place.shell(f"{script}; echo passed", env, print, 60) == "passed"
    finally:
        proc.run(["kill", (tmp_path / "pid").read_text().strip()])
