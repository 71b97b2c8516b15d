"""Rows in whose middle something dies: their runner, their review, the controller at each step of
a landing. Each is a scene, and none of them may cost a rejection or land anything twice."""

from collections.abc import Callable
from contextlib import suppress

from steroids.engines.spec import Owned
from steroids.errors import ContainerGone, EngineUnavailable
from tests.support.http_remote import FETCH, PUSH
from tests.support.story import Story, at_gate, gate
from tests.support.story_containers import another, kill, one
from tests.support.table import Played, Row, Stage

Scene = Callable[[Stage, str], None]
WORK = "put a; commit Work"
REVIEW_GATE = gate("review")


def _row(name: str, script: str = WORK, *, way: str = "pirac", lost: int = 0) -> Row:
    return Row(name, script, way=way, lost=lost, landed=["Work"], files={"a": "x\n"})


# -- while it is coded ---------------------------------------------------------------------------


def coder_killed(stage: Stage, section: str) -> None:
    """Its container; another goes on with the same attempt."""
    row = _row("its runner dies", f"{gate()}\n{WORK}", way="pipirac", lost=1)
    (played,) = stage.add(section, row)
    up = stage.story.start("up", "--section", section)
    stage.wait_for_line(played, at_gate())
    kill(stage.story, one(stage.story, "section"))
    stage.wait_for_line(played, at_gate(), times=2)
    stage.story.release(section)
    stage.story.finish(up)


def controller_killed_while_coding(stage: Stage, section: str) -> None:
    (played,) = stage.add(section, _row("controller dies in coding", f"{gate()}\n{WORK}"))
    up = stage.story.start("up", "--section", section)
    stage.wait_for_line(played, at_gate())
    _again(stage.story)
    stage.story.release(section)
    stage.story.finish(up)


# -- while it is reviewed ------------------------------------------------------------------------


def review_killed(stage: Stage, section: str) -> None:
    """The container of its checks: no verdict, so it is reviewed again."""
    (played,) = stage.add(section, _row("its review dies", lost=1))
    up = stage.story.start("up", "--section", section)
    stage.wait_for_line(played, at_gate("review"))
    first = one(stage.story, "review")
    kill(stage.story, first)
    _let_review_pass(stage, played, first, times=2)
    stage.story.finish(up)


def controller_killed_while_reviewing(stage: Stage, section: str) -> None:
    (played,) = stage.add(section, _row("controller dies in review"))
    up = stage.story.start("up", "--section", section)
    stage.wait_for_line(played, at_gate("review"))
    first = one(stage.story, "review")
    _again(stage.story)
    _let_review_pass(stage, played, first, times=2)
    stage.story.finish(up)


# -- while it is landed --------------------------------------------------------------------------


def controller_killed_while_verifying(stage: Stage, section: str) -> None:
    """The target has moved, so that the checks run once more, on what is to be pushed."""
    (played,) = stage.add(section, _row("controller dies verifying", f"{gate()}\n{WORK}"))
    up = stage.story.start("up", "--section", section)
    stage.wait_for_line(played, at_gate())
    stage.colleague_pushes("Meanwhile", {f"{section}.txt": "x\n"})
    stage.story.release(section)
    stage.wait_for_line(played, at_gate("review"))
    first = one(stage.story, "review")
    _let_pass(stage, first)
    stage.wait_for_line(played, at_gate("review"), times=2)
    second = another(stage.story, "review", first)
    _again(stage.story)
    _let_review_pass(stage, played, second, times=3)
    stage.story.finish(up)


def _hooked(hook: str) -> Scene:
    def scene(stage: Stage, section: str) -> None:
        """The push is on its way in, or has taken effect; who pushes lives on for a while."""
        story, mark = stage.story, stage.story.home.parent / f"{hook}.mark"
        wait = f"n=0; until [ -e {mark}.go ] || [ $n -gt 900 ]; do sleep 0.1; n=$((n+1)); done"
        story.origin.hook(hook, f"[ -e {mark}.go ] && exit 0\ntouch {mark}\n{wait}")
        (played,) = stage.add(section, _row(f"controller dies in {hook}"))
        up = story.start("up", "--section", section)
        story.wait_for_file(mark)
        assert (played.task in story.origin.tasks()) == (hook == "post-receive")
        _again(story)
        mark.with_name(f"{mark.name}.go").touch()
        story.finish(up)
        story.origin.hook(hook, None)

    return scene


def _held(name: str, service: str, *, after_push: bool = False) -> Scene:
    def scene(stage: Stage, section: str) -> None:
        """While it waits for an answer: to its fetch, to its push, to its last question."""
        assert stage.remote is not None
        (played,) = stage.add(section, _row(f"controller dies {name}", f"{gate()}\n{WORK}"))
        up = stage.story.start("up", "--section", section)
        stage.wait_for_line(played, at_gate())
        with stage.remote.held(service, after_push=after_push) as asked:
            stage.story.release(section)
            assert asked.reached.wait(60)
            stage.story.kill_controller()
            assert (played.task in stage.story.origin.tasks()) == after_push
        stage.story.finish(up)

    return scene


def _again(story: Story) -> None:
    """The controller dies; `up`, which goes on, has another one started."""
    story.kill_controller()
    story.wait("a new controller", story.controller_lives)


def _let_review_pass(stage: Stage, played: Played, dead: Owned, times: int) -> None:
    """The one that comes in its place."""
    second = another(stage.story, "review", dead)
    stage.wait_for_line(played, at_gate("review"), times=times)
    _let_pass(stage, second)


def _let_pass(stage: Stage, review: Owned) -> None:
    assert stage.story.engine is not None
    # It may be at its end, and gone, before the engine is asked how the command ended; whether the
    # review went on is what the row is about.
    with suppress(EngineUnavailable, ContainerGone):
        assert stage.story.engine.exec(review.handle, ["touch", "/tmp/review"]).exit_code == 0


CRASHES: tuple[tuple[Scene, str | None], ...] = (
    (coder_killed, None),
    (controller_killed_while_coding, None),
    (review_killed, REVIEW_GATE),
    (controller_killed_while_reviewing, REVIEW_GATE),
    (controller_killed_while_verifying, REVIEW_GATE),
    (_hooked("pre-receive"), None),
    (_hooked("post-receive"), None),
)
"""Each with the check of its section."""
HTTP_CRASHES: tuple[tuple[Scene, str | None], ...] = (
    (_held("as it fetches", FETCH), None),
    (_held("before it pushes", PUSH), None),
    (_held("as it asks", FETCH, after_push=True), None),
)
