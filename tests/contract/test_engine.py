"""What `engines/base.py` promises of a container's life, held by every engine."""

import dataclasses
import os
import time

import pytest

from steroids.engines.spec import File, Handle, State, Status
from steroids.errors import ContainerGone, EngineError, ImageMissing, NameTaken
from tests.support.engines import Lab, eventually

GONE_ID = "deadbeef" * 8


def gone(lab: Lab) -> Handle:
    return Handle(lab.engine.name, GONE_ID, "steroids-test-gone")


def test_capabilities_name_the_engine(lab: Lab) -> None:
    capabilities = lab.engine.capabilities()

    assert capabilities.name == lab.engine.name
    assert capabilities.version[0].isdigit()
    assert capabilities.address


def test_starting_the_same_spec_again_finds_the_same_container(lab: Lab) -> None:
    spec = lab.spec()

    first, second = lab.engine.start(spec), lab.engine.start(dataclasses.replace(spec))

    assert first == second
    assert lab.engine.inspect(first) == State(Status.RUNNING)


def test_starting_the_same_spec_again_starts_one_that_stands_still(lab: Lab) -> None:
    spec = lab.spec("trap 'exit 0' TERM; echo up; sleep 60 & wait")
    handle = lab.engine.start(spec)
    lab.engine.stop(handle, 5)

    assert lab.engine.start(spec) == handle
    assert lab.engine.inspect(handle).status is Status.RUNNING


@pytest.mark.parametrize(
    "change",
    [
        {"env": {"A": "2"}},
        {"labels": {"other": "1"}},
        {"files": (File("/etc/x", b"2"),)},
        {"command": ("sleep", "61")},
    ],
)
def test_a_name_that_belongs_to_another_spec_is_taken(lab: Lab, change: dict[str, object]) -> None:
    spec = lab.spec(env={"A": "1"}, files=(File("/etc/x", b"1"),))
    handle = lab.engine.start(spec)

    with pytest.raises(NameTaken) as caught:
        lab.engine.start(dataclasses.replace(spec, **change))  # type: ignore[arg-type]  # any field

    assert spec.name in caught.value.message
    assert caught.value.hint
    assert lab.engine.inspect(handle).status is Status.RUNNING


def test_a_missing_image_is_named_and_nothing_is_left(lab: Lab) -> None:
    spec = lab.spec(image="localhost/steroids/nosuch:1", labels={"case": "no-image"})

    with pytest.raises(ImageMissing, match="localhost/steroids/nosuch:1"):
        lab.engine.start(spec)

    assert lab.engine.list_owned({**lab.labels, "case": "no-image"}) == []


def test_a_program_that_is_not_in_the_image_leaves_no_container(lab: Lab) -> None:
    spec = lab.spec(command=("nosuchprogram",), labels={"case": "no-program"})

    with pytest.raises(EngineError, match="nosuchprogram"):
        lab.engine.start(spec)

    assert lab.engine.list_owned({**lab.labels, "case": "no-program"}) == []


def test_the_exit_code_is_the_programs(lab: Lab) -> None:
    handle = lab.start("exit 7")

    assert lab.ended(handle) == 7
    assert lab.engine.inspect(handle) == State(Status.EXITED, exit_code=7)


def test_the_main_process_is_known_while_it_runs(lab: Lab) -> None:
    handle = lab.start()

    pid = lab.engine.inspect(handle).pid

    assert pid is not None and pid > 1
    lab.engine.stop(handle, 0)
    assert lab.engine.inspect(handle).pid is None


def test_what_the_engine_does_not_have_is_gone(lab: Lab) -> None:
    handle = lab.start()
    lab.engine.remove(handle)

    assert lab.engine.inspect(handle) == State(Status.GONE)
    assert lab.engine.inspect(gone(lab)) == State(Status.GONE)


def test_a_handle_finds_its_container_and_no_namesake(lab: Lab) -> None:
    spec = lab.spec()
    old = lab.engine.start(spec)
    lab.engine.remove(old)
    new = lab.engine.start(spec)

    assert lab.engine.inspect(old).status is Status.GONE
    assert lab.engine.inspect(new).status is Status.RUNNING


