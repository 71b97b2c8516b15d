"""What goes wrong says so in one sentence, says what to do, and leaves everything usable."""

from pathlib import Path
from typing import Any

from tests.support.repos import Repo
from tests.support.story import Story, at_gate, gate
from tests.support.story_cli import Cli


def refused(cli: Cli, *args: str, exits: int, code: str, stdin: str = "") -> dict[str, Any]:
    """The command fails in the same way for people and for programs; returns the JSON object."""
    shown = cli.run(*args, stdin=stdin)
    assert shown.code == exits, shown
    lines = shown.err.splitlines()
    assert [line for line in lines if line.startswith("error: ")] == lines[:1], shown
    assert any(line.startswith("hint: ") for line in lines), shown
    assert "Traceback" not in shown.err
    told = cli.run(*args, "--json", stdin=stdin)
    assert told.code == exits, told
    assert told.json["success"] is False and told.json["code"] == code, told
    assert told.json["hint"] and f"error: {told.json['error']}" == lines[0]
    return told.json


def test_engine_image_and_set_up_failing_leave_a_project_that_works_afterwards(
    story: Story,
) -> None:
    story.add_section("A")
    task = story.add_task("A", "Waits for better days", "echo done > apps/a/done.txt")

    story.configure(engine="unix:///nowhere/engine.sock")
    no_engine = refused(story.cli, "up", exits=5, code="NO_ENGINE")
    assert "unix:///nowhere/engine.sock" in no_engine["error"]

    for key in ("base_image", "image"):
        story.configure(**{key: "localhost/nobody/has-this"})
        no_image = story.run("up", exits=5)
        assert "localhost/nobody/has-this" in no_image.out and "hint: " in no_image.out
    (failed,) = [e for e in story.run("up", "--json", exits=5).lines() if e["kind"] == "failed"]
    assert failed["data"]["code"] == "IMAGE_MISSING" and failed["data"]["hint"]

    script = "seq 1000; echo what is wrong; exit 3"
    story.configure(setup=[script])
    no_setup = story.run("up", exits=1)
    assert f"Set-up failed: `{script}` exited 3" in no_setup.out
    (log,) = (story.home / "logs").glob("setup-*.log")
    assert f"hint: less {log}" in no_setup.out and "what is wrong" in log.read_text()
    # All of it: what was long before the end, too.
    assert [line for line in log.read_text().splitlines() if line.isdigit()] == [
        str(number) for number in range(1, 1001)
    ]
    story.wait("containers gone", lambda: story.containers() == [])

    assert story.task(task)["status"] == "pending"
    story.configure()
    story.run("up")
    assert story.task(task)["status"] == "completed"
    assert story.origin.tasks() == [task]


