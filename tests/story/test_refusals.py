"""What runners and locks refuse: the sentence, the hint, the exit code, the JSON."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from steroids.client import Client
from steroids.engines.local import LocalEngine
from steroids.errors import SteroidsError
from steroids.wire.assignment import Assignment, Claim, Heartbeat, Orders, Outcome, Submission
from tests.support.runners import RUNNER_KEYS, refused, stand_in, working
from tests.support.story import Story, at_gate, gate, told
from tests.support.story_repos import plain_monorepo

ALL = "steroids runners stop --all"
LIST = "steroids runners list"
SINGLE_ACTIVE = "a single runner works on every section of this project"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Story]:
    """Runners that are processes: what is refused does not depend on the engine."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    yield from told(tmp_path, plain_monorepo, LocalEngine(home))


def test_starting_beside_a_runner_of_a_section(local: Story) -> None:
    story = local
    for name in "AB":
        story.add_section(name, "true")
        story.add_task(name, f"Work in {name}", gate())
    story.run("runners", "start", "--section", "A", "--detach")
    a = working(story, "A")
    stop_a = f"steroids runners stop --id {a['id'][:8]}"

    busy = refused(
        story,
        *("runners", "start", "--section", "a", "--detach"),
        exits=6,
        code="SECTION_BUSY",
        error="Cannot start runner: section A already has an active runner",
        hint=f"{stop_a}   (or: {ALL})",
    )
    assert set(busy["existingRunner"]) == RUNNER_KEYS
    assert busy["existingRunners"] == [busy["existingRunner"]]
    for key in ("id", "section", "status", "container", "pid", "taskId", "task"):
        assert busy["existingRunner"][key] == a[key], key
    assert busy["existingRunner"]["task"] == "Work in A"

    any_active = refused(
        story,
        *("runners", "start", "--detach"),
        exits=6,
        code="RUNNERS_ACTIVE",
        error="Cannot start runner: without --section it works on every section, "
        "and 1 runner is active",
        hint=f"{ALL}   (or: steroids runners start --force)",
    )
    assert [each["id"] for each in any_active["existingRunners"]] == [a["id"]]

    story.configure(runners={"max_parallel": 1})
    many = refused(
        story,
        *("runners", "start", "--section", "B", "--detach"),
        exits=6,
        code="TOO_MANY_RUNNERS",
        error="Cannot start runner: 1 runner is active, and runners.max_parallel is 1",
        hint=f"{stop_a}   (or raise STEROIDS_RUNNERS__MAX_PARALLEL, runners.max_parallel in a "
        "config file)",
    )
    assert [each["id"] for each in many["existingRunners"]] == [a["id"]]
    story.configure()
    story.run("runners", "start", "--section", "B", "--detach")
    two = refused(
        story,
        *("runners", "start", "--detach"),
        exits=6,
        code="RUNNERS_ACTIVE",
        error="Cannot start runner: without --section it works on every section, "
        "and 2 runners are active",
        hint=f"{ALL}   (or: steroids runners start --force)",
    )
    assert [each["section"] for each in two["existingRunners"]] == ["A", "B"]

    refused(
        story,
        *("runners", "stop", "--id", ""),
        exits=4,
        code="NOT_FOUND",
        error="No runner ''",
        hint=LIST,
    )
    assert {each["section"] for each in story.runners()} == {"A", "B"}, "all still there"


def test_starting_beside_a_single_runner(local: Story) -> None:
    story = local
    story.add_section("A", "true")
    story.add_task("A", "Work", gate())
    story.run("runners", "start", "--detach")
    single = working(story, None)
    hint = f"steroids runners stop --id {single['id'][:8]}"
    for what, args in (
        ("runner", ("runners", "start", "--section", "A", "--detach")),
        ("runner", ("runners", "start", "--detach")),
        ("runners", ("up",)),
        ("runners", ("up", "--section", "A", "--detach")),
    ):
        body = refused(
            story,
            *args,
            exits=6,
            code="SINGLE_RUNNER_ACTIVE",
            error=f"Cannot start {what}: {SINGLE_ACTIVE}",
            hint=hint,
        )
        assert body["existingRunner"]["id"] == single["id"]
        assert (body["existingRunner"]["role"], body["existingRunner"]["section"]) == (
            *("single", None),
        )
    assert [each["id"] for each in story.runners()] == [single["id"]]


