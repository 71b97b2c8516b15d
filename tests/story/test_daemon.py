"""One controller per home, whoever starts it and however often."""

from concurrent.futures import ThreadPoolExecutor

from tests.support.story import Story, at_gate, gate


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
