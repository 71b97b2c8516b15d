"""Logs and exec, held by every engine."""

import threading
import time

import pytest

from steroids.engines.spec import ExecResult
from steroids.errors import EngineError
from tests.support.engines import REAL, Lab

TWO_STREAMS = "echo out; echo err >&2"


def test_logs_have_both_streams_while_it_runs_and_after(lab: Lab) -> None:
    handle = lab.started_and_up(f"{TWO_STREAMS}; echo up; sleep 60")

    assert sorted(lab.output(handle).split()) == [b"err", b"out", b"up"]
    lab.engine.stop(handle, 0)
    assert sorted(lab.output(handle).split()) == [b"err", b"out", b"up"]


def test_logs_can_be_followed_to_the_end(lab: Lab) -> None:
    handle = lab.start("echo one; sleep 0.3; echo two; sleep 0.3; echo three")

    assert b"".join(lab.engine.logs(handle, follow=True)) == b"one\ntwo\nthree\n"


def test_followed_logs_come_as_they_are_written(lab: Lab) -> None:
    handle = lab.start("echo early; sleep 60")

    assert next(lab.engine.logs(handle, follow=True)) == b"early\n"


def test_following_ends_when_the_container_is_removed(lab: Lab) -> None:
    handle = lab.started_and_up("echo up; sleep 60")
    timer = threading.Timer(0.3, lab.engine.remove, [handle])
    timer.start()

    assert b"".join(lab.engine.logs(handle, follow=True)) == b"up\n"
    timer.join()


def test_the_tail_is_the_last_lines(lab: Lab) -> None:
    handle = lab.start("echo 1; echo 2; echo 3")
    lab.ended(handle)

    assert b"".join(lab.engine.logs(handle, tail=2)) == b"2\n3\n"
    assert b"".join(lab.engine.logs(handle, tail=0)) == b""
    assert b"".join(lab.engine.logs(handle, follow=True, tail=1)) == b"3\n"


def test_logs_of_one_that_said_nothing_are_empty(lab: Lab) -> None:
    handle = lab.start("exit 0")
    lab.ended(handle)

    assert lab.output(handle) == b""


def test_exec_has_output_and_exit_code(lab: Lab) -> None:
    handle = lab.start()

    assert lab.engine.exec(handle, ["true"]) == ExecResult(0, b"")
    assert lab.engine.exec(handle, ["echo", "a b"]) == ExecResult(0, b"a b\n")
    result = lab.engine.exec(handle, ["sh", "-c", f"{TWO_STREAMS}; exit 5"])
    assert result.exit_code == 5
    assert sorted(result.output.split()) == [b"err", b"out"]


@pytest.mark.parametrize("lab", ["fake", *REAL], indirect=True, scope="session")
def test_exec_runs_as_the_user_that_is_named(lab: Lab) -> None:
    handle = lab.start()

    assert lab.engine.exec(handle, ["id", "-u"]).output == b"0\n"
    assert lab.engine.exec(handle, ["id", "-u"], user="1000").output == b"1000\n"


def test_exec_runs_in_the_folder_that_is_named(host_lab: Lab) -> None:
    handle = host_lab.start()

    script = 'test "$(pwd)" = "$STEROIDS_ROOT/etc"'
    assert host_lab.engine.exec(handle, ["sh", "-c", script], workdir="/etc").exit_code == 0
    assert host_lab.engine.exec(handle, ["sh", "-c", script], workdir="/run").exit_code == 1


def test_an_unknown_command_has_an_exit_code(lab: Lab) -> None:
    handle = lab.start()

    assert lab.engine.exec(handle, ["nosuchprogram"]).exit_code in (126, 127)


def test_an_unknown_user_has_an_exit_code(real_lab: Lab) -> None:
    handle = real_lab.start()

    result = real_lab.engine.exec(handle, ["id"], user="nosuchuser")

    assert result.exit_code in (126, 127)
    assert b"nosuchuser" in result.output


def test_exec_in_one_that_has_ended_is_refused(lab: Lab) -> None:
    handle = lab.start("exit 0")
    lab.ended(handle)

    with pytest.raises(EngineError) as caught:
        lab.engine.exec(handle, ["true"])

    assert caught.value.code == "ENGINE_FAILED"


LONG = "x" * 990
MANY = f"i=1000; while [ $i -lt 4000 ]; do echo $i {LONG}; i=$((i+1)); done"
MANY_OUTPUT = b"".join(f"{i} {LONG}\n".encode() for i in range(1000, 4000))


def test_no_byte_of_a_large_output_of_exec_is_lost(host_lab: Lab) -> None:
    assert host_lab.engine.exec(host_lab.start(), ["sh", "-c", MANY]).output == MANY_OUTPUT


@pytest.mark.parametrize("tail", [None, 1])
def test_no_byte_of_followed_logs_is_lost_on_a_slow_reader(host_lab: Lab, tail: int | None) -> None:
    handle = host_lab.start(MANY)
    chunks: list[bytes] = []
    for chunk in host_lab.engine.logs(handle, follow=True, tail=tail):
        if not chunks:
            host_lab.ended(handle)
            time.sleep(0.5)
        chunks.append(chunk)

    output = b"".join(chunks)
    assert MANY_OUTPUT.endswith(output)
    assert output == MANY_OUTPUT or tail is not None
    assert output.endswith(b"\n") and output
    assert host_lab.output(handle) == MANY_OUTPUT


def test_long_and_unfinished_lines_are_whole(host_lab: Lab) -> None:
    script = f"printf '%s' {'a' * 9000}; printf '%s\\n' {'b' * 20000}; printf unfinished"
    handle = host_lab.start(script)

    followed = b"".join(host_lab.engine.logs(handle, follow=True))

    assert followed == b"a" * 9000 + b"b" * 20000 + b"\n" + b"unfinished"
    assert host_lab.output(handle) == followed


def test_exec_is_refused_or_fails_when_the_container_dies_under_it(host_lab: Lab) -> None:
    handle = host_lab.start()
    timer = threading.Timer(0.5, host_lab.engine.stop, [handle, 0])
    timer.start()

    try:
        assert host_lab.engine.exec(handle, ["sleep", "30"]).exit_code != 0
    except EngineError as error:
        assert error.message
    timer.join()
