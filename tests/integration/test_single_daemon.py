"""What `init` and `doctor` say of containers and of the one controller."""

import json
import os

import psutil
import pytest

from steroids.containment import facts, pid_file
from steroids.containment.setting import KEY
from steroids.services import single_daemon
from tests.support.service import Bench


@pytest.mark.parametrize("inside", [True, False])
def test_what_init_leaves(project: Bench, monkeypatch: pytest.MonkeyPatch, inside: bool) -> None:
    path = project.host.path / "config.yaml"
    path.unlink(missing_ok=True)
    monkeypatch.setattr(facts, "is_container_environment", lambda root: inside)
    monkeypatch.setattr(facts, "container_indicators", lambda root: ["docker: /.dockerenv"])
    written, notes = single_daemon.set_up(project.host, project.project.path)
    assert written == [str(path)]
    note = f"this is a container (docker: /.dockerenv), so {KEY} is on in {path}"
    assert notes == ([note] if inside else [])
    assert project.host.settings(None).enforce_single_daemon_process is inside
    assert single_daemon.set_up(project.host, project.project.path) == ([], [])


def test_what_doctor_says(project: Bench) -> None:
    (project.host.path / "config.yaml").write_text(f"{KEY}: false\n")
    container, controller = single_daemon.examine(project.host, project.project)
    assert container.ok
    assert container.detail == facts.words(project.project.path)
    assert controller.ok
    assert controller.detail == f"pid {os.getpid()}, the only one; {KEY} is off"
    parent = psutil.Process(os.getppid())
    record = pid_file.Record(parent.pid, parent.create_time(), "/h", ["x"])
    (project.host.path / "controller.pid").write_text(json.dumps(record._asdict()))
    _, controller = single_daemon.examine(project.host, None)
    assert not controller.ok
    assert controller.detail == f"controller.pid names {parent.pid}, and this one is {os.getpid()}"
    assert controller.hint == "steroids daemon restart"
