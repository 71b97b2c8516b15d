"""Some fifty tasks through the real controller, a real engine, real git and a real remote: what
became of each, and what the remote has of it."""

import pytest

from tests.support.story import Story
from tests.support.table import staged
from tests.support.table_crash import CRASHES, HTTP_CRASHES
from tests.support.table_facts import differences
from tests.support.table_files import FILES, HOST_STATE
from tests.support.table_rejected import CHECK, CHECKED, EMPTIED, ENDLESS, FAILING
from tests.support.table_remote import HTTP_SCENES, SCENES
from tests.support.table_rows import SHAPES
from tests.support.table_settings import GROUPS


def test_what_agents_do(story: Story) -> None:
    story.configure(runners={"max_parallel": 6})
    with staged(story) as stage:
        stage.add(stage.section("Endless", CHECK.replace("checked", "endless")), *ENDLESS)
        stage.add(stage.section("Checked", CHECK), *CHECKED)
        stage.add(stage.section("Failing"), *FAILING)
        stage.add(stage.section("Emptied"), *EMPTIED)
        stage.add(stage.section("Shapes"), *SHAPES)
        stage.add(stage.section("Files"), *FILES, HOST_STATE)
        story.run("up", exits=1)
        told(differences(stage))


def test_what_settings_make_of_it(story: Story) -> None:
    with staged(story) as stage:
        for group in GROUPS:
            story.configure(**group.settings)
            stage.add(stage.section(group.section), *group.rows)
            story.run("up", "--section", group.section, exits=group.exits)
        told(differences(stage))


def test_what_remotes_do(story: Story) -> None:
    story.configure(landing={"max_failures": 2})
    with staged(story) as stage:
        for scene in SCENES if stage.remote is None else SCENES + HTTP_SCENES:
            scene(stage, stage.section(f"S{len(stage.played)}"))
        told(differences(stage))


def test_what_dies_in_the_middle(story: Story) -> None:
    with staged(story) as stage:
        for scene, check in CRASHES if stage.remote is None else CRASHES + HTTP_CRASHES:
            scene(stage, stage.section(f"S{len(stage.played)}", *([check] if check else [])))
        told(differences(stage))


def told(lines: list[str]) -> None:
    """All of them, at once."""
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)
