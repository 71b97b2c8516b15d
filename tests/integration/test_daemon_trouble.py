"""A controller that hangs, and homes that it cannot live in: each says what is wrong."""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from steroids import proc
from steroids.cli import daemon
from steroids.cli.app import run
from steroids.cli.connect import lives, pid_of
from tests.support.controllers import eventually
from tests.support.story_cli import Answer, Cli


def told(answer: Answer, *words: str) -> None:
    """One error and one hint, for people; never a trace."""
    assert answer.code not in (0, 70), answer
    assert "Traceback" not in answer.err
    error, hint = answer.err.splitlines()[-2:]
    assert error.startswith("error: ") and hint.startswith("hint: "), answer
    assert all(word in error for word in words), answer


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounting is for root")
    done = proc.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)])
    if not done.ok:
        pytest.skip(f"no mounting here: {done.err}")
    try:
        yield
    finally:
        assert proc.run(["umount", str(folder)]).ok


def test_one_that_hangs_is_told_and_keeps_nobody_waiting(
    desk: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.run("daemon", "start")
    pid = int(pid_of(desk.home))
    monkeypatch.setenv("STEROIDS_HOME", str(desk.home))
    monkeypatch.setattr(daemon, "ANSWER_TIMEOUT_S", 0.3)
    monkeypatch.setattr(daemon, "STOP_TIMEOUT_S", 0.3)
    os.kill(pid, signal.SIGSTOP)
    try:
        for command in ("status", "start", "stop", "restart"):
            assert run(["daemon", command]) == 1
            error, hint = capsys.readouterr().err.splitlines()
            assert error == f"error: The controller (pid {pid}) has not answered for 0.3 s"
            assert hint.startswith(f"hint: kill -9 {pid}   (runners go on working")
        assert lives(desk.home)
    finally:
        os.kill(pid, signal.SIGCONT)
    # It was asked to, and does so as soon as it can.
    eventually(lambda: not lives(desk.home))


def test_a_home_on_a_full_disk(desk: Cli) -> None:
    with mounted(desk.home, "size=64k,mode=700"):
        (desk.home / "full").write_bytes(b"x" * 4096)
        with contextlib.suppress(OSError), (desk.home / "filler").open("wb") as file:
            while True:
                file.write(b"x" * 4096)
                file.flush()
        for command in (("daemon", "start"), ("daemon", "run"), ("config", "show")):
            told(desk.run(*command), "No space is left", str(desk.home))
        (desk.home / "full").unlink()
        told(desk.run("daemon", "start"), "No space is left")
        assert desk.run("daemon", "status").code == 1
        assert desk.run("daemon", "stop").out == "not running\n"
        assert desk.run("daemon", "logs").code == 0


def test_a_home_that_is_read_only(desk: Cli) -> None:
    with mounted(desk.home, "ro,mode=700"):
        for command in (("daemon", "start"), ("daemon", "run"), ("config", "show")):
            told(desk.run(*command), str(desk.home), "Read-only file system")
        told(desk.run("daemon", "status"), "not running")
        assert desk.run("daemon", "stop").out == "not running\n"


def test_things_in_the_way(desk: Cli) -> None:
    logs = desk.home / "logs"
    logs.write_text("not a folder")
    for command in (("daemon", "start"), ("daemon", "run")):
        told(desk.run(*command), str(logs))
    told(desk.run("daemon", "logs"), "cannot be read")
    logs.unlink()
    (logs / "controller.log").mkdir(parents=True)
    told(desk.run("daemon", "start"), str(logs / "controller.log"), "Is a directory")
    told(desk.run("daemon", "logs"), "cannot be read")
    (logs / "controller.log").rmdir()
    (desk.home / "controller.sock" / "a").mkdir(parents=True)
    told(desk.run("daemon", "start"), str(desk.home / "controller.sock"))
    (desk.home / "controller.sock" / "a").rmdir()
    (desk.home / "controller.sock").rmdir()
    # What a dead one left is in nobody's way.
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(desk.home / "controller.sock"))
    assert desk.run("daemon", "start").code == 0


def test_what_it_printed_is_shown_where_it_has_no_log(desk: Cli) -> None:
    logs = desk.home / "logs"
    assert desk.run("daemon", "logs").err == "the controller has not logged anything\n"
    logs.mkdir()
    (logs / "controller.out").write_text("error: \x1b[2Jno\nhint: yes\n")
    shown = desk.run("daemon", "logs")
    assert shown.err == "what the controller printed:\n"
    assert shown.out == "? error: no\n? hint: yes\n"


def test_a_home_so_deep_that_no_socket_has_room_for_its_path(tmp_path: Path) -> None:
    home = tmp_path / ("d" * 100) / ("e" * 100)
    home.mkdir(parents=True, mode=0o700)
    cli = Cli(home, tmp_path)
    started = cli.run("daemon", "start")
    assert started.code == 0, started
    assert cli.run("daemon", "stop").out == "stopped\n"
