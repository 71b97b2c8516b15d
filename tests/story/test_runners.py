"""Starting, looking at, replacing and stopping runners, in real containers."""

from functools import partial

import psutil

from tests.support.runners import RUNNER_KEYS, working
from tests.support.story import Story, at_gate, gate

HEADS = ["ID", "STATUS", "ENGINE", "CONTAINER", "PID", "SECTION", "TASK", "HEARTBEAT"]


def test_one_runner_for_all_sections_works_in_order_and_is_replaced_by_force(
    story: Story,
) -> None:
    story.add_section("A", "true")
    story.add_section("B", "true", options=("--priority", "high"))
    # What it has committed before it was replaced is there when it is begun again.
    long = story.add_task(
        "B",
        "Long",
        f"""if [ -e apps/b/one ]; then echo two > apps/b/two; exit 0; fi
echo one > apps/b/one; git add -A; git commit -qm 'The first half'
{gate()}""",
    )
    first, last = (
        story.add_task("A", title, f"echo {title} >> apps/a/log") for title in ("first", "last")
    )
    one = story.run("runners", "start", "--section", "B", "--detach", "--json").json
    assert (one["success"], one["replaced"], one["notes"]) == (True, [], [])
    assert set(one["runner"]) == RUNNER_KEYS and one["runner"]["containerId"]
    story.wait_for_line(at_gate())
    old = working(story, "B")
    assert old["id"] == one["runner"]["id"]

    # The single runner is in nobody's company: whoever is there makes way, and hands over first.
    answer = story.run("runners", "start", "--force")

    assert f"stopped {old['id'][:8]}  B\n" in answer.err
    drained = [line for line in answer.out.splitlines() if "drained" in line]
    assert len(drained) == 1 and drained[0].startswith("all  drained: 3 completed"), answer
    assert "all sections  ready" in answer.out
    shown = story.task(long)
    assert (shown["status"], shown["currentAttempt"], len(shown["attempts"])) == (
        *("completed", 1, 1),
    )
    assert [each["message"].strip() for each in story.commits(long)] == ["The first half", "Long"]
    # By priority, then by position.
    assert story.origin.landings() == [long, first, last]
    assert len({event["runnerId"] for event in story.events("claimed")}) == 2
    assert [event["runnerId"] for event in story.events("stopped")] == [old["id"]]
    assert story.runners() == []
    story.wait("containers gone", lambda: story.containers() == [])

    # What a runner did can be read after its end, by the beginning of its id.
    its = story.run("runners", "logs", "--id", old["id"][:8], "--json").lines()
    assert {event["runnerId"] for event in its} == {old["id"]}
    assert [event["kind"] for event in its][-1] == "stopped"
    assert at_gate() in story.run("runners", "logs", "--id", old["id"][:6]).out
    assert at_gate() not in story.run("runners", "logs", "--section", "a").out


def test_listing_and_stopping(story: Story) -> None:
    story.add_section("A", "true")
    story.run("sections", "add", "Shared Types", "--path", "apps/b/**", "--check", "true")
    for name in ("A", "Shared Types"):
        story.add_task(name, f"Work in {name}", gate())
    assert "next: steroids logs -f" in story.run("up", "--detach").err
    a, b = working(story, "A"), working(story, "Shared Types")

    # One per container: a second one leaves at once, and takes nothing from the first.
    assert story.engine is not None
    for each in story.containers("section"):
        second = story.engine.exec(each.handle, ["steroids-runner"])
        assert second.exit_code == 6
        assert b"A runner works in this container already (pid " in second.output

    heads, *rows = story.run("runners", "list").out.splitlines()
    assert heads.split() == HEADS
    at = [heads.index(head) for head in HEADS]
    by_section = {row[at[5] : at[6]].strip(): row for row in rows}
    for runner in (a, b):
        row = by_section[runner["section"]]
        cells = [row[start:end].strip() for start, end in zip(at, [*at[1:], None], strict=True)]
        assert story.engine is not None
        assert cells[:5] == [
            runner["id"][:8],
            "working",
            story.engine.name,
            runner["containerId"][:12],
            str(runner["pid"]),
        ]
        assert cells[6] == f"Work in {runner['section']}" and cells[7].endswith("s ago")
        # On this very machine: the container's own main process.
        assert psutil.pid_exists(runner["pid"])
    status = story.run("runners", "status").out.splitlines()
    assert status[0] == "2 runners of at most 4"
    assert f"  {a['id'][:8]}  A  working 'Work in A'" in status

    stopped = story.run("runners", "stop", "--id", a["id"][:8], "--json").json
    assert [(each["id"], each["status"]) for each in stopped["runners"]] == [(a["id"], "stopped")]
    assert [each["id"] for each in story.runners()] == [b["id"]]
    again = story.run("runners", "start", "--section", "A", "-d", "-q")
    new = working(story, "A")
    assert (again.out, again.err) == (f"started {new['id'][:8]}  A\n", "")
    by_name = story.run("runners", "stop", "--section", "shared types", "--now")
    assert by_name.out == f"stopped {b['id'][:8]}  Shared Types\n"
    assert "next: steroids up" in by_name.err
    assert not psutil.pid_exists(b["pid"])
    assert [each["id"] for each in story.runners()] == [new["id"]]
    story.run("runners", "stop", "--all")
    assert story.runners() == [] and story.containers() == []
    # Nobody asked for them any more, so nobody starts them again.
    assert story.run("runners", "status").out == "no runners (at most 4)\n"
    tasks = story.run("tasks", "list", "--json").json["tasks"]
    assert {(each["status"], each["rejectionCount"]) for each in tasks} == {("pending", 0)}


