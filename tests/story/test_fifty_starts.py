"""Many people start runners at the same moment, each with a command line of their own."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.story import Story, gate
from tests.support.story_cli import Answer

SECTION_A = ("runners", "start", "--section", "A", "--detach")
SINGLE = ("runners", "start", "--detach")


def at_once(story: Story, commands: Sequence[tuple[str, ...]]) -> list[Answer]:
    """All of them side by side, as real processes; their answers in the same order."""
    running = [story.start(*args) for args in commands]
    return [each.finish() for each in running]


def test_of_fifty_starts_of_one_section_exactly_one_succeeds(story: Story) -> None:
    story.add_section("A", "true")
    story.add_task("A", "Takes its time", gate())
    # From a cold start: of those who find no controller one brings it up.
    story.run("daemon", "stop")
    # Half of them are programs.
    commands = [(*SECTION_A, "--json") if number % 2 else SECTION_A for number in range(50)]

    answers = at_once(story, commands)

    codes = [each.code for each in answers]
    assert sorted(codes) == [0, *[6] * 49], [str(each) for each in answers]
    (runner,) = story.runners()
    (container,) = story.containers()
    assert container.labels["io.steroids.runner"] == runner["id"]
    for args, answer in zip(commands, answers, strict=True):
        if "--json" in args:
            told = answer.json
            assert told["success"] == (answer.code == 0)
            if answer.code == 0:
                assert told["runner"]["id"] == runner["id"]
                continue
            assert told["code"] == "SECTION_BUSY"
            assert told["error"] == "Cannot start runner: section A already has an active runner"
            assert told["existingRunner"]["id"] == runner["id"]
            assert [each["id"] for each in told["existingRunners"]] == [runner["id"]]
            assert f"steroids runners stop --id {runner['id'][:8]}" in told["hint"]
        elif answer.code == 0:
            assert f"started {runner['id'][:8]}  A" in answer.out
        else:
            assert refusal(answer) == [
                "error: Cannot start runner: section A already has an active runner",
                "",
                "Active runners:",
                f"  {runner['id'][:8]}  A  container ?  started ?",
                "",
                f"hint: steroids runners stop --id {runner['id'][:8]}   "
                "(or: steroids runners stop --all)",
            ]
    assert [event["runnerId"] for event in story.events("ready")] == [runner["id"]]


def refusal(answer: Answer) -> list[str]:
    """What a refused start printed; what differs from one moment to the next is a `?`."""
    assert answer.out == "", answer
    lines = []
    for line in answer.err.splitlines():
        before, container, rest = line.partition("  container ")
        lines.append(f"{before}{container}?  started ?" if container else line)
        assert not container or len(rest.split("  started ")[1]) == len("17:30:45"), line
    return lines


def test_forced_starts_at_once_never_make_two(story: Story) -> None:
    story.add_section("A", "true")
    story.add_task("A", "Takes its time", gate())
    story.run(*SECTION_A)

    with watched(story) as seen:
        answers = at_once(story, [(*SECTION_A, "--force")] * 8)

    assert seen.looks and max(seen.rows) <= 1 and max(seen.containers) <= 1, seen
    assert {each.code for each in answers} <= {0, 6}, [str(each) for each in answers]
    (runner,) = story.wait("one runner", story.runners)
    story.wait("it works", lambda: [r["status"] for r in story.runners()] == ["working"])
    (container,) = story.containers()
    assert container.labels["io.steroids.runner"] == runner["id"]
    # Whoever said that it started one has started it; the last of them is there.
    ids = {answer.out.split("started ")[1][:8] for answer in answers if answer.code == 0}
    assert runner["id"][:8] in ids


def test_a_single_runner_is_never_beside_another(story: Story) -> None:
    for name in "ABC":
        story.add_section(name, "true")
        story.add_task(name, "Takes its time", gate())
    sections = [("runners", "start", "--section", name, "--detach") for name in "ABC"]

    with watched(story) as seen:
        answers = at_once(story, [SINGLE, *sections, SINGLE, *sections, SINGLE, SINGLE])

    runners = story.wait("those that work", lambda: _workers(story))
    roles = [each["role"] for each in runners]
    sections_of = [each["section"] for each in runners]
    assert roles == ["single"] or (
        "single" not in roles and len(sections_of) == len(set(sections_of))
    )
    assert len([each for each in answers if each.code == 0]) == len(runners)
    assert seen.looks and not seen.single_beside_another
    for answer in answers:
        if answer.code == 0:
            continue
        assert answer.code == 6, answer
        assert any(
            words in answer.err
            for words in (
                "a single runner works on every section of this project",
                "without --section it works on every section, and",
                "already has an active runner",
            )
        ), answer
        assert "hint: steroids runners stop " in answer.err, answer


def _workers(story: Story) -> list[dict[str, Any]]:
    return [each for each in story.runners() if each["role"] != "setup"]


@dataclass
class Seen:
    """What there was at any look."""

    looks: int = 0
    rows: list[int] = field(default_factory=list)
    containers: list[int] = field(default_factory=list)
    single_beside_another: bool = False


@contextmanager
def watched(story: Story) -> Iterator[Seen]:
    """Look at the engine and at the books all the time."""
    seen, over = Seen(), threading.Event()

    def look() -> None:
        while not over.is_set():
            there = [*story.containers("section"), *story.containers("single")]
            seen.containers.append(len(there))
            # What makes the snapshot is in the list too.
            rows = [each["role"] for each in story.runners() if each["role"] != "setup"]
            seen.rows.append(len(rows))
            seen.single_beside_another |= "single" in rows and len(rows) > 1
            seen.looks += 1

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
