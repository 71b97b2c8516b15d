"""Stores that a newer Steroids has had: refused, left alone, and nobody else's trouble."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.repos import new_repo
from tests.support.story import Story
from tests.support.story_cli import Cli

NEWER = "was made by a newer Steroids (schema 9999; this one knows "
HINT = "hint: pip install --upgrade steroids"


def now_of(store: Path, version: str) -> tuple[str, bytes]:
    """Its version before, and what is in the file then."""
    with closing(sqlite3.connect(store)) as raw:
        ((before,),) = raw.execute("SELECT version_num FROM alembic_version").fetchall()
        with raw:
            raw.execute("UPDATE alembic_version SET version_num = ?", (version,))
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, store.read_bytes()


def test_newer_stores_are_refused_and_the_other_projects_go_on(desk_story: Story) -> None:
    story = desk_story
    other = Cli(story.home, new_repo(story.repo.path.parent / "other", {"a": "1\n"}).path)
    assert other.run("init").code == 0
    story.add_section("A")
    story.run("daemon", "stop")
    mine = story.repo.path / ".steroids" / "steroids.db"
    before, content = now_of(mine, "9999")

    for args in (("tasks", "list"), ("up",), ("init",)):
        refused = story.run(*args, exits=3)
        assert refused.err.startswith(f"error: {mine} {NEWER}{before})\n{HINT}\n"), refused
    assert story.run("tasks", "list", "--json", exits=3).json["code"] == "BAD_CONFIG"
    # The controller was started with it, and looks at all projects once a second.
    assert other.run("sections", "add", "Other", "--path", "a").code == 0
    assert "Other" in other.run("sections", "list").out
    assert story.controller_lives()

    story.run("daemon", "stop")
    assert mine.read_bytes() == content
    now_of(mine, before)
    assert "A" in story.run("sections", "list").out

    story.run("daemon", "stop")
    store = story.home / "steroids.db"
    before, content = now_of(store, "9999")
    home_refused = story.cli.run("projects", "list")
    assert home_refused.code != 0, home_refused
    assert f"{store} {NEWER}{before})\n{HINT}\n" in home_refused.err, home_refused
    assert "Traceback" not in home_refused.err and not story.controller_lives()
    assert store.read_bytes() == content
    now_of(store, before)
    assert other.run("sections", "list").code == 0
