"""Tasks that come after others, on real engines: one place for two runners, and no way on."""

import pytest

from tests.support.story import Story


def test_tasks_in_order_across_sections_with_one_place(story: Story) -> None:
    """A runner that only waits gives its place to the one that it waits for, and gets it back."""
    story.configure(runners={"max_parallel": 1})
    for name in "AB":
        story.add_section(name, "true")
    # B goes first, and has something to do before it has to wait.
    story.run("sections", "priority", "B", "1")
    other = story.add_task("B", "Other", "echo 0 > apps/b/0")
    first = story.add_task("A", "First", "echo 1 > apps/a/1")
    spec = "```sh\ntest -e apps/a/1; echo 2 > apps/b/2\n```\n"
    args = ("tasks", "add", "Then", "-s", "B", "--spec", "-", "--after", "First", "--json")
    then = story.run(*args, stdin=spec).json["task"]["id"]
    last = story.run(
        *("tasks", "add", "Last", "-s", "A", "--spec", "-", "--after", "Then", "--json"),
        stdin="```sh\ntest -e apps/b/2; echo 3 > apps/a/3\n```\n",
    ).json["task"]["id"]
    up = story.finish(story.start("up"))
    assert story.origin.landings() == [other, first, then, last]
    assert "'Then' can be begun: 'First' is completed" in up.out

    branch = story.run("tasks", "checkout", "Then")
    name = f"steroids/{then[:8]}"
    assert branch.out.startswith(f"made branch {name}: attempt 1, ")
    assert branch.err == f"next: git switch {name}\n"
    assert story.repo.git("show", f"{name}:apps/b/2") == "2"


@pytest.mark.parametrize("detached", [False, True])
def test_up_ends_though_a_task_waits_for_one_that_failed(story: Story, detached: bool) -> None:
    for name in "AB":
        story.add_section(name, "true")
    first = story.add_task("A", "First", "false")
    story.run(
        *("tasks", "add", "Then", "-s", "B", "--spec", "-", "--after", "First"),
        stdin="```sh\necho 2 > apps/b/2\n```\n",
    )
    story.configure(review={"max_rejections": 1})
    up = story.finish(story.start("up", *(["-d"] if detached else [])), exits=0 if detached else 1)
    if detached:
        story.wait("an end", lambda: not story.runners())
        story.wait("B's too", lambda: len(story.events("drained")) == 2)
    else:
        assert "'Then' is blocked: it waits for 'First', which is disputed" in up.out
    assert story.task("Then")["waitsFor"] == "'First', which is disputed"
    # A person mends it, and all goes on.
    good = "```sh\necho 1 > apps/a/1\n```\n"
    story.run("tasks", "edit", first, "--spec", "-", stdin=good)
    story.run("tasks", "retry", first)
    story.finish(story.start("up"))
    assert story.task("Then")["status"] == "completed"
