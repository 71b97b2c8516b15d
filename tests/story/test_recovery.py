"""Things die in the middle: a runner's container, the controller. Nobody has to help."""

from functools import partial

import pytest

from steroids.engines.spec import Owned
from tests.support.story import Story, at_gate, gate
from tests.support.story_containers import another, kill, one


def test_a_killed_runner_is_replaced_and_its_task_completes(story: Story) -> None:
    story.add_section("A")
    task = story.add_task("A", "Interrupted", f"{gate()}\necho done > apps/a/done.txt")
    up = story.start("up")
    first = _section_container(story)
    story.wait_for_line(at_gate())

    kill(story, first)
    another(story, "section", first)
    story.wait_for_status(task, "in_progress")
    story.wait("at the gate again", lambda: len(_at(story, at_gate())) == 2)
    story.release("A")
    answer = story.finish(up)

    assert "runner lost" in answer.out
    shown = story.task(task)
    assert shown["status"] == "completed"
    assert (shown["infrastructureFailures"], shown["rejectionCount"]) == (1, 0)
    assert shown["currentAttempt"] == 1
    assert story.origin.tasks() == [task]


def test_a_task_that_loses_every_runner_fails_and_says_so(story: Story) -> None:
    story.configure(max_attempts_lost=2)
    story.add_section("A")
    task = story.add_task("A", "Doomed", gate())
    up = story.start("up")
    for number in (1, 2):
        story.wait("at the gate", partial(_has_been_at, story, at_gate(), number))
        kill(story, _section_container(story))
    story.finish(up, exits=1)
    shown = story.task(task)
    assert (shown["status"], shown["infrastructureFailures"]) == ("failed", 2)
    assert "2 runners were lost on it" in shown["reason"]
    assert story.origin.tasks() == []


def test_a_controller_killed_while_a_task_is_worked_on_finds_the_runner_again(
    story: Story,
) -> None:
    story.add_section("A", "test -e apps/a/done.txt")
    task = story.add_task("A", "Goes on", f"{gate()}\necho done > apps/a/done.txt\necho late")
    up = story.start("up")
    before = _section_container(story)
    story.wait_for_line(at_gate())

    story.kill_controller()
    # Nobody started it again but the `up` that follows.
    story.wait("a new controller", story.controller_lives)
    assert _section_container(story).handle.id == before.handle.id
    story.release("A")
    answer = story.finish(up)

    assert "late" in answer.out
    shown = story.task(task)
    assert (shown["status"], shown["currentAttempt"]) == ("completed", 1)
    assert (shown["infrastructureFailures"], shown["rejectionCount"]) == (0, 0)
    assert story.origin.tasks() == [task]
    assert [each["runnerId"] for each in story.events("claimed")] == [
        before.labels["io.steroids.runner"]
    ]


def test_a_controller_killed_during_a_review_reviews_again(story: Story) -> None:
    story.add_section("A", gate("review"))
    task = story.add_task("A", "Reviewed twice", "echo done > apps/a/done.txt")
    up = story.start("up")
    first = one(story, "review")
    story.wait_for_line(at_gate("review"))

    story.kill_controller()
    second = another(story, "review", first)
    story.wait("at the gate again", lambda: len(_at(story, at_gate("review"))) == 2)
    assert story.engine is not None
    assert story.engine.exec(second.handle, ["touch", "/tmp/review"]).exit_code == 0
    story.finish(up)

    shown = story.task(task)
    assert (shown["status"], shown["rejectionCount"]) == ("completed", 0)
    assert story.origin.tasks() == [task]
    story.wait("containers gone", lambda: story.containers() == [])


@pytest.mark.parametrize("hook", ["pre-receive", "post-receive"])
def test_a_controller_killed_while_it_pushes_lands_once(story: Story, hook: str) -> None:
    """Before the push takes effect, and after it: the git that pushes lives on in both."""
    marks = story.home.parent
    story.origin.hook(
        hook,
        f"""[ -e {marks}/go ] && exit 0
touch {marks}/pushing
n=0; until [ -e {marks}/go ] || [ $n -gt 2000 ]; do sleep 0.1; n=$((n+1)); done""",
    )
    story.add_section("A")
    tasks = [
        story.add_task("A", title, f"echo {title} > apps/a/{title}.txt")
        for title in ("first", "second")
    ]
    up = story.start("up")
    story.wait_for_file(marks / "pushing")
    effective = story.origin.tasks() == tasks[:1]
    assert effective == (hook == "post-receive")

    story.kill_controller()
    story.wait("a new controller", story.controller_lives)
    (marks / "go").touch()
    story.finish(up)

    assert sorted(story.origin.tasks()) == sorted(tasks)
    assert [story.task(task)["status"] for task in tasks] == ["completed"] * 2
    assert [len(_landed(story, task)) for task in tasks] == [1, 1]
    assert story.origin.rewrites() == []


def test_a_push_that_fails_while_nobody_looks_is_made_again(story: Story) -> None:
    marks = story.home.parent
    story.origin.hook(
        "pre-receive",
        f"""[ -e {marks}/go ] && exit 0
touch {marks}/pushing
n=0; until [ -e {marks}/refuse ] || [ $n -gt 2000 ]; do sleep 0.1; n=$((n+1)); done
touch {marks}/go; exit 1""",
    )
    story.add_section("A")
    task = story.add_task("A", "Pushed twice", "echo done > apps/a/done.txt")
    up = story.start("up", "-d")
    story.wait_for_file(marks / "pushing")
    story.finish(up)
    story.kill_controller()
    (marks / "refuse").touch()
    story.wait_for_file(marks / "go")
    assert story.origin.tasks() == []
    # Any command brings the controller back; it goes on without being told.
    story.wait_for_status(task, "completed")
    assert story.origin.tasks() == [task]


def _section_container(story: Story) -> Owned:
    return one(story, "section")


def _has_been_at(story: Story, text: str, times: int) -> bool:
    return len(_at(story, text)) == times


def _at(story: Story, text: str) -> list[object]:
    return [event for event in story.events("log") if event["text"] == text]


def _landed(story: Story, task: str) -> list[object]:
    return [event for event in story.events("landed") if event["taskId"] == task]
