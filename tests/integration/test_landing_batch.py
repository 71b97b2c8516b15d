"""Several approved tasks: together where that is possible, and no good one for a bad one's sake."""

from pathlib import Path

import pytest
from sqlmodel import select

from steroids.errors import EngineUnavailable
from steroids.git.mirror import Mirror
from steroids.git.push import push
from steroids.provisioning.oneshot import ContainerLost
from steroids.services import (
    clashes,
    commits,
    landing,
    landing_push,
    landing_verify,
)
from steroids.store import project_models as db
from steroids.wire.event import EventKind
from steroids.wire.task import Task, TaskStatus
from tests.support.landing import (
    Checks,
    approved,
    configure,
    events,
    hook,
    land_all,
    landed_tasks,
    outsider,
    real_checks,
)
from tests.support.service import Bench

EVEN = """test "$(ls wants 2>/dev/null | wc -l)" -lt 2"""
"""A check that each task passes alone, and two of a kind do not."""
DONE, APPROVED, PENDING = TaskStatus.COMPLETED, TaskStatus.APPROVED, TaskStatus.PENDING


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Checks:
    return real_checks(monkeypatch, tmp_path / "checked")


def several(
    project: Bench, count: int, *check: str, files: dict[int, dict[str, str]] | None = None
) -> list[Task]:
    """Approved tasks in sections of their own, each with a file of its own, or with these."""
    found = []
    for number in range(count):
        project.section(f"S{number}", check=check)
        content = (files or {}).get(number, {f"file{number}": "1\n"})
        found.append(approved(project, f"T{number}", content, f"S{number}")[0])
    return found


def statuses(tasks: list[Task]) -> list[TaskStatus]:
    return [task.status for task in tasks]


def notices(project: Bench, words: str) -> list[db.Event]:
    return [each for each in events(project, EventKind.NOTICE) if words in each.text]