def test_naming_what_is_not_there(desk_story: Story) -> None:
    story = desk_story
    # The engine is asked before the section is looked for.
    (story.home / "config.yaml").write_text('{"engine": "local"}')
    story.add_section("A", "true")
    for args in (
        ("runners", "start", "--section", "Nope"),
        ("runners", "stop", "--section", "Nope"),
        ("runners", "logs", "--section", "Nope"),
        ("logs", "--section", "Nope"),
        ("up", "--section", "Nope"),
        ("down", "--section", "Nope"),
        ("exec", "Nope", "true"),
    ):
        error, hint = "No section 'Nope'", "steroids sections list"
        if args[0] == "exec":
            # What comes after the section is the command's own.
            said = story.run(*args, exits=4)
            assert said.err == f"error: {error}\nhint: {hint}\n"
            continue
        refused(story, *args, exits=4, code="NOT_FOUND", error=error, hint=hint)
    for args in (("runners", "stop", "--id", "abc"), ("runners", "logs", "--id", "abc")):
        error = "No runner 'abc'"
        refused(story, *args, exits=4, code="NOT_FOUND", error=error, hint=LIST)
    said = story.run("exec", "A", "true", exits=4)
    assert said.err == (
        "error: Section A has no runner now\nhint: steroids up --section 'A' --keep -d\n"
    )
    refused(
        story,
        *("locks", "release", "section A"),
        exits=4,
        code="NOT_FOUND",
        error="No lock 'section A'",
        hint="steroids locks list",
    )
    assert "no runner was running" in story.run("runners", "stop", "--all").err
    assert "no runner of A was running" in story.run("runners", "stop", "--section", "A").err


def test_saying_too_little_or_too_much(desk_story: Story) -> None:
    story = desk_story
    refused(
        story,
        *("runners", "stop"),
        exits=2,
        code="USAGE",
        error="Nothing says which runners to stop: --id, --section or --all",
        hint="steroids runners stop --all   (which there are: steroids runners list)",
    )
    for args in (("--id", "a", "--all"), ("--section", "A", "--all"), ("--id", "a", "-s", "A")):
        refused(
            story,
            *("runners", "stop", *args),
            exits=2,
            code="USAGE",
            error="--id, --section and --all exclude each other",
            hint="steroids runners stop --help",
        )
    refused(
        story,
        *("down", "--all", "--section", "A"),
        exits=2,
        code="USAGE",
        error="--all and --section exclude each other",
        hint="steroids down --help",
    )


def test_a_section_that_is_skipped(desk_story: Story) -> None:
    story = desk_story
    (story.home / "config.yaml").write_text('{"engine": "local"}')
    story.run("sections", "add", "Big Web", "--path", "apps/a/**", "--check", "true")
    story.add_task("Big Web", "Work", "true")
    story.run("sections", "skip", "Big Web")
    for args in (("up", "--section", "big web"), ("runners", "start", "--section", "Big Web")):
        refused(
            story,
            *args,
            exits=6,
            code="WRONG_STATE",
            error="Cannot start runner: section Big Web is skipped",
            hint="steroids sections unskip 'Big Web'",
        )
    # Not named, it is no hindrance.
    assert "nothing to do" in story.run("up").err
    assert story.runners() == []


def test_where_there_is_no_engine(desk_story: Story) -> None:
    story = desk_story
    story.add_section("A", "true")
    story.add_task("A", "Work", "true")
    address = "unix:///nowhere/engine.sock"
    for args in (
        ("runners", "start", "--section", "A"),
        ("runners", "start"),
        ("up",),
        ("up", "--section", "A", "-d"),
    ):
        refused(
            story,
            *(*args, "--engine", address),
            exits=5,
            code="NO_ENGINE",
            error=f"No container engine answers ({address}: no such file)",
            hint="start the engine (sudo systemctl start docker), then: steroids doctor",
        )
    assert story.run("runners", "list", "--json").json["runners"] == []
    status = story.run("runners", "status", "--json").json
    assert (status["runners"], status["queued"]) == ([], []), "nothing is wanted either"


