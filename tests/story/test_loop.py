"""`steroids loop`: one runner in the foreground, with the engine `local`."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from steroids import proc
from tests.story.test_local_engine import told_locally
from tests.support.engines import eventually
from tests.support.story import Story, at_gate, gate
from tests.support.story_cli import Background, Cli
from tests.support.story_repos import plain_monorepo

STUBBORN = """if [ -e apps/a/kept ]; then exit 0; fi
{ trap '' TERM; } 2>/dev/null
echo kept > apps/a/kept; git add -A; git commit -qm Kept
"""


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Story]:
    """Two sections; runners are processes of this host."""
    for story in told_locally(tmp_path, plain_monorepo):
        story.add_section("A")
        story.add_section("B")
        yield story


def test_once_does_one_task_to_its_end_and_all_do_the_rest(local: Story) -> None:
    story = local
    # Rejected by a person in between: the same loop has it again, and no other task.
    story.configure(review={"reviewers": ["human"]})
    back, other = (
        story.add_task("A", title, f"echo {title} >> apps/a/log") for title in ("Back", "Other")
    )
    first = story.finish(story.start("loop", "--once", "--section", "a"))
    assert "waits for your review: 'Back'" in first.err
    story.run("tasks", "reject", back, "--reason", "say it twice")
    again = story.finish(story.start("loop", "--once"))
    assert "A  Back  attempt 2" in again.out and "Other" not in again.out
    assert story.runners() == []
    story.configure()
    story.run("tasks", "approve", back)
    story.wait_for_status(back, "completed")

    rest = story.run("loop")
    assert "drained: 1 completed" in rest.out
    assert story.origin.landings() == [back, other]
    nothing = story.run("loop", "--once")
    assert (nothing.out, "nothing to do" in nothing.err) == ("", True)
    assert list((story.home / "loops").glob("*.pid")) == []


def test_once_waits_while_its_task_comes_back_and_says_how_it_failed(local: Story) -> None:
    story = local
    story.run("sections", "edit", "A", "--check", "test -e apps/a/good")
    script = "[ ! -e apps/a/tried ] || touch apps/a/good; touch apps/a/tried"
    task = story.add_task("A", "Back", script)
    story.add_task("A", "Other", "true")
    answer = story.run("loop", "--once")
    assert answer.out.count("rejected") == 1 and "A  Back  attempt 2" in answer.out
    assert (story.task(task)["status"], len(story.events("claimed"))) == ("completed", 2)
    assert "ends: its one task is over" in answer.out
    story.configure(review={"max_rejections": 1})
    lost = story.add_task("B", "Lost", "exit 3")
    failed = story.run("loop", "--once", "--section", "B", exits=1)
    assert f"steroids tasks show {lost[:8]}" in failed.err and "Other" not in failed.err


def test_dry_run_says_which_and_why_not_those_before(local: Story) -> None:
    story = local
    first = story.add_task("A", "First", "true")
    later = ("tasks", "add", "Later", "--section", "A", "--after", first, "--spec", "-")
    story.run(*later, stdin="```sh\ntrue\n```\n")
    story.add_task("B", "Other", "true")
    story.run("sections", "skip", "A")
    answer = story.run("loop", "--dry-run")
    heads, one, two, picked = answer.out.splitlines()
    assert heads.split() == ["ID", "STATUS", "SECTION", "TITLE", "WHY", "NOT"]
    assert one.endswith("First  section A is skipped: steroids sections unskip 'A'")
    assert two.endswith("Later  waits for 'First'")
    assert picked.startswith("would pick ") and picked.endswith("B  'Other'  attempt 1")
    refused = story.run("loop", "--section", "A", exits=6)
    assert "Cannot start runner: section A is skipped" in refused.err
    asked = story.run("loop", "--dry-run", "--section", "A", "--json").json
    assert (asked["picked"], asked["refused"]) == (None, "section A is skipped")
    assert [each["status"] for each in asked["passed"]] == ["pending", "blocked"]
    assert story.events("claimed") == [] and story.runners() == []


def test_outside_of_a_project_and_beside_another_it_is_refused(local: Story) -> None:
    story = local
    nowhere = story.run("loop", "--project", str(story.home), exits=3)
    assert f"error: Not a Steroids project: {story.home}" in nowhere.err
    story.add_task("A", "Long", gate())
    story.add_task("B", "Beside", "true")
    loop = story.start("loop", "--section", "A")
    story.wait_for_line(at_gate())
    second = story.run("loop", "--section", "A", exits=6)
    assert f"A loop for section A is already running (pid {loop.pid})" in second.err
    assert "hint: steroids runners list" in second.err
    everything = story.run("loop", exits=6)
    assert "without --section it works on every section, and 1 runner is active" in everything.err
    # Nor is there a second runner in what stands for a container.
    assert story.engine is not None
    (own,) = story.containers("section")
    runner = story.engine.exec(own.handle, ["/usr/local/bin/steroids-runner"])
    assert runner.exit_code == 6 and b"works in this container already (pid" in runner.output
    # A runner of another section is in nobody's way.
    story.run("loop", "--section", "B")
    busy = story.run("loop", "--dry-run", "--section", "A")
    assert "is being worked on" in busy.out and "already has an active runner" in busy.err
    assert loop.runs()
    loop.signal(signal.SIGTERM)
    ended = story.finish(loop, exits=143)
    assert "stopping: the agent gets time to end" in ended.err
    assert story.runners() == []


def test_an_interrupt_keeps_what_is_committed_and_a_second_does_not_wait(local: Story) -> None:
    story = local
    task = story.add_task("A", "Stubborn", STUBBORN + gate())
    loop = story.start("loop")
    story.wait_for_line(at_gate())
    loop.signal(signal.SIGINT)
    story.wait("stopping", lambda: story.runners()[0]["status"] == "stopping")
    loop.signal(signal.SIGINT)
    answer = story.finish(loop, exits=130)
    assert "stopping at once" in answer.err and "what was committed is kept" in answer.err
    assert story.task(task)["status"] == "pending" and story.runners() == []
    assert [each["message"].strip() for each in story.commits(task)] == ["Kept"]
    story.run("loop", "--once")
    assert story.task(task)["status"] == "completed"


def test_the_runner_of_a_killed_loop_ends_and_is_in_nobodys_way(local: Story) -> None:
    story = local
    task = story.add_task(
        "A", "Long", f"[ ! -e apps/a/half ] || exit 0; touch apps/a/half; {gate()}"
    )
    loop = story.start("loop")
    story.wait_for_line(at_gate())
    (runner,) = story.runners()
    # Nobody is there to see it; the next controller does.
    os.kill(story.controller_pid(), signal.SIGSTOP)
    os.kill(loop.pid, signal.SIGKILL)
    story.kill_controller()
    story.wait("the runner's end", lambda: story.runners() == [])
    assert loop.finish().code != 0
    (notice,) = [e for e in story.events("notice") if "is gone" in e["text"]]
    assert notice["runnerId"] == runner["id"] and f"(pid {loop.pid})" in notice["text"]
    assert story.task(task)["infrastructureFailures"] == 0
    again = story.start("loop")
    story.wait("claimed", lambda: len(story.events("claimed")) == 2)
    story.wait_for_status(task, "completed")
    story.finish(again)
    assert story.events("lost") == []


@pytest.fixture
def container(tmp_path: Path) -> Iterator[int]:
    """A process whose mounts have what Podman leaves in each container; its pid."""
    if sys.platform != "linux" or os.getuid() != 0:
        pytest.skip("a mount namespace of its own takes root on Linux")
    told = tmp_path / "mounted"
    script = 'mount -t tmpfs none /run && touch /run/.containerenv "$0" && exec sleep 1000'
    holder = proc.spawn(["unshare", "--mount", "sh", "-c", script, str(told)], cwd="/")
    try:
        eventually(told.exists)
        yield holder.pid
    finally:
        proc.end_group(holder)
        holder.wait()


def inside(container: int, story: Story, project: Path) -> Background:
    """A loop of that project in the container."""
    enter = ["nsenter", f"--mount=/proc/{container}/ns/mnt"]
    argv = [*enter, sys.executable, "-m", "steroids", "loop", "--project", str(project)]
    loop = Background(argv, story.cli.cwd, story.cli.env)
    story.following.append(loop)
    return loop


def test_in_a_container_the_last_one_stays_and_another_projects_is_not_touched(
    local: Story, container: int, tmp_path: Path
) -> None:
    story = local
    story.configure(enforce_single_daemon_process=True)
    task = story.add_task("A", "Long", gate())
    other = Cli(story.home, plain_monorepo(tmp_path / "other").path)
    for args in (
        ("init",),
        ("sections", "add", "A", "--path", "apps/a/**"),
        ("tasks", "add", "Theirs", "--section", "A", "--spec", "-"),
    ):
        assert other.run(*args, stdin=f"```sh\n{gate()}\n```\n").code == 0
    theirs = inside(container, story, other.cwd)
    loops = []
    for _ in range(3):
        loops.append(inside(container, story, story.repo.path))
        story.wait("claimed", lambda: len(story.events("claimed")) == len(loops))
    *gone, last = loops
    assert [each.finish().code for each in gone] == [143, 143]
    assert last.runs() and theirs.runs()
    assert len(story.runners()) == 1
    log = [json.loads(line) for line in (story.home / "logs/loops.log").read_text().splitlines()]
    assert [e["pid"] for e in log if "SIGTERM" in e["message"]] == [each.pid for each in gone]
    assert all("steroids loop" in each["command"] and each["why"] for each in log)
    for each in (last, theirs):
        each.signal(signal.SIGTERM)
        assert each.finish().code == 143
    assert story.task(task)["status"] == "pending"
