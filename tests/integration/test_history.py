"""A task's history, commits and differences from real attempts."""

import pytest

from steroids.cli.task_history import lines, painter
from steroids.errors import NotFound, UsageError
from steroids.services import commits, diffs, history, target, verdicts
from steroids.store import project_models as db
from steroids.wire.assignment import Outcome
from steroids.wire.commit import Diff
from steroids.wire.history import History
from steroids.wire.verdict import Decision
from tests.support.service import Bench
from tests.support.told import LIMIT, Told


@pytest.fixture
def told(project: Bench) -> Told:
    return Told(project)


def past(told: Told) -> History:
    return history.of(told.bench.project, told.task.id)


def diff(told: Told, *, attempt: int | None = None, whole: bool = False) -> Diff:
    return diffs.of(told.bench.project, told.task.id, attempt=attempt, whole=whole)


def conflicted(told: Told) -> None:
    settings = told.bench.host.settings(told.bench.project)
    with told.bench.project.store.write() as session:
        row = session.get_one(db.Task, told.task.id)
        verdicts.approve(session, row, section="API", actor="bot", tree=None)
        reason = "conflict with main in apps/API/a"
        verdicts.conflict(session, row, reason, section="API", settings=settings)


def test_attempts_have_their_own_commits_and_verdicts(told: Told) -> None:
    told.hand_over_third(told.third())
    found = past(told)
    assert [each.number for each in found.attempts] == [1, 2, 3]
    subjects = [[one.message.strip() for one in each.commits] for each in found.attempts]
    assert subjects == [
        ["Add login endpoint", "Test login"],
        ["Answer 401, limit tries"],
        ["Ten tries a minute, compared in constant time"],
    ]
    given = [[(one.reviewer, one.decision) for one in each.verdicts] for each in found.attempts]
    assert given == [
        [("checks", Decision.REJECT)],
        [("checks", Decision.APPROVE), ("security-bot", Decision.REJECT)],
        [],
    ]
    assert found.attempts[1].base_commit == found.attempts[0].tip
    text = "\n".join(lines(found, whole=False, paint=painter(False)))
    assert "Task: Add user authentication   Status: review (attempt 3)" in text
    assert f'Attempt 2  REJECTED  "{LIMIT}"  by security-bot' in text
    now = found.attempts[2]
    assert now.tip is not None and (now.files, now.added, now.removed) == (2, 4, 2)
    ends = f"(base {now.base_commit[:7]}, tip {now.tip[:7]})"
    assert text.endswith(f"  2 files changed, +4 -2   {ends}")