def test_outside_of_a_project(desk_story: Story, tmp_path: Path) -> None:
    story = desk_story
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    story.cli.cwd = nowhere
    for args in (
        *(("runners", "start"), ("runners", "list"), ("runners", "status")),
        *(("runners", "stop", "--all"), ("runners", "logs"), ("locks", "list")),
        *(("locks", "release", "1"), ("locks", "cleanup"), ("up",), ("down",), ("ps",)),
    ):
        said = story.run(*args, "--json", exits=3).json
        assert said["code"] == "NOT_A_PROJECT" and str(nowhere) in said["error"], args
        assert said["hint"], args
    story.cli.cwd = story.repo.path


def test_zones_that_say_nothing(desk_story: Story) -> None:
    story = desk_story
    story.add_section("A", "true")
    mine = story.home / "config.yaml"
    cases = [
        (
            "runners:\n  zones: north\n",
            2,
            "'zones' is a list of zones, each with a name",
            "steroids config show",
        ),
        ("runners:\n  zones:\n    - nmae: x\n", 3, "unknown key 'nmae'", "did you mean 'name'?"),
        (
            "runners:\n  zones:\n    - name: x\n      max_runner: 1\n",
            *(4, "unknown key 'max_runner'", "did you mean 'max_runners'?"),
        ),
    ]
    for text, line, words, hint in cases:
        mine.write_text(text)
        shown = story.run("up", exits=3)
        assert f"error: {mine}:{line}: {words}" in shown.err, shown
        assert f"hint: {hint}" in shown.err, shown
        said = story.run("runners", "start", "--json", exits=3).json
        assert (said["code"], said["error"]) == ("BAD_CONFIG", f"{mine}:{line}: {words}")
    for zone in ({"paths": ["a"]}, {"name": "x", "max_runners": 0}):
        mine.write_text(json.dumps({"runners": {"zones": [zone]}}))
        said = story.run("up", "--json", exits=3).json
        assert said["code"] == "BAD_CONFIG" and "runners.zones.0." in said["error"], said
    story.configure()


def test_locks_that_are_held(local: Story) -> None:
    story = local
    for name in "AB":
        story.add_section(name, gate("review") if name == "A" else "true")
    task = story.add_task("A", "Work in A", f"{gate()}\necho done > apps/a/done.txt")
    story.add_task("B", "Work in B", gate())
    story.run("up", "-d")
    runner = working(story, "A")["id"]
    working(story, "B")
    story.wait_for_line(at_gate())
    locks = story.run("locks", "list", "--json").json["locks"]
    mine = [each for each in locks if each["taskId"] == task]
    assert {each["name"] for each in mine} == {"project", "section A"}
    (section,) = [each for each in mine if each["name"] == "section A"]

    for word in ("section A", "SECTION a", section["resource"], str(section["id"])):
        held = refused(
            story,
            *("locks", "release", word),
            exits=6,
            code="LOCK_HELD",
            error=f"Cannot release section A: runner {runner[:8]} is alive and works on "
            "'Work in A'",
            hint=f"steroids locks release {section['id']} --force   "
            "(it is told, and stops that task)",
        )
        assert held["runnerId"] == runner
        assert set(held["locks"]) == {each["id"] for each in mine}
    both = [each["id"] for each in locks if each["name"] == "project"]
    refused(
        story,
        *("locks", "release", "project", "--force"),
        exits=4,
        code="AMBIGUOUS",
        error=f"2 locks are on 'project': {both[0]}, {both[1]}",
        hint=f"steroids locks release {both[0]}   (steroids locks list shows whose they are)",
    )

    story.release("A")
    story.wait_for_line(at_gate("review"))
    for force in ((), ("--force",)):
        refused(
            story,
            *("locks", "release", "section A", *force),
            exits=6,
            code="LOCK_HELD",
            error="Cannot release section A: 'Work in A' is being reviewed, and keeps it until "
            "it has landed or goes back",
            hint=f"steroids tasks show {task[:8]}",
        )
    assert "when landed" in story.run("locks", "list").out
    assert story.task(task)["status"] == "review"
    assert story.engine is not None
    (review,) = story.containers("review")
    go = 'touch "${TMPDIR:-/tmp}/review"'
    assert story.engine.exec(review.handle, ["sh", "-c", go]).exit_code == 0
    story.wait_for_status(task, "completed")


