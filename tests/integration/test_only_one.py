"""One controller per home and one loop per project, with real processes; and nothing else ends."""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from steroids.containment import pid_file
from steroids.containment.daemon import find_all_daemon_processes, is_daemon_running
from steroids.containment.single import STARTING_S
from tests.support.daemons import Daemon, Daemons, inside, namespace, outside
from tests.support.engines import eventually

__all__ = ["inside", "outside"]

AT_ONCE = 20
ROUNDS = int(os.environ.get("STEROIDS_TEST_ROUNDS", "2"))


def one_of(started: list[Daemon]) -> Daemon:
    """The one that stays, when the others have said that it does."""
    eventually(lambda: sum(each.lives for each in started) <= 1, timeout_s=240)
    (left,) = [each for each in started if each.lives]
    message = f"The controller is already running (pid {left.up().pid})"
    for each in started:
        if each is not left:
            assert (each.process.returncode, each.said) == (6, message)
    return left


def check_record(place: Daemons, left: Daemon) -> None:
    record = pid_file.read(place.home / "controller.pid")
    assert record is not None
    assert record.pid == left.pid
    assert is_daemon_running(record.pid, place.home, record.created)
    assert [each.pid for each in find_all_daemon_processes(place.home)] == [left.pid]


@pytest.mark.timeout(600 + 60 * ROUNDS)
@pytest.mark.parametrize("enforced", [False, True])
def test_of_many_at_once_one_stays(outside: Daemons, enforced: bool) -> None:
    if enforced:
        outside.enforce()
    bystanders = outside.bystanders()
    for number in range(ROUNDS):
        left = one_of([outside.start() for _ in range(AT_ONCE)])
        check_record(outside, left)
        # What a killed one leaves is there for the next round, what one that ends leaves is not.
        left.process.send_signal(signal.SIGKILL if number % 2 else signal.SIGTERM)
        left.ended()
        assert (outside.home / "controller.pid").exists() == bool(number % 2)
        assert all(each.lives for each in bystanders)


@pytest.mark.timeout(600 + 60 * ROUNDS)
def test_of_many_at_once_one_stays_in_a_container(inside: Daemons) -> None:
    bystanders = inside.bystanders()
    before = inside.start().up()
    for _ in range(ROUNDS):
        inside.age()
        left = one_of([inside.start() for _ in range(AT_ONCE)])
        assert before.ended() == 0
        check_record(inside, left)
        assert all(each.lives for each in bystanders)
        before = left


# -- what was left behind ------------------------------------------------------------------------


def _record(place: Daemons, **other: object) -> None:
    # Of a process that lives, was created then, and has nothing to do with it.
    (bystander,) = place.started
    process = psutil.Process(bystander.pid)
    record = pid_file.Record(
        bystander.pid, process.create_time(), str(place.home), process.cmdline()
    )._asdict()
    (place.home / "controller.pid").write_text(json.dumps({**record, **other}))
    (place.home / "controller.lock").write_text(f"{other.get('pid', bystander.pid)}\n")


def _socket(place: Daemons) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(f"/proc/self/fd/{os.open(place.home, os.O_RDONLY)}/controller.sock")


LEFT: dict[str, Callable[[Daemons], object]] = {
    "a dead process": lambda place: _record(place, pid=2**22 + 1),
    "a reused number": lambda place: _record(place, created=1.0),
    "a number of something else": _record,
    "half a record": lambda place: (place.home / "controller.pid").write_text('{"pid": 12'),
    "a dead socket": _socket,
    "all sorts in the lock": lambda place: (place.home / "controller.lock").write_text("\0x"),
}


@pytest.mark.parametrize("name", LEFT)
@pytest.mark.parametrize("where", ["outside", "inside"])
def test_what_was_left_behind(request: pytest.FixtureRequest, where: str, name: str) -> None:
    place: Daemons = request.getfixturevalue(where)
    place.enforce()
    bystander = place.run("sh", "-c", "echo up; exec sleep infinity").up()
    LEFT[name](place)
    left = place.start(NOT_READY="1").up()
    check_record(place, left)
    assert bystander.lives
    assert not (place.home / "controller.sock").exists()


# -- one that lives ------------------------------------------------------------------------------


@pytest.mark.parametrize("enforced", [False, True])
def test_outside_nothing_that_lives_is_ended(outside: Daemons, enforced: bool) -> None:
    if enforced:
        outside.enforce()
    first = outside.start().up()
    for stopped in (False, True):
        if stopped:
            first.hang()
        second = outside.start()
        assert second.ended() == 6
        assert second.said == f"The controller is already running (pid {first.pid})"
        assert first.lives
    assert not (outside.home / "logs").exists()


