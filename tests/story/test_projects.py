"""A user's repositories come, go, move and are copied."""

import shutil
from pathlib import Path

from tests.support.repos import new_repo
from tests.support.story import Story


def test_projects_come_go_and_move(desk_story: Story, tmp_path: Path) -> None:
    story = desk_story
    story.add_section("A")
    task = story.add_task("A", "Kept", "true")
    app, web, moved = story.repo.path, tmp_path / "web", tmp_path / "web2"
    repo = new_repo(web)
    repo.commit("first", {"README": "hello\n"})
    story.run("--project", str(web), "init")

    heads, *rows = (
        line.split() for line in story.run("projects", "list", HOME="/x").out.splitlines()
    )
    assert heads == ["PATH", "STATUS", "RUNNERS", "PENDING", "LAST", "SEEN"]
    assert [row[:4] for row in rows] == [
        [str(app), "enabled", "-", "1"],
        [str(web), "enabled", "-", "0"],
    ]
    assert f"~/{app.name} " in story.run("projects", "list", HOME=str(app.parent)).out

    story.run("projects", "disable")
    refused = story.run("up", exits=6)
    assert f"hint: steroids projects enable {app}" in refused.err
    assert story.run("projects", "enable", ".").out == f"enabled {app}\n"

    web.rename(moved)
    assert _status(story, web) == "missing"
    assert "Nobody is there to answer" in story.run("projects", "prune", exits=2).err
    again = story.run("--project", str(moved), "init")
    assert again.out.startswith(f"Moved {web} to {moved}\n")
    assert _status(story, moved) == "enabled"

    copy = tmp_path / "copy"
    shutil.copytree(app, copy, symlinks=True)
    assert "init --anew" in story.run("--project", str(copy), "init", exits=6).err
    found = story.run("projects", "scan", str(tmp_path), "--json").json
    assert [(each["path"], each["copyOf"]) for each in found["found"]] == [(str(copy), str(app))]

    assert "--yes" in story.run("projects", "remove", str(app), exits=2).err
    story.run("projects", "remove", str(app), "--yes")
    assert "steroids init" in story.run("tasks", "list", exits=3).err
    assert story.run("projects", "add", ".").out == f"added {app}\n"
    assert story.task(task)["title"] == "Kept"

    shutil.rmtree(moved)
    assert story.run("projects", "prune", "--older-than", "30d").out == ""
    pruned = story.run("projects", "prune", "--yes", "--json").json
    assert [each["path"] for each in pruned["removed"]] == [str(moved)]
    for path in (moved, tmp_path):
        answer = story.run("projects", "remove", str(path), "--yes", exits=3)
        assert "hint: steroids projects list" in answer.err


def test_tab_offers_registered_paths(desk_story: Story) -> None:
    app = desk_story.repo.path

    def offered(words: str) -> list[str]:
        told = desk_story.run(_STEROIDS_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD="3")
        return told.out.split()

    assert offered(f"steroids projects remove {str(app)[:-1]}") == [f"plain,{app}"]
    assert offered("steroids projects remove elsewhere") == ["dir,elsewhere"]


def _status(story: Story, path: Path) -> str:
    listed = story.run("projects", "list", "--json").json["projects"]
    return next(str(each["status"]) for each in listed if each["path"] == str(path))