def test_a_fenced_off_runner_cannot_hand_over(desk_story: Story) -> None:
    story = desk_story
    story.add_section("A", "true")
    task = story.add_task("A", "Work", "echo done > apps/a/done.txt")
    runner = stand_in(story, "A")
    first = claimed(runner)
    (other,) = story.runners()
    assert (other["task"], other["taskId"]) == ("Work", task)
    story.run("locks", "release", "section A", "--force")

    assert runner.post("/v1/heartbeat", Heartbeat(fence=first.fence), Orders).cancel
    late = handed_over(first)
    for _ in range(2):
        with pytest.raises(SteroidsError) as caught:
            runner.send("POST", "/v1/submission", late)
        error = caught.value
        assert (error.code, error.exit_code, error.http_status) == ("LEASE_LOST", 6, 409)
        assert error.message == f"Task {task[:8]} is no longer this runner's"
        assert error.hint == "steroids ps"
    # Lost, then back: with a fence that has grown, so that the old one is worth nothing.
    again = claimed(runner)
    assert again.fence > first.fence
    with pytest.raises(SteroidsError, match="no longer this runner's"):
        runner.send("POST", "/v1/submission", late)
    assert story.task(task)["status"] == "in_progress"
    runner.send("POST", "/v1/submission", handed_over(again))
    assert story.task(task)["status"] == "pending"

    story.run("down", "--now")
    with pytest.raises(SteroidsError) as caught:
        runner.send("POST", "/v1/submission", late)
    assert (caught.value.code, caught.value.http_status) == ("UNAUTHORISED", 401)


def test_a_beginning_that_fits_several_runners_and_what_completes(desk_story: Story) -> None:
    story = desk_story
    ids = ["ab" + "0" * 30, "ab" + "1" * 30]
    for name, runner_id in zip(("South", "Shore"), ids, strict=True):
        story.add_section(name, "true", options=("--path", "apps"))
        stand_in(story, name, runner_id)
    body = refused(
        story,
        *("runners", "stop", "--id", "ab"),
        exits=4,
        code="AMBIGUOUS",
        error="'ab' fits 2 runners: ab000000; ab111111",
        hint=LIST,
    )
    assert body["candidates"] == ids
    for words, offers in (
        ("runners stop --id ab", {"ab000000", "ab111111"}),
        ("runners logs --id ab1", {"ab111111"}),
        ("runners start --section S", {"South", "Shore"}),
        ("down --section Sh", {"Shore"}),
    ):
        line = f"steroids {words}"
        offered = story.run(
            _STEROIDS_COMPLETE="bash_complete",
            COMP_WORDS=line,
            COMP_CWORD=str(len(line.split()) - 1),
        )
        assert {each.split(",")[1] for each in offered.out.splitlines()} == offers, words
    assert story.run("runners", "stop", "--id", "ab1").out == "stopped ab111111  Shore\n"


def claimed(runner: Client) -> Assignment:
    assignment = runner.poll("/v1/claim", Claim(wait_s=20), Assignment, timeout_s=60)
    assert assignment is not None
    return assignment


def handed_over(assignment: Assignment) -> Submission:
    """The agent was stopped before it had committed anything."""
    assert assignment.task is not None and assignment.checkout is not None
    return Submission(
        fence=assignment.fence,
        task_id=assignment.task.id,
        attempt=assignment.task.attempt,
        base=assignment.checkout.commit,
        tip=assignment.checkout.commit,
        outcome=Outcome.STOPPED,
        reason="stopped",
    )