def test_outside_one_that_lost_its_lock_counts_too(outside: Daemons) -> None:
    outside.enforce()
    first = outside.start().up()
    # Somebody tidied up: the next one gets a lock of its own.
    (outside.home / "controller.lock").unlink()
    (outside.home / "controller.lock").write_text(f"{first.pid}\n")
    second = outside.start()
    assert second.ended() == 6
    assert second.said == f"The controller is already running (pid {first.pid})"
    assert first.lives


@pytest.mark.parametrize("hangs", [False, True])
@pytest.mark.parametrize("damaged", [False, True])
def test_in_a_container_the_one_before_is_ended(
    inside: Daemons, hangs: bool, damaged: bool
) -> None:
    bystanders = inside.bystanders()
    first = inside.start().up()
    if hangs:
        first.hang()
    if damaged:
        (inside.home / "controller.pid").write_text("{")
    inside.age()
    second = inside.start().up()
    assert first.ended() == (-signal.SIGKILL if hangs else 0)
    check_record(inside, second)
    assert all(each.lives for each in bystanders)
    lines = [
        json.loads(line)
        for line in (inside.home / "logs" / "controller.log").read_text().splitlines()
    ]
    # The one that was killed has left its socket, and another is removed.
    lines = [each for each in lines if "pid" in each]
    told = [(each["message"].split()[0], each["pid"]) for each in lines]
    assert told == [(name, first.pid) for name in ["SIGTERM", "SIGKILL"][: 1 + hangs]]
    for each in lines:
        assert "daemon run" in each["command"]
        assert each["why"].startswith(f"controller {second.pid} starts")


def test_one_that_has_hardly_begun_is_one_of_many_at_once(inside: Daemons) -> None:
    first = inside.start().up()
    second = inside.start()
    assert second.ended() == 6
    assert second.said == f"The controller is already running (pid {first.pid})"
    assert first.lives


def test_one_that_does_not_serve_yet_is_waited_for(inside: Daemons) -> None:
    first = inside.start(NOT_READY="1").up()
    inside.age()
    second = inside.start()
    assert second.ended() == 6
    assert second.said == f"The controller is already running (pid {first.pid})"
    assert first.lives
    # Not for ever: then it will not come any more.
    lock = inside.home / "controller.lock"
    os.utime(lock, (lock.stat().st_atime, lock.stat().st_mtime - 2 * STARTING_S))
    third = inside.start().up()
    assert first.ended() == 0
    check_record(inside, third)


def test_the_real_ones_in_a_container(inside: Daemons) -> None:
    real = (sys.executable, "-m", "steroids", "daemon", "run")
    answers = inside.home / "controller.sock"
    first = inside.run(*real)
    eventually(answers.exists, timeout_s=60)
    inside.age()
    second = inside.run(*real)
    assert first.ended() == 0
    eventually(answers.exists, timeout_s=60)
    check_record(inside, second)


# -- loops ---------------------------------------------------------------------------------------


def test_loops_of_a_project_in_a_container(inside: Daemons) -> None:
    mine, other = inside.folder / "mine", inside.folder / "other-project"
    mine.mkdir()
    other.mkdir()
    bystander = inside.start("loop", "--project", str(other)).up()
    controller = inside.start().up()
    first = inside.start("loop", "--project", str(mine), SECTION="-a").up()
    inside.age()
    second = inside.start("loop", "--project", str(mine), SECTION="-b").up()
    assert first.ended() == 0
    inside.age()
    three = [inside.start("loop", "--project", str(mine)) for _ in range(3)]
    eventually(lambda: sum(each.lives for each in three) == 1, timeout_s=60)
    (left,) = [each.up() for each in three if each.lives]
    assert second.ended() == 0
    assert {each.said for each in three if each is not left} == {
        f"A loop of {mine} is already running (pid {left.pid})"
    }
    assert [each.pid for each in find_all_daemon_processes(mine)] == [left.pid]
    assert bystander.lives
    assert controller.lives


# -- a home that cannot be written ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("mount", "message"),
    [
        ("ro", "{}/controller.pid cannot be written: Read-only file system"),
        ("size=8k", "No space is left to write {}/controller.pid"),
    ],
)
def test_a_home_that_cannot_be_written(tmp_path: Path, mount: str, message: str) -> None:
    home = tmp_path / "home"
    fill = f"dd if=/dev/zero of={home}/fill bs=4k 2>/dev/null || true"
    fill = "true" if mount == "ro" else fill
    with namespace(
        f"mkdir -p {home} && mount -t tmpfs -o {mount} tmpfs {home} && {fill}"
    ) as prefix:
        (tmp_path / "place").mkdir()
        place = Daemons(tmp_path / "place", prefix)
        try:
            refused = place.start(STEROIDS_HOME=str(home))
            assert (refused.ended(), refused.said) == (1, message.format(home))
        finally:
            place.end()