def test_a_batch_is_one_push_in_the_order_of_approval(
    project: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks, pushed = several(project, 3), []

    def counted(mirror: Mirror, url: str, commit: str, branch: str, *, local: bool) -> None:
        pushed.append(commit)
        push(mirror, url, commit, branch, local=local)

    monkeypatch.setattr(landing_push, "push", counted)
    now = land_all(project, tasks)
    assert statuses(now) == [DONE] * 3
    assert landed_tasks(project) == [task.id for task in tasks]
    assert pushed == [now[-1].landed_hash]
    assert {each.landed_branch for each in now} == {"main"}
    for task in now:
        (commit,) = commits.listing(project.project, task.id)
        assert commit.landed_hash == task.landed_hash


def test_one_with_nothing_to_land_is_completed_among_others(project: Bench) -> None:
    tasks = several(project, 3, files={1: {"same": "1\n"}})
    outsider(project, "The same, by somebody else", {"same": "1\n"})
    now = land_all(project, tasks)
    assert statuses(now) == [DONE] * 3
    assert now[1].landed_hash is None
    assert landed_tasks(project) == [tasks[0].id, tasks[2].id]


def test_who_conflicts_with_another_of_its_batch_waits_and_then_learns_with_whom(
    project: Bench,
) -> None:
    clashing = {0: {"README": "zero\n"}, 1: {"README": "one\n"}}
    tasks = several(project, 3, files=clashing)
    now = land_all(project, tasks)
    assert statuses(now) == [DONE, APPROVED, DONE]
    assert now[1].landing_failures == 0
    assert landing.queue(project.project) == [tasks[1].id]
    (again,) = land_all(project, [tasks[1]])
    assert (again.status, again.landing_failures) == (PENDING, 1)
    assert again.reason is not None and now[0].landed_hash is not None
    assert f"(task 'T0', {tasks[0].id[:8]})" in again.reason
    assert now[0].landed_hash[:7] in again.reason


def test_who_conflicts_with_the_target_goes_back_and_the_others_land(project: Bench) -> None:
    tasks = several(project, 3, files={1: {"README": "mine\n"}})
    theirs = outsider(project, "Theirs", {"README": "theirs\n"})
    now = land_all(project, tasks)
    assert statuses(now) == [DONE, PENDING, DONE]
    reason = now[1].reason or ""
    assert "conflict with main in README" in reason
    assert f"{theirs[:7]} Theirs" in reason and "T1" in reason.split("changed there by")[0]


def test_two_that_take_the_same_number_do_not_land_together(
    project: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = several(project, 2)

    def clash(mirror: Mirror, base: str, tip: str, onto: str) -> str | None:
        paths = mirror.changed_paths(base, onto)
        return "two migrations 0007: file0 and file1" if "file0" in paths else None

    monkeypatch.setattr(clashes, "clash", clash)
    monkeypatch.setattr(clashes, "concerns", lambda *args: True)
    assert statuses(land_all(project, tasks)) == [DONE, APPROVED]
    (now,) = land_all(project, [tasks[1]])
    assert now.status is PENDING and "two migrations 0007" in (now.reason or "")


def test_a_manifest_that_both_sides_changed_is_named_and_checked(
    project: Bench, monkeypatch: pytest.MonkeyPatch, checks: Checks
) -> None:
    (task,) = several(project, 1, "true")
    monkeypatch.setattr(clashes, "shared_manifests", lambda *args: ["package.json"])
    monkeypatch.setattr(clashes, "concerns", lambda *args: True)
    outsider(project, "Theirs", {"theirs": "1\n"})
    checks.ran.clear()
    assert statuses(land_all(project, [task])) == [DONE]
    assert checks.sections() == ["S0"]
    (notice,) = notices(project, "changed on main too")
    assert notice.data == {"files": ["package.json"]}


def test_checks_run_once_for_all_where_anything_moved(project: Bench, checks: Checks) -> None:
    tasks = several(project, 3, "true")
    project.section("Unchecked")
    tasks.append(approved(project, "Without checks", {"again": "1\n"}, "Unchecked")[0])
    checks.ran.clear()
    now = land_all(project, tasks)
    assert statuses(now) == [DONE] * 4
    assert sorted(checks.sections()) == ["S0", "S1", "S2"]
    assert {commit for _, commit in checks.ran} == {now[-1].landed_hash}


def test_what_is_just_as_it_was_approved_is_not_checked_again(
    project: Bench, checks: Checks
) -> None:
    (task,) = several(project, 1, "true")
    checks.ran.clear()
    assert statuses(land_all(project, [task])) == [DONE]
    assert checks.ran == []


@pytest.mark.parametrize(("mode", "times"), [("always", 1), ("when_moved", 0), ("never", 0)])
def test_how_often_is_the_users_to_say(
    project: Bench, checks: Checks, mode: str, times: int
) -> None:
    configure(project, f"landing: {{verify: {mode}}}\n")
    (task,) = several(project, 1, "true")
    checks.ran.clear()
    assert statuses(land_all(project, [task])) == [DONE]
    assert len(checks.ran) == times


def test_never_is_never(project: Bench, checks: Checks) -> None:
    configure(project, "landing: {verify: never}\n")
    tasks = several(project, 2, EVEN, files={n: {f"wants/{n}": "1\n"} for n in range(2)})
    checks.ran.clear()
    assert statuses(land_all(project, tasks)) == [DONE] * 2
    assert checks.ran == []


@pytest.mark.parametrize("bad", [{1, 5}, {0, 1}, {4, 5}, {2, 3}])
def test_of_two_that_do_not_go_together_only_the_second_is_sent_back(
    project: Bench, checks: Checks, bad: set[int]
) -> None:
    files = {number: {f"wants/{number}": "1\n"} for number in bad}
    tasks = several(project, 6, EVEN, files=files)
    now = land_all(project, tasks)
    second = max(bad)
    assert statuses(now) == [PENDING if number == second else DONE for number in range(6)]
    assert landed_tasks(project) == [task.id for task in tasks if task.id != tasks[second].id]
    sent_back = now[second]
    assert (sent_back.rejection_count, sent_back.landing_failures) == (1, 0)
    reason = (sent_back.reason or "").splitlines()
    assert reason[0] == "passes alone, but not together with main:" and EVEN in reason[1]
    with project.project.store.read() as session:
        given = select(db.Verdict).where(db.Verdict.task_id == sent_back.id)
        verdict = session.exec(given).all()[-1]
        assert (verdict.reviewer, verdict.decision) == ("checks", "reject")
    # The next attempt is where it failed, with the work brought in.
    again = project.claim(project.runner(f"S{second}"))
    assert again is not None and again.checkout is not None
    assert again.checkout.squash == tasks[second].latest_commit or again.checkout.squash
    assert project.origin is not None
    assert again.checkout.commit in project.origin.git("rev-list", "main").split()


def test_who_was_approved_whatever_checks_say_is_not_asked_again(
    project: Bench, checks: Checks
) -> None:
    tasks = several(project, 2, EVEN, files={n: {f"wants/{n}": "1\n"} for n in range(2)})
    with project.project.store.write() as session:
        for task in tasks:
            session.get_one(db.Task, task.id).overridden = True
    checks.ran.clear()
    assert statuses(land_all(project, tasks)) == [DONE] * 2
    assert checks.ran == []


def test_after_a_lost_race_what_is_new_is_checked_again(project: Bench, checks: Checks) -> None:
    (task,) = several(project, 1, "test ! -e poison")
    outsider(project, "Theirs", {"theirs": "1\n"})
    checks.ran.clear()

    def meanwhile() -> None:
        checks.before = lambda: None
        outsider(project, "Theirs, later", {"poison": "1\n"})

    checks.before = meanwhile
    (now,) = land_all(project, [task])
    assert now.status is PENDING and len(checks.ran) == 2
    assert "not together with main" in (now.reason or "")
    assert landed_tasks(project) == []


def busy(project: Bench, checks: Checks) -> None:
    """From now on somebody pushes whenever checks run."""
    checks.ran.clear()
    checks.before = lambda: void(outsider(project, "Busy", {f"busy{len(checks.ran)}": "1\n"}))


def void(_: object) -> None:
    pass


def test_a_busy_branch_and_slow_checks_do_not_starve_a_task(project: Bench, checks: Checks) -> None:
    (task,) = several(project, 1, "true")
    outsider(project, "Theirs", {"theirs": "1\n"})
    busy(project, checks)
    assert statuses(land_all(project, [task])) == [DONE]
    assert len(checks.ran) == landing_verify.LAPS
    assert len(notices(project, "landing what passed on an earlier tip")) == 1


def test_unless_it_is_always_to_be_checked(project: Bench, checks: Checks) -> None:
    configure(project, "landing: {verify: always}\npush: {attempts: 4}\n")
    (task,) = several(project, 1, "true")
    busy(project, checks)
    with pytest.raises(landing.LATER):
        land_all(project, [task])
    assert project.look(task).status is APPROVED and len(checks.ran) == 4
    checks.before = lambda: None
    assert statuses(land_all(project, [task])) == [DONE]


def test_a_hook_that_refuses_one_commit_refuses_one_task(project: Bench) -> None:
    tasks = several(project, 4, files={2: {"secret": "1\n"}})
    refusal = hook(
        project,
        "pre-receive",
        "while read old new ref; do git diff --name-only $old $new | grep -q secret "
        "&& echo 'no secrets' && exit 1; done; exit 0",
    )
    now = land_all(project, tasks)
    assert statuses(now) == [DONE, DONE, APPROVED, DONE]
    assert [each.push_refused for each in now] == [False, False, True, False]
    assert "no secrets" in (now[2].reason or "") and "steroids push" in (now[2].reason or "")
    assert landing.queue(project.project) == []
    refusal.unlink()


@pytest.mark.parametrize("way", ["protected", "credentials"])
def test_what_is_refused_to_all_is_asked_once(
    project: Bench, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    tasks, asked = several(project, 3), 0

    def counted(mirror: Mirror, url: str, commit: str, branch: str, *, local: bool) -> None:
        nonlocal asked
        asked += 1
        there = url if way == "protected" else str(project.host.path / "nobody.git")
        push(mirror, there, commit, branch, local=local)

    monkeypatch.setattr(landing_push, "push", counted)
    hook(project, "pre-receive", "echo 'GH006: Protected branch update failed for main.'; exit 1")
    now = land_all(project, tasks)
    assert statuses(now) == [APPROVED] * 3 and all(each.push_refused for each in now)
    assert asked == 1
    assert len(events(project, EventKind.PUSH_REFUSED)) == 3


def test_an_engine_that_is_away_leaves_all_approved(
    project: Bench, monkeypatch: pytest.MonkeyPatch, checks: Checks
) -> None:
    tasks = several(project, 2, "true")

    def away(*args: object, **named: object) -> None:
        raise EngineUnavailable("away")

    with monkeypatch.context() as patched, pytest.raises(EngineUnavailable):
        patched.setattr("steroids.services.checks.run", away)
        land_all(project, tasks)
    assert statuses([project.look(task) for task in tasks]) == [APPROVED] * 2
    assert statuses(land_all(project, tasks)) == [DONE] * 2


def test_checks_that_break_are_counted_for_the_one_that_breaks_them(
    project: Bench, monkeypatch: pytest.MonkeyPatch, checks: Checks
) -> None:
    tasks = several(project, 3, "true")

    def breaks(host: object, project_: object, section: db.Section, *args: str, **n: str) -> object:
        if section.name == "S1":
            raise ContainerLost("it ended without an answer")
        return checks.run(host, project_, section, *args, **n)  # type: ignore[arg-type]

    monkeypatch.setattr("steroids.services.checks.run", breaks)
    with pytest.raises(ContainerLost):
        land_all(project, tasks)
    now = [project.look(task) for task in tasks]
    assert statuses(now) == [DONE, APPROVED, APPROVED]
    assert [each.infrastructure_failures for each in now] == [0, 1, 0]


def test_a_task_taken_back_while_checks_run_is_not_pushed(project: Bench, checks: Checks) -> None:
    tasks = several(project, 2, "true")

    def meanwhile() -> None:
        checks.before = lambda: None
        with project.project.store.write() as session:
            session.get_one(db.Task, tasks[0].id).status = TaskStatus.SKIPPED

    checks.before = meanwhile
    now = land_all(project, tasks)
    assert statuses(now) == [TaskStatus.SKIPPED, DONE]
    assert landed_tasks(project) == [tasks[1].id]