def test_docker_host_that_leads_nowhere_is_no_engine(desk_story: Story) -> None:
    story = desk_story
    story.add_section("A")
    story.add_task("A", "Never started", "true")
    story.run("daemon", "stop")
    story.cli.env["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    no_engine = refused(story.cli, "up", exits=5, code="NO_ENGINE")
    assert "/nowhere/docker.sock" in no_engine["error"]
    assert story.runners() == []


def test_places_that_are_no_project_and_things_that_are_not_there(
    desk_story: Story, tmp_path: Path
) -> None:
    story = desk_story
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    elsewhere = Cli(story.home, nowhere)
    no_repo = refused(elsewhere, "init", exits=3, code="NOT_A_PROJECT")
    assert str(nowhere) in no_repo["error"]
    unborn = Repo(nowhere)
    unborn.git("init", "--quiet")
    assert "no commits" in refused(elsewhere, "init", exits=3, code="NOT_A_PROJECT")["error"]
    (nowhere / "file").touch()
    unborn.commit("start")
    for command in ("up", "ps", "down"):
        refused(elsewhere, command, exits=3, code="NOT_A_PROJECT")

    story.add_section("A")
    add = ("tasks", "add", "No script", "--section", "A", "--spec", "-")
    no_script = refused(story.cli, *add, exits=2, code="USAGE", stdin="Do something.\n")
    assert "No script" in no_script["error"] and "```sh" in no_script["error"]
    assert story.run("tasks", "list", "--json").json["tasks"] == []
    refused(story.cli, "tasks", "show", "nobody", exits=4, code="NOT_FOUND")
    refused(story.cli, "up", "--section", "Nobody", exits=4, code="NOT_FOUND")
    # A good one still works.
    story.add_task("A", "With a script", "true")


def test_a_bad_config_on_main_is_named_and_can_be_mended(desk_story: Story) -> None:
    story = desk_story
    story.configure(engine="unix:///nowhere/engine.sock")
    story.add_section("A")
    story.add_task("A", "Never started", "true")
    config = story.repo.path / ".steroids" / "config.yaml"
    for text, words in (
        ("engine: tcp://evil:2375\n", "touches the host"),
        ("reveiw:\n  max_rejections: 2\n", "unknown key 'reveiw'"),
    ):
        config.write_text(text)
        story.repo.commit("A config")
        story.repo.git("push", "--quiet")
        bad = refused(story.cli, "up", exits=3, code="BAD_CONFIG")
        assert ".steroids/config.yaml on main:1" in bad["error"] and words in bad["error"]
    # The next complaint is another one: what was pushed last counts.
    config.write_text("review:\n  max_rejections: 2\n")
    story.repo.commit("A good config")
    story.repo.git("push", "--quiet")
    refused(story.cli, "up", exits=5, code="NO_ENGINE")
    assert story.runners() == []


def test_a_push_that_is_refused_waits_for_a_person(story: Story) -> None:
    story.origin.hook("pre-receive", "echo 'main is frozen until Monday'; exit 1")
    story.add_section("A")
    task = story.add_task("A", "Refused", "echo done > apps/a/done.txt")
    up = story.run("up", exits=7)
    assert "main is frozen until Monday" in up.out
    assert "steroids push" in up.err
    shown = story.task(task)
    assert shown["status"] == "approved" and "main is frozen" in shown["reason"]
    assert story.origin.tasks() == []
    shown_by_ps = story.run("ps").err
    assert "not landed: 'Refused' (A)" in shown_by_ps and "main is frozen" in shown_by_ps
    assert "hint: steroids push" in shown_by_ps

    again = story.run("push", exits=7)
    assert "trying again: 1 task" in again.out and "main is frozen until Monday" in again.out
    assert "hint: " in again.err and "steroids push" in again.err
    told = story.run("push", "--json", exits=7).json
    assert (told["success"], told["exitCode"]) == (False, 7)
    assert [(each["id"], each["status"]) for each in told["tasks"]] == [(task, "approved")]

    story.origin.hook("pre-receive", None)
    landed = story.run("push")
    assert "landed on main as" in landed.out
    assert story.task(task)["status"] == "completed" and story.task(task)["reason"] is None
    assert story.origin.tasks() == [task]
    assert "nothing was refused" in story.run("push").out


def test_a_remote_that_is_gone_is_missed_before_and_during_the_work(story: Story) -> None:
    away = story.origin.path.with_name("away.git")
    story.add_section("A")
    task = story.add_task("A", "Late", f"{gate()}\necho done > apps/a/done.txt")
    story.origin.path.rename(away)
    assert refused(story.cli, "up", exits=7, code="REMOTE_REFUSED")
    assert story.runners() == []

    away.rename(story.origin.path)
    up = story.start("up")
    story.wait_for_line(at_gate())
    story.origin.path.rename(away)
    story.release("A")
    answer = story.finish(up, exits=7)
    assert str(story.origin.path) in answer.out
    assert story.task(task)["status"] == "approved"

    away.rename(story.origin.path)
    story.run("push")
    story.wait_for_status(task, "completed")
    assert story.origin.tasks() == [task]
