"""Tasks on the command line: what is printed, what is asked, what is refused."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.story.test_sections import answered
from tests.support.repos import new_repo
from tests.support.story import Story
from tests.support.story_cli import Cli

SPEC = "```sh\ntrue\n```\n"
PLAN = """\
# A
- [ ] One
  ```sh
  true
  ```
- [x] Done
## B
1. [ ] [Two]
   ~~~sh
   true
   ~~~
"""


def add(story: Story, title: str, section: str, *more: str) -> str:
    """The first characters of its id."""
    args = ("tasks", "add", title, "--section", section, "--spec", "-", *more, "--json")
    return str(story.run(*args, stdin=SPEC).json["task"]["id"])[:8]


def test_a_task_from_its_beginning_to_its_end(desk_story: Story) -> None:
    story = desk_story
    story.add_section("A")
    story.add_section("B")
    first = add(story, "First", "A", "--priority", "high", "--affects", "apps/a/**")
    added = story.run(
        *("tasks", "add", "[x] Second", "--section", "b", "--spec", "-", "--after", first),
        stdin=f"\ufeff{SPEC}",
    )
    second = added.out.split()[1]
    assert added.out == f"added {second}  [x] Second  in B  waits for 'First'\n"
    assert story.run("tasks", "list").out.splitlines() == [
        "ID        STATUS   SECTION  TITLE       ATTEMPT  LANDED  WAITS FOR",
        f"{first}  pending  A        First       0        -",
        f"{second}  blocked  B        [x] Second  0        -       'First'",
    ]
    told = story.run("tasks", "show", second)
    assert "waits for 'First'" in told.out and SPEC in told.out

    skipped = story.run("tasks", "skip", "First", "--reason", "not now")
    assert skipped.out == f"skipped {first}  First\n" and "tasks retry" in skipped.err
    waits = story.run("tasks", "list", "--status", "blocked", "--status", "failed").out
    assert "'First', which is skipped" in waits and first not in waits
    told = story.run("tasks", "show", second)
    assert f"tasks retry {first}" in told.out and f"tasks edit {second} --no-after" in told.out
    again = story.run("tasks", "retry", "First")
    assert again.out == f"pending again {first}  First\n" and "steroids up" in again.err

    edited = story.run(
        *("tasks", "edit", "First", "--title", "Now", "--section", "B", "--priority", "0"),
        *("--spec", "-", "--no-affects", "--json"),
        stdin="```sh\nfalse\n```\n",
    ).json["task"]
    assert (edited["title"], edited["section"], edited["priority"]) == ("Now", "B", 0)
    assert (edited["affectedPaths"], edited["spec"]) == ([], "```sh\nfalse\n```\n")
    freed = story.run("tasks", "edit", second, "--no-after")
    assert freed.out == f"changed {second}  [x] Second  in B\n"
    assert "WAITS FOR" not in story.run("tasks", "list").out

    story.run("tasks", "skip", second)
    moved = story.run("tasks", "edit", second, "--section", "A")
    assert f"it is skipped\nhint: steroids tasks retry {second}" in moved.err
    removed = story.run("tasks", "remove", "Now", "--yes")
    assert removed.out == f"removed {first}  Now\n"
    rows = [line.split(maxsplit=2)[2].split() for line in audit(story, "Now")]
    assert rows == [
        ["user", "-", "pending"],
        ["user", "pending", "skipped", "not", "now"],
        ["user", "skipped", "pending"],
        ["user", "pending", "skipped", "removed"],
    ]
    every = story.run("tasks", "audit", "--json").json["audit"]
    assert len(every) == 7 and set(every[0]) == {
        *("taskId", "task", "at", "actor", "fromStatus", "toStatus", "reason")
    }
    assert [line.split()[3] for line in audit(story)][:2] == ["Now", "[x]"]


def audit(story: Story, *task: str) -> list[str]:
    return story.run("tasks", "audit", *task).out.splitlines()[1:]


def test_every_refusal_has_its_exit_code_and_a_hint(desk_story: Story) -> None:
    story = desk_story
    story.add_section("A")
    add(story, "First", "A")
    add(story, "Then", "A", "--after", "First")
    add(story, "Twin", "A")
    add(story, "Twin", "A")
    (story.repo.path / "latin").write_bytes(b"gr\xfc\xdfe")
    refusals: list[tuple[tuple[str, ...], int, str, str]] = [
        (("add", "", "-s", "A"), 2, "USAGE", "needs a title"),
        (("add", "x", "-s", "A"), 2, "USAGE", "no ```sh block"),
        (("add", "x", "-s", "A", "--priority", "101"), 2, "USAGE", "'101' is no priority"),
        (("add", "x", "-s", "A", "--agent", "y"), 2, "USAGE", "There is no agent 'y'"),
        (("add", "x", "-s", "A", "--spec", "latin"), 2, "USAGE", "not UTF-8 text"),
        (("edit", "First"), 2, "USAGE", "nothing to change"),
        (("edit", "First", "--after", "Then", "--no-after"), 2, "USAGE", "one thing about"),
        (("edit", "First", "--agent", "x", "--no-agent"), 2, "USAGE", "one thing about"),
        (("edit", "First", "--after", "Then"), 2, "CYCLE", "circle: 'First' -> 'Then'"),
        (("edit", "First", "--section", "Z"), 4, "NOT_FOUND", "No section 'Z'"),
        (("skip", "Nobody"), 4, "NOT_FOUND", "No task 'Nobody'"),
        (("skip", "Twin"), 4, "AMBIGUOUS", "'Twin' fits 2 tasks"),
        (("retry", "First"), 6, "WRONG_STATE", "nothing to retry"),
        (("remove", "First", "--yes"), 6, "TASK_IN_USE", "'Then' comes after 'First'"),
        (("remove", "First"), 6, "TASK_IN_USE", "'Then' comes after 'First'"),
        (("remove", "First", "--dry-run"), 6, "TASK_IN_USE", "'Then' comes after 'First'"),
        (("checkout", "First"), 6, "WRONG_STATE", "nothing to check out yet"),
        (("checkout", "First", "--attempt", "3"), 4, "NOT_FOUND", "has no attempt 3"),
        (("audit", "Nobody"), 4, "NOT_FOUND", "No task 'Nobody'"),
        (("list", "--section", "Z"), 4, "NOT_FOUND", "No section 'Z'"),
        (("list", "--global", "--section", "Z"), 4, "NOT_FOUND", "No section 'Z'"),
        (("list", "--status", "open"), 2, "USAGE", "'open' is not one of"),
        (("import", "nowhere.md"), 2, "USAGE", "cannot read nowhere.md: No such file"),
        (("import", "latin"), 2, "USAGE", "cannot read latin: not UTF-8"),
        (("import", "."), 2, "USAGE", "cannot read .: Is a directory"),
    ]
    before = story.run("tasks", "list", "--json").out
    for args, exits, code, words in refusals:
        said = story.run("tasks", *args, "--json", exits=exits).json
        assert said["success"] is False and said["code"] == code, args
        assert words in said["error"] and said["hint"], args
    assert story.run("tasks", "list", "--json").out == before


def test_removing_asks_and_where_nobody_is_it_refuses(desk_story: Story) -> None:
    story = desk_story
    story.add_section("A")
    short = add(story, "Work", "A")
    for extra in ((), ("--json",)):
        alone = story.run("tasks", "remove", "Work", *extra, exits=2, stdin="y\n")
        assert f"tasks remove {short} --yes" in alone.out + alone.err
    trial = story.run("tasks", "remove", "Work", "--dry-run", "--json").json
    assert (trial["dryRun"], trial["task"]["removedAt"]) == (True, None)
    no = answered(story, "n", "tasks", "remove", "Work")
    assert no.code == 1 and "Remove task 'Work'?" in no.err and "Nothing was changed" in no.err
    yes = answered(story, "y", "tasks", "remove", "Work")
    assert yes.code == 0 and yes.out == f"removed {short}  Work\n"
    assert "no tasks" in story.run("tasks", "list").err


def test_a_file_of_tasks_is_imported_once(desk_story: Story) -> None:
    story = desk_story
    for name in "AB":
        story.add_section(name)
    (story.repo.path / "plan.md").write_bytes(b"\xef\xbb\xbf" + PLAN.replace("\n", "\r\n").encode())
    trial = story.run("tasks", "import", "plan.md", "--dry-run")
    assert trial.out == "would add One  in A\nwould add [Two]  in B\n"
    assert trial.err == "would add 2 tasks, 1 ticked off in the file\n"
    assert story.run("tasks", "import", "plan.md", "--dry-run", "--json").json["dryRun"] is True
    assert "no tasks" in story.run("tasks", "list").err
    imported = story.run("tasks", "import", "plan.md")
    one, two = (line.split()[1] for line in imported.out.splitlines())
    assert imported.out == f"added {one}  One  in A\nadded {two}  [Two]  in B\n"
    again = story.run("tasks", "import", "-", "--json", stdin=PLAN + "- [ ] Three\n" + indented())
    (new,) = again.json["tasks"]
    assert (new["title"], new["section"], new["spec"]) == ("Three", "B", SPEC)
    assert [(each["title"], each["line"]) for each in again.json["leftOut"]] == [
        ("One", 2),
        ("[Two]", 8),
    ]
    assert again.json["done"] == 1
    told = story.run("tasks", "import", "plan.md").err
    assert f"left out 'One' in A: it is there already  {one}" in told
    sheet = "- title: x\n  section: A\n  sectoin: y\n"
    refused = story.run("tasks", "import", "-", "--format", "yaml", exits=2, stdin=sheet)
    assert refused.err == (
        "error: (standard input):3: unknown key 'sectoin'\nhint: did you mean 'section'?\n"
    )
    assert len(story.run("tasks", "list").out.splitlines()) == 4


def indented() -> str:
    return "".join(f"  {line}\n" for line in SPEC.splitlines())


def test_all_projects_of_the_host_are_listed_from_anywhere(
    desk_story: Story, tmp_path: Path
) -> None:
    story = desk_story
    story.add_section("A")
    add(story, "Here 100%", "A")
    other = new_repo(tmp_path / "other")
    other.commit("first", {"apps/web/a": "1\n"})
    there = Cli(story.home, other.path)
    for args in (("init",), ("sections", "add", "Web", "--path", "apps/web/**")):
        assert there.run(*args).code == 0
    added = there.run("tasks", "add", "There 1000", "-s", "Web", "--spec", "-", stdin=SPEC)
    assert added.code == 0
    outside = Cli(story.home, tmp_path)
    listed = outside.run("tasks", "list", "--global")
    assert listed.out.splitlines()[0].split()[:3] == ["PROJECT", "ID", "STATUS"]
    assert sorted(line.split()[0] for line in listed.out.splitlines()[1:]) == sorted(
        [str(story.repo.path), str(other.path)]
    )
    found = outside.run("tasks", "list", "--global", "--search", "100%", "--json").json["tasks"]
    assert [(each["title"], each["project"]) for each in found] == [
        ("Here 100%", str(story.repo.path))
    ]
    own = story.run("tasks", "list", "--json").json["tasks"]
    assert len(own) == 1 and "project" not in own[0]

    # A project whose folder is gone is told, and the others are listed all the same.
    story.run("daemon", "stop")
    other.path.rename(tmp_path / "moved")
    listed = outside.run("tasks", "list", "--global")
    assert listed.code == 0 and "Here 100%" in listed.out and "There" not in listed.out
    assert listed.err.startswith(f"note: {other.path}: ")


def test_at_a_terminal_a_task_is_one_line(desk_story: Story) -> None:
    story = desk_story
    story.add_section("A")
    long = f"A \x07title {'x' * 150}".replace("\x07", "")
    add(story, long, "A")
    add(story, "Then", "A", "--after", long)
    assert long in story.run("tasks", "list").out, "who reads a pipe gets all of it"
    lines = at_terminal(story, "tasks", "list")
    assert max(map(len, lines)) <= 100 and "..." in lines[1] and "..." in lines[2]
    assert lines[1].split()[2:4] == ["A", "A"]
    assert max(map(len, at_terminal(story, "tasks", "audit"))) <= 100


def at_terminal(story: Story, *args: str) -> list[str]:
    """What a terminal of 100 columns is sent."""
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "steroids", *args],
        cwd=story.repo.path,
        env={**story.cli.env, "COLUMNS": "100"},
        stdout=theirs,
    )
    assert command.wait(60) == 0
    os.close(theirs)
    said = os.read(ours, 65_536).decode()
    os.close(ours)
    return said.splitlines()