def test_term_is_heard_before_the_grace_ends(lab: Lab) -> None:
    handle = lab.started_and_up("trap 'echo bye; exit 3' TERM; echo up; sleep 60 & wait")
    began = time.monotonic()

    lab.engine.stop(handle, 20)

    assert time.monotonic() - began < 15
    assert lab.engine.inspect(handle) == State(Status.EXITED, exit_code=3)
    assert lab.output(handle) == b"up\nbye\n"


def test_one_that_ignores_term_is_killed_after_the_grace(lab: Lab) -> None:
    handle = lab.started_and_up("trap '' TERM; echo up; sleep 60")
    began = time.monotonic()

    lab.engine.stop(handle, 1)

    assert time.monotonic() - began >= 0.9
    assert lab.engine.inspect(handle) == State(Status.EXITED, exit_code=137)


def test_stopping_what_is_stopped_or_gone_is_fine(lab: Lab) -> None:
    handle = lab.start("exit 0")
    lab.ended(handle)

    lab.engine.stop(handle, 1)
    lab.engine.remove(handle)
    lab.engine.stop(handle, 1)

    assert lab.engine.inspect(handle).status is Status.GONE


def test_removing_kills_at_once_and_may_be_repeated(lab: Lab) -> None:
    handle = lab.started_and_up("trap '' TERM; echo up; sleep 60")
    began = time.monotonic()

    lab.engine.remove(handle)
    lab.engine.remove(handle)

    assert time.monotonic() - began < 5
    assert lab.engine.inspect(handle).status is Status.GONE


def test_removing_straight_after_the_start_works(lab: Lab) -> None:
    for _ in range(3):
        handle = lab.start()
        lab.engine.remove(handle)
        assert lab.engine.inspect(handle).status is Status.GONE


def test_environment_and_files_are_there_when_the_program_starts(lab: Lab) -> None:
    handle = lab.start(
        "printenv GREETING; cat $STEROIDS_ROOT/etc/secret; "
        "stat -c '%a %u' $STEROIDS_ROOT/etc/secret; stat -c '%a %u' $STEROIDS_ROOT/run/x",
        env={"GREETING": "good day = $HOME"},
        files=(File("/etc/secret", b"hush\n"), File("/run/x", b"", mode=0o644)),
    )

    assert lab.ended(handle) == 0
    root = 0 if lab.engine.capabilities().isolated else os.getuid()
    told = f"good day = $HOME\nhush\n600 {root}\n644 {root}\n"
    assert lab.output(handle) == told.encode()


def test_owned_containers_are_listed_running_or_not(lab: Lab) -> None:
    mine = {**lab.labels, "case": "list-owned"}
    running = lab.start(labels={"case": "list-owned", "n": "1"})
    ended = lab.start("exit 4", labels={"case": "list-owned", "n": "2"})
    lab.start(labels={"case": "another"})
    lab.ended(ended)

    owned = {each.handle: each for each in lab.engine.list_owned(mine)}

    assert set(owned) == {running, ended}
    assert owned[running].state == State(Status.RUNNING)
    assert owned[running].labels == {**mine, "n": "1"}
    assert owned[ended].state == State(Status.EXITED, exit_code=4)


def test_calls_on_what_is_gone_say_so(lab: Lab) -> None:
    with pytest.raises(ContainerGone):
        lab.engine.exec(gone(lab), ["true"])
    with pytest.raises(ContainerGone):
        lab.engine.logs(gone(lab))
    with pytest.raises(ContainerGone):
        lab.engine.commit(gone(lab), lab.ref(), labels={}, command=["true"])


def test_a_container_killed_from_outside_is_seen_as_ended(lab: Lab) -> None:
    handle = lab.started_and_up("trap 'exit 9' TERM; echo up; sleep 60 & wait")

    lab.engine.stop(handle, 0)

    assert eventually(lambda: lab.engine.inspect(handle).exit_code) in (9, 137)
