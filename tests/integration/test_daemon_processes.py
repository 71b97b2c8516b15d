"""Which processes are ours, and that no other one is ever signalled."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from steroids.containment import daemon, ending
from steroids.containment.command_line import Kind
from steroids.containment.daemon import (
    find_all_daemon_processes,
    is_daemon_running,
    verify_daemon_process,
)
from tests.support.daemons import Daemons, namespace

WAIT = "import signal; print('up', flush=True); signal.pause()"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Daemons]:
    """Processes with the command lines of ours, which do nothing."""
    made = Daemons(tmp_path)
    made.program.write_text(WAIT)
    try:
        yield made
    finally:
        made.end()


def found(path: Path) -> list[int]:
    return sorted(each.pid for each in find_all_daemon_processes(path))


def test_a_controller_is_one_of_the_home_that_it_names(place: Daemons) -> None:
    started = place.start().up()
    it = verify_daemon_process(started.pid)
    assert it is not None
    assert (it.pid, it.kind, it.path) == (started.pid, Kind.CONTROLLER, str(place.home))
    link = place.folder / "link"
    link.symlink_to(place.home)
    for path in (place.home, str(place.home) + "/", link):
        assert is_daemon_running(started.pid, path)
        assert is_daemon_running(started.pid, path, it.created)
        assert not is_daemon_running(started.pid, path, it.created - 60)
    assert not is_daemon_running(started.pid, place.folder)
    assert not is_daemon_running(started.pid, place.folder / "nowhere")
    started.process.kill()
    # Nobody has waited for it yet.
    os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)
    assert verify_daemon_process(started.pid) is None
    assert found(place.home) == []


def test_ways_to_name_a_home(place: Daemons) -> None:
    user = place.folder / "user"
    (user / ".steroids").mkdir(parents=True)
    ways = [
        place.start(STEROIDS_HOME="", HOME=str(user)),
        place.start(STEROIDS_HOME="~/.steroids", HOME=str(user)),
        place.start(STEROIDS_HOME=str(user / ".steroids")[1:]),  # in /
    ]
    wanted = sorted(each.up().pid for each in ways)
    assert found(user / ".steroids") == wanted
    assert found(place.home) == []


def test_ways_to_name_a_project(place: Daemons) -> None:
    project = place.folder / "project"
    (project / ".steroids").mkdir(parents=True)
    below = project / "apps"
    below.mkdir()
    inside = f"import os, sys; os.chdir({str(below)!r}); {WAIT}"
    place.program.with_name("inside").mkdir()
    program = place.program.with_name("inside") / "steroids"
    program.write_text(inside)
    ways = [
        place.start("loop", "--project", str(project)),
        place.start("--project=/", "loop", f"--project={project}", "--once"),
        place.start("loop", STEROIDS_PROJECT=str(project)),
        place.run(sys.executable, str(program), "loop"),
    ]
    place.start("loop", "--project", str(place.home)).up()
    wanted = sorted(each.up().pid for each in ways)
    assert found(project) == wanted


@pytest.mark.parametrize("pid", [1, 2, None, 2**22 + 1, 2**40, -1, 0])
def test_what_is_none_of_ours(pid: int | None) -> None:
    pid = os.getpid() if pid is None else pid
    assert verify_daemon_process(pid) is None
    assert not is_daemon_running(pid, "/")


def test_what_may_not_be_read_is_not_ours(place: Daemons, monkeypatch: pytest.MonkeyPatch) -> None:
    started = place.start().up()

    def denied(process: psutil.Process) -> None:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "environ", denied)
    assert verify_daemon_process(started.pid) is None
    assert found(place.home) == []


def test_a_home_of_another_container_has_the_same_path(tmp_path: Path) -> None:
    home = tmp_path / "place" / "home"
    home.parent.mkdir()
    with namespace(f"mkdir -p {home} && mount -t tmpfs tmpfs {home}") as prefix:
        place = Daemons(tmp_path / "place", prefix)
        try:
            place.program.write_text(WAIT)
            started = place.start().up()
            assert verify_daemon_process(started.pid) is not None
            assert found(home) == []
        finally:
            place.end()


# -- signals -------------------------------------------------------------------------------------


def test_another_process_of_that_number_is_left_alone(
    place: Daemons, caplog: pytest.LogCaptureFixture
) -> None:
    started = place.start().up()
    it = verify_daemon_process(started.pid)
    assert it is not None
    for other in (
        it._replace(created=it.created - 60),
        it._replace(argv=[*it.argv, "--json"]),
        it._replace(path="/elsewhere"),
        it._replace(kind=Kind.LOOP),
    ):
        ending.end([other], "a test")
        assert "left alone" in caplog.messages[-1]
    assert started.lives
    assert not [each for each in caplog.messages if each.startswith("SIG")]


@pytest.mark.parametrize("handles", [True, False])
@pytest.mark.parametrize("hangs", [False, True])
def test_ending_several(
    place: Daemons,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    handles: bool,
    hangs: bool,
) -> None:
    if not handles:
        monkeypatch.delattr(os, "pidfd_open")
    caplog.set_level(logging.INFO)
    started = [place.start().up(), place.start().up()]
    for each in started if hangs else ():
        each.hang()
    daemons = find_all_daemon_processes(place.home)
    ending.end(daemons, "a test", grace_s=0.2 if hangs else 30)
    names = ["SIGTERM", "SIGKILL"] if hangs else ["SIGTERM"]
    wanted = [f"{name} to controller {each.pid} of" for name in names for each in started]
    sent = [text for text in caplog.messages if text.startswith("SIG")]
    assert sorted(text.split(f" {place.home}")[0] for text in sent) == sorted(wanted)
    assert all(f"{place.program} daemon run): a test" in text for text in sent)
    expected = -signal.SIGKILL if hangs else -signal.SIGTERM
    assert [each.ended() for each in started] == [expected, expected]


def test_one_that_went_meanwhile(place: Daemons) -> None:
    started = place.start().up()
    daemons = find_all_daemon_processes(place.home)
    started.process.kill()
    started.ended()
    ending.end(daemons, "a test")


def test_times_are_the_same_within_what_the_kernel_knows() -> None:
    assert daemon.same_time(10.0, 11.5)
    assert not daemon.same_time(10.0, 13.0)
