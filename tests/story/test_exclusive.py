"""Who has to wait for whom, and how that is said: places, exclusive sections, order, zones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from steroids.engines.local import LocalEngine
from tests.support.runners import working
from tests.support.story import Story, gate, told
from tests.support.story_repos import plain_monorepo


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Story]:
    """Runners that are processes: who waits for whom does not depend on the engine."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    yield from told(tmp_path, plain_monorepo, LocalEngine(home))


def test_places_are_few_and_an_exclusive_section_drains_the_others(local: Story) -> None:
    story = local
    story.configure(runners={"max_parallel": 2})
    story.add_section("A", "true")
    story.add_section("B", "true")
    story.add_section("Types", "true", options=("--isolation", "exclusive", "--priority", "90"))
    tasks = [
        story.add_task(name, f"Work in {name}", f"{gate()}\necho done > apps/{folder}/done.txt")
        for name, folder in (("A", "a"), ("B", "b"))
    ]
    exclusive = story.add_task("Types", "Move all", "echo done > apps/c/done.txt")

    up = story.start("up")
    a, b = working(story, "A"), working(story, "B")

    status = story.run("runners", "status")
    head, *lines, last = status.out.splitlines()
    assert head == "2 runners of at most 2"
    # The two were started together, so either may be the first.
    assert set(lines) == {
        f"  {r['id'][:8]}  {r['section']}  working 'Work in {r['section']}'" for r in (a, b)
    }
    assert last == "  queued    Types  waits for a place: 2 of 2 are taken"
    told_ = story.run("runners", "status", "--json").json
    assert told_["queued"] == [
        {"section": "Types", "reason": "waits for a place: 2 of 2 are taken"}
    ]
    assert told_["maxParallel"] == 2
    # A second `up` only joins in.
    joined = story.run("up", "-d")
    assert "no runner started, 3 there already or queued\n" in joined.err

    story.release("A")
    types = story.wait("Types waits", lambda: _waiting(story, "Types", "B to finish 'Work in B'"))
    (row,) = [line for line in story.run("ps").out.splitlines() if types["id"][:8] in line]
    assert "waiting for B to finish 'Work in B'" in row
    # What comes now has to let it go first.
    late = story.add_task("A", "Late", "echo late > apps/a/late.txt")
    story.run("up", "--section", "A", "-d")
    story.release("B")
    story.finish(up)
    story.wait_for_status(late, "completed")
    assert [story.task(each)["status"] for each in [*tasks, exclusive]] == ["completed"] * 3
    assert story.origin.landings().index(exclusive) < story.origin.landings().index(late)
    story.wait("no runners", lambda: story.runners() == [])


@pytest.mark.parametrize("command", [("down",), ("runners", "stop", "--all")])
def test_stopping_takes_what_is_queued_too(local: Story, command: tuple[str, ...]) -> None:
    story = local
    story.configure(runners={"max_parallel": 1})
    for name in "AB":
        story.add_section(name, "true")
        story.add_task(name, f"Work in {name}", gate())
    up = story.start("up")
    a = working(story, "A")

    stopped = story.run(*command)
    # Else it would wait for B for ever.
    answer = story.finish(up)

    assert stopped.out == f"stopped {a['id'][:8]}  A\n"
    assert "B  stopped before it had a runner" in answer.out and "drained" not in answer.out
    assert story.run("runners", "status").out == "no runners (at most 1)\n"
    assert story.run("runners", "status", "--json").json["queued"] == []


def test_a_runner_that_was_kept_makes_room(local: Story) -> None:
    story = local
    story.configure(runners={"max_parallel": 1})
    for name in "AB":
        story.add_section(name, "true")
    story.run("up", "--section", "A", "--keep", "--detach")
    idle = story.wait("idle", lambda: [r for r in story.runners() if r["status"] == "idle"])
    task = story.add_task("B", "Work", "echo done > apps/b/done.txt")

    story.run("up", "--section", "B")

    assert story.task(task)["status"] == "completed"
    assert "idle, makes room for a section with work" in story.run("logs").out
    # It was to be kept: with the place free again, it is back.
    back = story.wait("A is back", lambda: [r for r in story.runners() if r["section"] == "A"])
    assert back[0]["id"] != idle[0]["id"]


def test_order_files_and_zones(local: Story) -> None:
    story = local
    zone = {"name": "migrations", "sections": ["C", "D"], "max_runners": 1}
    story.configure(runners={"zones": [zone], "max_parallel": 6})
    for name in "ABCD":
        story.add_section(name, "true")
    story.run(*("sections", "add", "Phase 2", "--path", "apps/a/**"), *("--after", "A"))
    spec = f"```sh\n{gate()}\necho 1 > apps/a/1\n```\n"
    own = ("--section", "A", "--affects", "apps/a/1", "--spec", "-", "--json")
    first = story.run("tasks", "add", "First", *own, stdin=spec).json["task"]["id"]
    second = story.add_task("Phase 2", "Second", "test -e apps/a/1; echo 2 > apps/a/2")
    in_zone = [story.add_task(n, f"Migrate {n}", f"{gate()}\necho > apps/{n}") for n in "CD"]

    # Not its own section's files, and such as A's task has announced too.
    spec = "```sh\necho 3 > apps/b/3\n```\n"
    both = ("--section", "B", "--affects", "apps/*/[0-9]")
    third = story.run("tasks", "add", "Third", *both, "--spec", "-", "--json", stdin=spec)

    # These two first: else it is chance who has to wait for whom.
    before = story.start("up", "--section", "A", "--section", "C")
    working(story, "A")
    working(story, "C")
    up = story.start("up")
    story.wait("B waits", lambda: _waiting(story, "B", "A to finish 'First' with files apps/a/1"))
    d = story.wait(
        "D waits", lambda: _waiting(story, "D", "C to finish 'Migrate C' with zone migrations")
    )
    assert d["task"] is None
    locks = story.run("locks", "list").out
    assert "zone migrations" in locks
    queued = story.run("runners", "status", "--json").json["queued"]
    assert queued == [{"section": "Phase 2", "reason": "waits until A is finished"}]
    listed = story.run("sections", "list").out
    assert "BLOCKED by A" in listed
    for name in "AC":
        story.release(name)
    working(story, "D")
    story.release("D")
    story.finish(before)
    answer = story.finish(up)
    assert "note: Phase 2 waits until A is finished" in answer.err
    landed = story.origin.landings()
    assert landed.index(first) < landed.index(second)
    assert landed.index(first) < landed.index(third.json["task"]["id"])
    assert landed.index(in_zone[0]) < landed.index(in_zone[1])


def _waiting(story: Story, section: str, what: str) -> dict[str, Any] | None:
    found = [each for each in story.runners() if each["section"] == section]
    return next((r for r in found if (r["status"], r["waitsFor"]) == ("waiting", what)), None)
