"""Sections on the command line: what is printed, what is asked, what is refused."""

import os
import pty
import subprocess
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

from tests.support.story import Story
from tests.support.story_cli import Answer


def test_a_section_from_its_beginning_to_its_end(desk_story: Story) -> None:
    story = desk_story
    story.add_section("A", "true", options=("--priority", "high"))
    added = story.run(
        *("sections", "add", "Shared Types", "--path", "apps/b/**", "--path", "apps/c-*"),
        *("--isolation", "exclusive", "--after", "a", "--setup", "npm ci", "--json"),
    ).json
    assert added["success"] is True
    section = added["section"]
    assert (section["after"], section["setup"], section["resources"]) == (["A"], ["npm ci"], None)
    story.add_task("A", "Work", "true")

    a = story.run("sections", "show", "A", "--json").json["section"]["id"][:8]
    b = section["id"][:8]
    assert story.run("sections", "list").out.splitlines() == [
        "ID        NAME          PATH                 ISOLATED  TASKS  STATE",
        f"{a}  A             apps/a/**            yes       1",
        f"{b}  Shared Types  apps/b/**, apps/c-*  EXCL      0      BLOCKED by A",
    ]
    skipped = story.run("sections", "skip", "A")
    assert skipped.out == "skipped A: none of its tasks is begun; one in work is finished\n"
    assert "block Shared Types" in skipped.err and "sections unskip 'A'" in skipped.err
    assert "A             apps/a/**            yes       1      skipped" in (
        story.run("sections", "list").out
    )
    story.run("sections", "unskip", "A")
    assert story.run("sections", "edit", b, "--no-after", "A").out.startswith("changed section")
    assert "STATE" not in story.run("sections", "list").out

    story.run("sections", "priority", "Shared Types", "5")
    story.run(
        "sections", "edit", "Shared Types", "--name", "Types", "--no-setup", "--check", "x[y]"
    )
    shown = story.run("sections", "show", "types").out.splitlines()
    assert shown[0] == "Types"
    assert [line.split() for line in shown[1:]] == [
        ["id", section["id"]],
        ["paths", "apps/b/**"],
        ["apps/c-*"],
        ["isolation", "exclusive"],
        ["priority", "5"],
        ["check", "x[y]"],
        ["tasks", "0", "tasks", "not", "at", "an", "end"],
    ]
    listed = story.run("sections", "list", "--json").json["sections"]
    assert [each["name"] for each in listed] == ["Types", "A"], "in working order"

    story.run("sections", "remove", "Types", "--yes")
    assert "Types" not in story.run("sections", "list").out


def test_every_refusal_has_its_exit_code_and_a_hint(desk_story: Story) -> None:
    story = desk_story
    for name in ("A", "B", "C"):
        story.add_section(name)
    assert story.run("sections", "depends-on", "A", "B").out == "A depends on B\n"
    story.run("sections", "depends-on", "B", "C")
    story.add_task("A", "Work", "true")
    refusals: list[tuple[tuple[str, ...], int, str, str]] = [
        (("add", "a", "--path", "apps/a"), 2, "DUPLICATE_NAME", "There is a section 'a' already"),
        (("add", "D", "--path", "ap/d"), 2, "USAGE", "There is no 'ap'"),
        (("depends-on", "C", "A"), 2, "CYCLE", "C -> A -> B -> C"),
        (("edit", "C", "--after", "C"), 2, "CYCLE", "C cannot come after itself"),
        (("no-depends-on", "A", "C"), 4, "NOT_FOUND", "A does not depend on C"),
        (("edit", "A", "--resource", "simulator"), 2, "USAGE", "'simulator' is not declared"),
        (("edit", "A"), 2, "USAGE", "nothing to change"),
        (("edit", "A", "--image", "x", "--no-image"), 2, "USAGE", "one thing about the image"),
        (("show", "Nowhere"), 4, "NOT_FOUND", "No section 'Nowhere'"),
        (("remove", "B", "--yes"), 6, "SECTION_IN_USE", "A depends on B"),
        (("remove", "A", "--dry-run"), 6, "SECTION_IN_USE", "1 unfinished task: 1 pending"),
        (("graph", "--mermaid", "--svg", "x.svg"), 2, "USAGE", "not both"),
    ]
    before = story.run("sections", "list", "--json").out
    for args, exits, code, words in refusals:
        said = story.run("sections", *args, "--json", exits=exits).json
        assert said["success"] is False and said["code"] == code, args
        assert words in said["error"] and said["hint"], args
    assert story.run("sections", "list", "--json").out == before
    shown = story.run("sections", "depends-on", "C", "A", exits=2).err
    assert "circle: C -> A -> B -> C\nhint: steroids sections show 'B'" in shown