def test_a_forced_release_makes_the_runner_stop_its_task(story: Story) -> None:
    story.add_section("A", "true")
    once = "if mkdir /tmp/once 2>/dev/null; then echo begun; sleep 1000; fi; echo x > apps/a/x"
    task = story.add_task("A", "Released", once)
    up = story.start("up")
    story.wait_for_line("begun")
    runner = working(story, "A")["id"]
    heads, *rows = story.run("locks", "list").out.splitlines()
    assert heads.split() == ["ID", "RESOURCE", "MODE", "TASK", "RUNNER", "GRANTED", "EXPIRES"]
    (row,) = [each for each in rows if "section A" in each]
    assert "exclusive  Released" in row and runner[:8] in row and " in " in row
    assert "nothing to clean up" in story.run("locks", "cleanup", "--dry-run").err

    released = story.run("locks", "release", "section A", "--force")

    assert set(released.out.splitlines()) == {"released section A", "released project"}
    assert "'Released' goes back to pending" in released.err
    # Told by its next heartbeat it ends the agent, and takes the task up again by itself.
    answer = story.finish(up)
    assert "given back: its lock was released" in answer.out
    shown = story.task(task)
    assert (shown["status"], shown["infrastructureFailures"]) == ("completed", 0)
    assert [event["runnerId"] for event in story.events("claimed")] == [runner] * 2
    assert story.run("locks", "list", "--json").json["locks"] == []


def test_what_is_shared_is_used_by_one_check_at_a_time(story: Story) -> None:
    # One check each: not another when the second lands upon the first.
    story.configure(shared_resources=["db-seed"], landing={"verify": "never"})
    for name in "AB":
        story.add_section(name, gate("review"))
        story.add_task(name, f"Work in {name}", f"echo done > apps/{name.lower()}/done.txt")
    up = story.start("up")

    def reviews() -> dict[bool, dict[str, object]] | None:
        """By whether it waits for its turn."""
        found = {bool(r["waitsFor"]): r for r in story.runners() if r["role"] == "review"}
        return found if len(found) == 2 else None

    both = story.wait("one waits for the other", reviews)
    assert both[True]["waitsFor"] == "a turn with db-seed"
    story.wait_for_line(at_gate("review"))
    locks = story.run("locks", "list").out
    assert "resource db-seed  exclusive  (build)" in locks
    for number in (1, 2):
        # The second gets to its check only when the first is over.
        story.wait("at the gate", partial(_has_been_at_it, story, number))
        (at_it,) = [
            each
            for each in story.containers("review")
            if each.labels["io.steroids.runner"] in _holders(story)
        ]
        assert story.engine is not None
        assert story.engine.exec(at_it.handle, ["touch", "/tmp/review"]).exit_code == 0
    story.finish(up)
    assert len(story.origin.landings()) == 2


def _has_been_at_it(story: Story, times: int) -> bool:
    found = [event for event in story.events("log") if event["text"] == at_gate("review")]
    assert len(found) <= times
    return len(found) == times


def _holders(story: Story) -> set[str]:
    """Of the shared resource."""
    locks = story.run("locks", "list", "--json").json["locks"]
    return {each["runnerId"] for each in locks if each["name"] == "resource db-seed"}


def test_what_a_stubborn_agent_has_committed_survives_its_kill(story: Story) -> None:
    story.add_section("A", "true")
    # It would have its runner wait for longer than a stop `--now` does.
    script = f"""if [ -e apps/a/kept ]; then exit 0; fi
trap '' TERM
echo kept > apps/a/kept; git add -A; git commit -qm Kept
{gate()}"""
    task = story.add_task("A", "Stubborn", script)
    story.run("up", "-d")
    story.wait_for_line(at_gate())

    story.run("down", "--now")

    shown = story.task(task)
    assert (shown["status"], shown["infrastructureFailures"]) == ("pending", 0)
    assert [each["message"].strip() for each in story.commits(task)] == ["Kept"]
    story.finish(story.start("up"))
    assert story.task(task)["status"] == "completed"
