"""Tasks: what they may be, how they are found, how they change, what is written down of it."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from steroids.errors import Ambiguous, NotFound, SteroidsError, UsageError, WrongState
from steroids.services import registry, section_edits, task_audit, task_edits, task_global, tasks
from steroids.services.section_rules import Cycle
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.store.columns import utc_now
from steroids.wire.project import Init
from steroids.wire.task import Task, TaskAdd, TaskEdit, TaskStatus
from tests.support.repos import new_repo
from tests.support.service import SPEC, Bench

S = TaskStatus
AGENTS = """\
agents:
  codemod: {use: script, run: ./codemod}
  claude: {use: command, argv: [claude, -p]}
  mine: claude
"""


def add(project: Bench, title: str, **more: Any) -> Task:
    body = TaskAdd(**{"title": title, "section": "API", "spec": SPEC, **more})
    return tasks.add(project.host, project.project, body)


def edit(project: Bench, word: str, **changes: Any) -> Task:
    return task_edits.edit(project.host, project.project, word, TaskEdit(**changes))


def trail(project: Bench, word: str | None = None) -> list[tuple[str | None, str, str, str | None]]:
    found = task_audit.audit(project.project, word)
    return [(each.from_status, each.to_status, each.actor, each.reason) for each in found]


def titles(project: Bench, **which: Any) -> list[str]:
    return [each.title for each in tasks.listing(project.project, **which)]


def test_all_that_is_said_of_a_task_is_kept(project: Bench) -> None:
    (project.host.path / "config.yaml").write_text(AGENTS)
    project.section("API")
    first = add(project, "  First\tof   all ")
    assert (first.title, first.status, first.priority, first.after) == (
        *("First of all", S.PENDING, 50),
        [],
    )
    made = add(
        project,
        "Second",
        spec="Do it.\n",
        section="api",
        priority=0,
        affected_paths=["apps/api/**", "/README", "apps/api/**"],
        agent="mine",
        after=["First of all", first.id[:8]],
    )
    assert made == project.look(made)
    assert (made.agent, made.affected_paths) == ("mine", ["apps/api/**", "/README"])
    assert (made.status, made.after, made.waits_for) == (S.BLOCKED, [first.id], "'First of all'")
    assert (made.position, made.reason) == (2, "waits for 'First of all'")
    assert trail(project) == [(None, "pending", "user", None), (None, "blocked", "user", None)]
    assert [each.task for each in task_audit.audit(project.project)] == ["First of all", "Second"]


BAD: list[tuple[dict[str, Any], type[SteroidsError], str]] = [
    ({"title": " \t"}, UsageError, "needs a title"),
    ({"title": "a\x1bb"}, UsageError, "one line of at most 200"),
    ({"title": "x" * 201}, UsageError, "one line of at most 200"),
    ({"spec": "No script."}, UsageError, "no ```sh block"),
    ({"spec": "No script.", "agent": "script"}, UsageError, "no ```sh block"),
    ({"spec": "x" * 1_000_001}, UsageError, "over 1000000 characters"),
    ({"spec": SPEC + "\0"}, UsageError, "NUL"),
    ({"priority": -1}, UsageError, "-1 is no priority"),
    ({"priority": 101}, UsageError, "101 is no priority"),
    ({"affected_paths": ["../x"]}, UsageError, "leaves the repository"),
    ({"agent": "nobody"}, UsageError, "There is no agent 'nobody': .*claude"),
    ({"after": ["No such"]}, NotFound, "No task 'No such'"),
    ({"after": ["Twin"]}, Ambiguous, "'Twin' fits 2 tasks"),
    ({"section": "Mobile"}, NotFound, "No section 'Mobile'"),
]


def test_what_a_task_cannot_be_nor_become(project: Bench) -> None:
    (project.host.path / "config.yaml").write_text(AGENTS)
    project.section("API")
    for _ in range(2):
        add(project, "Twin")
    real = add(project, "Real")
    for what, kind, words in BAD:
        with pytest.raises(kind, match=words) as caught:
            add(project, **{"title": "New", **what})
        assert caught.value.hint
        with pytest.raises(kind, match=words) as caught:
            edit(project, "Real", **what)
        assert caught.value.hint
    assert project.look(real) == real and len(titles(project)) == 3
    assert len(trail(project)) == 3


def test_an_agent_that_is_no_script_needs_none(project: Bench) -> None:
    (project.host.path / "config.yaml").write_text(AGENTS)
    project.section("API")
    for agent in ("codemod", "claude", "mine"):
        assert add(project, f"By {agent}", spec="", agent=agent).agent == agent
    with pytest.raises(UsageError, match="no ```sh block"):
        edit(project, "By claude", agent=None)
    changed = edit(project, "By claude", agent=None, spec=SPEC)
    assert (changed.agent, changed.spec) == (None, SPEC)


def test_everything_can_be_changed_before_anybody_works_on_it(project: Bench) -> None:
    project.section("API")
    project.section("Web")
    first, other = add(project, "First"), add(project, "Other")
    changed = edit(
        project,
        "Other",
        title=" New  title ",
        section="web",
        spec=SPEC * 2,
        priority=3,
        affected_paths=["apps/**"],
        after=["First"],
    )
    assert changed == project.look(other)
    assert (changed.title, changed.section, changed.priority) == ("New title", "Web", 3)
    assert (changed.status, changed.after) == (S.BLOCKED, [first.id])
    freed = edit(project, "New title", after=[], affected_paths=[])
    assert (freed.status, freed.after, freed.affected_paths) == (S.PENDING, [], [])
    assert freed.spec == SPEC * 2, "what is not named stays"
    assert [each[:2] for each in trail(project, other.id)] == [
        (None, "pending"),
        ("pending", "blocked"),
        ("blocked", "pending"),
    ]


@pytest.mark.parametrize("status", [S.IN_PROGRESS, S.REVIEW, S.APPROVED])
def test_of_what_is_under_way_section_and_order_stay(project: Bench, status: TaskStatus) -> None:
    project.section("API")
    project.section("Web")
    task, _ = add(project, "Work"), add(project, "Other")
    project.put(task, status)
    changes: list[dict[str, Any]] = [{"section": "Web"}, {"after": ["Other"]}, {"after": []}]
    for change in changes:
        with pytest.raises(WrongState, match=f"'Work' is {status}") as caught:
            edit(project, "Work", title="Changed", **change)
        assert caught.value.hint and caught.value.exit_code == 6
    assert project.look(task).title == "Work", "all or nothing"
    changed = edit(project, "Work", title="New", spec=SPEC * 2, priority=1, agent="script")
    assert (changed.title, changed.priority, changed.status) == ("New", 1, status)


def test_what_is_completed_is_not_changed(project: Bench) -> None:
    project.section("API")
    task = add(project, "Work")
    project.put(task, S.COMPLETED)
    with pytest.raises(WrongState, match="is completed") as caught:
        edit(project, "Work", priority=1)
    assert caught.value.hint and "tasks revert" in caught.value.hint


@pytest.mark.parametrize("status", [S.FAILED, S.DISPUTED, S.SKIPPED])
def test_what_is_at_an_end_is_moved_without_being_begun_again(
    project: Bench, status: TaskStatus
) -> None:
    project.section("API")
    project.section("Web")
    task, first = add(project, "Work"), add(project, "First")
    project.put(task, status, current_attempt=2, latest_commit=project.first)
    moved = edit(project, "Work", section="Web", after=["First"])
    assert (moved.section, moved.status, moved.after) == ("Web", status, [first.id])
    assert (moved.current_attempt, moved.latest_commit) == (2, project.first)


def test_tasks_that_would_wait_for_each_other_are_refused(project: Bench) -> None:
    project.section("API")
    a = add(project, "A")
    b = add(project, "B", after=["A"])
    add(project, "C", after=["B"])
    with pytest.raises(Cycle, match="circle: 'A' -> 'C' -> 'B' -> 'A'") as caught:
        edit(project, "A", after=["C"])
    assert caught.value.details["cycle"][0] == caught.value.details["cycle"][-1] == a.id
    with pytest.raises(Cycle, match="circle: 'B' -> 'B'"):
        edit(project, "B", after=["A", "B"])
    assert project.look(a).after == [] and project.look(b).after == [a.id]


def test_search_takes_its_text_as_it_is(project: Bench) -> None:
    project.section("API")
    add(project, "Raise by 100%")
    add(project, "Rename snake_case", spec=f"Also CAMEL\n\n{SPEC}")
    add(project, "Back\\slash 100 times")
    assert titles(project, search="100%") == ["Raise by 100%"]
    assert titles(project, search="e_c") == ["Rename snake_case"]
    assert titles(project, search="k\\s") == ["Back\\slash 100 times"]
    assert titles(project, search="camel") == ["Rename snake_case"]
    assert titles(project, search="_") == ["Rename snake_case"]
    assert len(titles(project, search="100")) == 2


def test_the_tasks_of_a_removed_section_are_still_found(project: Bench) -> None:
    project.section("API")
    old = add(project, "Old")
    project.put(old, S.COMPLETED)
    section_edits.remove(project.host, project.project, "API")
    assert titles(project, section="api") == ["Old"]
    project.section("API")
    add(project, "New")
    assert titles(project, section="API") == ["New"], "the living one is meant"
    assert titles(project, section=old.section_id) == ["Old"]
    with pytest.raises(NotFound, match="No section 'Web'"):
        tasks.listing(project.project, section="Web")


def test_statuses_add_up(project: Bench) -> None:
    project.section("API")
    for status in (S.FAILED, S.PENDING, S.SKIPPED):
        project.put(add(project, status), status)
    assert titles(project, statuses=[S.FAILED, S.SKIPPED]) == ["failed", "skipped"]


def test_what_was_removed_is_in_no_list_and_keeps_its_audit(project: Bench) -> None:
    project.section("API")
    task = add(project, "Work")
    project.put(task, S.SKIPPED, removed_at=utc_now())
    assert titles(project) == []
    with pytest.raises(NotFound):
        project.look(task)
    with pytest.raises(NotFound):
        add(project, "Other", after=["Work"])
    assert len(trail(project, "Work")) == 1
    add(project, "Work")
    assert len(trail(project)) == 2 and len(trail(project, "Work")) == 1
    with pytest.raises(NotFound):
        task_audit.audit(project.project, "Nobody")


def test_all_projects_at_once_and_one_that_is_gone(project: Bench, tmp_path: Path) -> None:
    project.section("API")
    add(project, "Here")
    repo = new_repo(tmp_path / "other")
    repo.commit("first", {"apps/web/a": "1\n"})
    registry.init(project.host, Init(path=str(repo.path)))
    lost = str(tmp_path / "lost")
    with project.host.store.write() as session:
        session.add(home.Project(path=lost, name="lost", target="main"))
    found = task_global.everywhere(project.host)
    assert [(each.title, each.project) for each in found.tasks] == [
        ("Here", str(project.repo.path))
    ]
    (note,) = found.notes
    assert note.startswith(f"{lost}: ") and "not at" in note
    # The other project has no such section; that is no failure as long as one has it.
    found = task_global.everywhere(project.host, section="API", statuses=[S.PENDING], search="he")
    assert [each.title for each in found.tasks] == ["Here"]
    with pytest.raises(NotFound, match="No section 'Web'"):
        task_global.everywhere(project.host, section="Web")


def test_every_change_of_a_state_is_in_the_audit(project: Bench) -> None:
    project.section("API")
    task = add(project, "Work")
    runner = project.runner("API")
    assignment = project.claim(runner)
    assert assignment is not None
    project.submit(runner, assignment, project.work(assignment, "work", {"x": "1\n"}))
    who = f"runner {runner.id[:8]}"
    assert trail(project, task.id[:8]) == [
        (None, "pending", "user", None),
        ("pending", "in_progress", who, None),
        ("in_progress", "review", who, None),
    ]
    with project.project.store.read() as session:
        assert len(session.exec(select(db.Audit)).all()) == 3
