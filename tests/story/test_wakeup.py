"""`steroids runners wakeup` as people and cron type it."""

from pathlib import Path

from tests.support.story import Story
from tests.support.story_cli import Cli


def test_a_wakeup_from_any_folder_says_what_it_does(desk_story: Story) -> None:
    """It starts the controller; an engine that is away is told and ends nothing."""
    story = desk_story
    story.add_section("A")
    story.add_task("A", "Work", "true")
    story.run("daemon", "stop")
    anywhere = Cli(story.home, Path("/"))
    (would,) = anywhere.run("runners", "wakeup", "--dry-run", "--json").json["results"]
    assert (would["project"], would["action"]) == (str(story.repo.path), "would_start")
    assert (would["sections"], would["runners"], would["failed"]) == (["A"], 1, False)
    assert "would start  1        A" in anywhere.run("runners", "wakeup", "--dry-run").out
    assert "no wakeup yet" in anywhere.run("runners", "cron", "status").out

    story.configure(engine="unix:///nowhere/engine.sock")
    done = anywhere.run("runners", "wakeup", "--json")
    (skipped,) = done.json["results"]
    assert (done.code, skipped["action"], skipped["failed"]) == (0, "skipped", True)
    assert "/nowhere/engine.sock" in skipped["reason"]
    line = anywhere.run("--quiet", "runners", "wakeup").out
    assert f"skipped  {story.repo.path}  {skipped['reason']}" in line and line.count("\n") == 1
    assert "1 could not be" in anywhere.run("runners", "cron", "status").out

    story.run("tasks", "skip", "Work")
    idle = anywhere.run("runners", "wakeup")
    assert (idle.out, idle.err) == ("", "1 project with nothing to do (-v shows)\n")
    assert "none" in anywhere.run("-v", "runners", "wakeup").out
    assert anywhere.run("--quiet", "runners", "wakeup").out == ""


def test_cron_that_cannot_be_is_refused(desk_story: Story) -> None:
    refused = desk_story.run("runners", "cron", "install", "--every", "7m", exits=2)
    assert "cron cannot say 'every 7m'" in refused.err and "hint: steroids runners" in refused.err
    shown = desk_story.run("runners", "cron", "install", "--dry-run", "--with", "crontab", "--json")
    (line,) = shown.json["files"].values()
    assert line.startswith("* * * * * PATH=") and str(desk_story.home) in line
    assert shown.json["dryRun"] is True and line.endswith(
        f"# steroids wakeup of {desk_story.home}\n"
    )
