"""One controller per home, whoever starts it and however often."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.story.test_local_engine import told_locally
from tests.support.story import Story, at_gate, gate
from tests.support.story_repos import plain_monorepo


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Story]:
    """A plain monorepo; its runners are processes of this host."""
    yield from told_locally(tmp_path, plain_monorepo)


def test_twenty_starts_at_once_make_one_controller(desk_story: Story) -> None:
    story = desk_story
    story.run("daemon", "stop")
    assert not story.controller_lives()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: story.run("daemon", "start", "--json"), range(20)))
    assert {each.json["daemon"]["pid"] for each in answers} == {story.controller_pid()}
    again = story.run("daemon", "start")
    assert f"already running, pid {story.controller_pid()}" in again.out
    assert story.run("daemon", "run", exits=6).err.startswith("error: The controller is already")
    story.run("daemon", "stop")
    assert "not running" in story.run("daemon", "stop").out
    # Whoever copies a store has all of it.
    left = [*story.home.glob("steroids.db-*"), *(story.repo.path / ".steroids").glob("*.db-*")]
    assert left == []
    story.run("daemon", "status", exits=1)


def test_stopping_the_controller_leaves_runners_at_their_work(story: Story) -> None:
    story.add_section("A")
    task = story.add_task("A", "Unimpressed", f"{gate()}\necho done > apps/a/done.txt")
    story.run("up", "-d")
    story.wait_for_line(at_gate())
    (before,) = story.containers("section")
    story.run("daemon", "stop")
    assert not story.controller_lives()
    (during,) = story.containers("section")
    assert (during.handle, during.state) == (before.handle, before.state)
    assert story.engine is not None
    assert story.engine.exec(during.handle, ["touch", "/tmp/go"]).exit_code == 0
    story.run("up")
    shown = story.task(task)
    assert (shown["status"], shown["infrastructureFailures"]) == ("completed", 0)
    assert story.origin.tasks() == [task]


def test_a_restart_and_a_stop_with_runners_in_the_middle_of_work_lose_nothing(
    local: Story,
) -> None:
    story = local
    story.add_section("A")
    commit = "git add --all && git commit --quiet --message"
    restarted = story.add_task("A", "Restarted", f"{gate()}\necho done > apps/a/done.txt")
    stopped = story.add_task(
        "A",
        "Stopped",
        "if ! test -e apps/a/half.txt; then\n"
        f"echo half > apps/a/half.txt; {commit} half; {gate('then')}\nfi\n"
        "echo whole > apps/a/whole.txt",
    )
    story.run("up", "-d")
    story.wait_for_line(at_gate())
    (before,) = story.runners()
    pid = story.controller_pid()
    again = story.run("daemon", "restart", "--json").json
    assert again["status"] == "restarted" and again["daemon"]["pid"] != pid
    assert again["daemon"]["runners"] == 1
    (after,) = story.runners()
    assert (after["id"], after["pid"]) == (before["id"], before["pid"])
    story.release("A")
    story.wait_for_line(at_gate("then"))

    shown = story.run("daemon", "stop", "--with-runners")
    assert shown.out == f"stopped {before['id'][:8]}  A\nstopped\n"
    assert "1 runner stopped; steroids up goes on" in shown.err
    assert not story.controller_lives() and story.containers() == []

    story.run("up")
    for task in (restarted, stopped):
        now = story.task(task)
        assert (now["status"], now["infrastructureFailures"]) == ("completed", 0)
        assert len(now["attempts"]) == 1 or task == stopped
    assert story.origin.landings() == [restarted, stopped]
    assert story.origin.tasks() == [stopped, stopped, restarted]
    told = story.run("daemon", "stop", "--with-runners", "--json").json
    assert (told["stopped"], told["runners"]) == (True, [])