def answered(story: Story, answer: str, *args: str) -> Answer:
    """The command at a terminal, where somebody types the answer."""
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "steroids", *args],
        cwd=story.repo.path,
        env=story.cli.env,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.write(ours, f"{answer}\n".encode())
    out, _ = command.communicate(timeout=60)
    os.close(theirs)
    said = os.read(ours, 65_536).decode()
    os.close(ours)
    return Answer(command.returncode, out.decode(), said)


def test_removing_asks_and_where_nobody_is_it_refuses(desk_story: Story) -> None:
    story = desk_story
    story.add_section("A")
    for extra in ((), ("--json",)):
        alone = story.run("sections", "remove", "A", *extra, exits=2, stdin="y\n")
        assert "sections remove 'A' --yes" in alone.out + alone.err
    trial = story.run("sections", "remove", "A", "--dry-run", "--json").json
    assert (trial["dryRun"], trial["section"]["removedAt"]) == (True, None)
    no = answered(story, "n", "sections", "remove", "A")
    assert no.code == 1 and "Remove section A?" in no.err and "Nothing was changed" in no.err
    assert story.run("sections", "list").out.splitlines()[1:]
    yes = answered(story, "y", "sections", "remove", "A")
    assert yes.code == 0 and yes.out.startswith("removed section A")
    assert not story.run("sections", "list").out


def test_the_graph_as_text_as_a_flowchart_and_as_a_drawing(desk_story: Story) -> None:
    story = desk_story
    assert "no sections yet" in story.run("sections", "graph").err
    story.add_section("A", options=("--isolation", "exclusive"))
    story.add_section("B", options=("--depends-on", "A"))
    story.add_section("C", options=("--depends-on", "A", "--after", "B"))
    story.add_task("B", "Work", "true")
    assert story.run("sections", "graph").out.splitlines() == [
        *("B", "`-- A  EXCL"),
        *("C  BLOCKED by B", "`-- A  EXCL  (above)"),
        *("", "Order:", "  C after B"),
    ]
    flowchart = story.run("sections", "graph", "--mermaid").out.splitlines()
    assert flowchart[0] == "flowchart TD" and "  s3 -. after .-> s2" in flowchart
    graph = story.run("sections", "graph", "--json").json["graph"]
    assert [each["name"] for each in graph["nodes"]] == ["A", "B", "C"]
    assert graph["edges"][1:] == [
        {"from": "C", "to": "A", "kind": "dependency"},
        {"from": "C", "to": "B", "kind": "after"},
    ]
    path = story.home / "graph.svg"
    assert story.run("sections", "graph", "--svg", str(path)).out == f"wrote {path}\n"
    assert ET.parse(path).getroot().tag.endswith("svg")
    nowhere = story.run("sections", "graph", "--svg", "no/such/place.svg", exits=2)
    assert "cannot write no/such/place.svg: No such file" in nowhere.err


def test_what_many_say_at_once_is_all_kept(desk_story: Story) -> None:
    story = desk_story
    for name in "ABCD":
        story.add_section(name)
    with ThreadPoolExecutor(6) as pool:
        for each in ("A", "B", "C"):
            pool.submit(story.run, "sections", "depends-on", "D", each)
            pool.submit(story.run, "sections", "edit", "D", "--after", each)
    shown = story.run("sections", "show", "D", "--json").json["section"]
    assert sorted(shown["dependencies"]) == sorted(shown["after"]) == ["A", "B", "C"]


def test_names_are_completed_where_a_section_is_named(desk_story: Story) -> None:
    story = desk_story
    story.add_section("A")
    story.run("sections", "add", "Shared Types", "--path", "apps/b")
    for line in ("show", "remove", "depends-on A", "edit A --after", "add X --path a --depends-on"):
        words = f"steroids sections {line} Sh"
        completed = story.run(
            _STEROIDS_COMPLETE="zsh_complete",
            COMP_WORDS=words,
            COMP_CWORD=str(len(words.split()) - 1),
        )
        assert "Shared Types" in completed.out, line