def test_history_asks_git_nothing(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    told.attempt(("One", {"apps/API/a": "1\n"}))

    def spawned(*args: object, **options: object) -> None:
        raise AssertionError(args)

    monkeypatch.setattr("steroids.proc.spawn", spawned)
    assert past(told).attempts[0].commits[0].message.strip() == "One"


def test_a_removed_task_keeps_its_history(told: Told) -> None:
    told.attempt(("One", {"apps/API/a": "1\n"}))
    with told.bench.project.store.write() as session:
        row = session.get_one(db.Task, told.task.id)
        row.removed_at = row.updated_at
    assert len(past(told).attempts) == 1


def test_a_difference_of_each_attempt_and_of_the_whole(told: Told) -> None:
    assert diff(told) == Diff(base=None, tip=None, diff="")
    told.attempt(("One", {"apps/API/a": "1\n"}))
    told.say("checks", Decision.REJECT, ["no"])
    told.attempt(("Two", {"apps/API/a": "2\n"}))
    assert "-1\n+2\n" in diff(told).diff and "-1\n+2\n" in diff(told, attempt=2).diff
    assert "+1\n" in diff(told, attempt=1).diff
    whole = diff(told, whole=True)
    assert "+2\n" in whole.diff and "1\n" not in whole.diff
    stat = diffs.of(told.bench.project, told.task.id, attempt=None, whole=True, stat=True)
    assert "apps/API/a | 1 +" in stat.diff and (stat.base, stat.tip) == (whole.base, whole.tip)


def test_while_nothing_new_was_handed_over_the_whole_is_what_there_was(told: Told) -> None:
    told.attempt(("One", {"apps/API/a": "1\n"}))
    told.say("checks", Decision.REJECT, ["no"])
    assignment = told.claim()
    assert assignment.checkout is not None
    assert diff(told) == Diff(base=assignment.checkout.commit, tip=None, diff="")
    assert "+1\n" in diff(told, whole=True).diff


def test_after_a_conflict_the_whole_is_measured_from_the_new_base(told: Told) -> None:
    told.attempt(("Mine", {"apps/API/a": "mine\n"}))
    onto = told.bench.repo.commit("Theirs", {"apps/API/b": "theirs\n"})
    told.bench.repo.git("push", "--quiet", "origin", "HEAD:main")
    target.fetch(told.bench.project)
    conflicted(told)
    assert "+mine\n" in diff(told, whole=True).diff
    told.attempt(("Both", {"apps/API/a": "both\n"}))
    whole = diff(told, whole=True)
    assert whole.base == onto and "+both\n" in whole.diff and "theirs" not in whole.diff
    listed = commits.listing(told.bench.project, told.task.id)
    assert [(each.attempt, each.message.strip()) for each in listed] == [(1, "Mine"), (2, "Both")]
    text = "\n".join(lines(past(told), whole=False, paint=painter(False)))
    assert 'Attempt 1  CONFLICT  "conflict with main in apps/API/a"' in text


def test_commits_of_one_attempt(told: Told) -> None:
    told.third()
    project = told.bench.project
    only = commits.listing(project, told.task.id, attempt=2)
    assert [each.message.strip() for each in only] == ["Answer 401, limit tries"]
    assert commits.listing(project, told.task.id, attempt=3) == []
    statuses = [each.status for each in commits.listing(project, told.task.id)]
    assert statuses == ["rejected"] * 3


@pytest.mark.parametrize("number", [0, 2, -1])
def test_an_attempt_that_there_is_not(told: Told, number: int) -> None:
    told.attempt(("One", {"apps/API/a": "1\n"}))
    with pytest.raises(NotFound, match="has no attempt") as caught:
        diff(told, attempt=number)
    assert "tasks history" in (caught.value.hint or "")
    with pytest.raises(NotFound, match="it has 1"):
        commits.listing(told.bench.project, told.task.id, attempt=number)
    with pytest.raises(UsageError):
        diff(told, attempt=1, whole=True)


def test_an_interrupted_attempt_keeps_its_number_and_commits(told: Told) -> None:
    assignment = told.claim()
    tip = told.bench.work(assignment, "Half", {"apps/API/a": "1\n"})
    told.bench.submit(told.runner, assignment, tip, outcome=Outcome.STOPPED, reason="stopped")
    (only,) = past(told).attempts
    assert (only.status, len(only.commits)) == ("interrupted", 1)
    told.attempt(("Whole", {"apps/API/a": "2\n"}))
    (only,) = past(told).attempts
    assert (only.status, [each.message.strip() for each in only.commits]) == (
        "review",
        ["Half", "Whole"],
    )


def test_what_an_agent_merged_from_the_target_is_not_its_own(told: Told) -> None:
    assignment = told.claim()
    bench = told.bench
    bench.repo.commit("Theirs", {"apps/Web/b": "theirs\n"})
    bench.repo.git("push", "--quiet", "origin", "HEAD:main")
    target.fetch(bench.project)
    bench.work(assignment, "Mine", {"apps/API/a": "1\n"})
    bench.agent.git("merge", "--quiet", "-m", "Merge main", "refs/mirror/steroids/target/main")
    bench.submit(told.runner, assignment, bench.agent.head)
    listed = commits.listing(bench.project, told.task.id)
    assert [each.message.strip() for each in listed] == ["Mine", "Merge main"]
