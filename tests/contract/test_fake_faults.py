"""The fake engine's ways to misbehave, on which tests of services rely."""

from collections.abc import Iterator

import pytest

from steroids.engines.fake import FakeEngine
from steroids.engines.fake_box import Box
from steroids.engines.fake_faults import AFTER, BEFORE, MIDWAY
from steroids.engines.spec import ContainerSpec, State, Status
from steroids.errors import ContainerGone, EngineUnavailable
from tests.support.engines import eventually

SPEC = ContainerSpec("one", "localhost/x:1")


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    engine = FakeEngine()
    engine.images.add("localhost/x:1")
    yield engine
    engine.close()


@pytest.mark.parametrize(
    ("at", "left"),
    [(BEFORE, []), (MIDWAY, [Status.CREATED]), (AFTER, [Status.RUNNING])],
)
def test_a_start_fails_before_during_or_after_its_effect(
    engine: FakeEngine, at: str, left: list[Status]
) -> None:
    engine.faults.fail("start", at)

    with pytest.raises(EngineUnavailable):
        engine.start(SPEC)

    assert [each.state.status for each in engine.list_owned({})] == left
    assert engine.inspect(engine.start(SPEC)).status is Status.RUNNING


def test_an_engine_that_is_down_forgets_nothing(engine: FakeEngine) -> None:
    handle = engine.start(SPEC)
    logs = engine.logs(handle, follow=True)
    engine.faults.down = True

    with pytest.raises(EngineUnavailable):
        engine.inspect(handle)
    with pytest.raises(EngineUnavailable):
        next(logs)

    engine.faults.down = False
    assert engine.inspect(handle) == State(Status.RUNNING)


def test_a_container_can_be_lost_or_killed_by_others(engine: FakeEngine) -> None:
    handle = engine.start(SPEC)

    engine.die(handle)
    assert engine.inspect(handle) == State(Status.EXITED, exit_code=137)
    engine.lose(handle)
    assert engine.inspect(handle) == State(Status.GONE)
    with pytest.raises(ContainerGone):
        engine.exec(handle, ["true"])


def test_an_image_can_run_a_callable(engine: FakeEngine) -> None:
    def program(box: Box) -> int:
        box.write(box.env["WORD"].encode())
        box.sleep(0)
        return 3

    engine.programs["localhost/x:1"] = program
    handle = engine.start(ContainerSpec("two", "localhost/x:1", env={"WORD": "hi"}))

    assert eventually(lambda: engine.inspect(handle).exit_code) == 3
    assert b"".join(engine.logs(handle)) == b"hi"
