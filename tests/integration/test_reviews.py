"""Reviewers one after the other, and what they say too late."""

import pytest

from steroids.errors import BadConfig, WrongState
from steroids.provisioning.oneshot import ContainerLost
from steroids.services import review_agent, runners, task_ends
from steroids.services.fresh import Spot
from steroids.services.host import Host, OpenProject
from steroids.store import project_models as db
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus as S
from steroids.wire.verdict import Verdict
from tests.support.reviewing import (
    APPROVE,
    DISPUTE,
    REJECT,
    Agents,
    agents,
    approve,
    configure,
    events,
    reject,
    review,
    submitted,
    verdicts,
)
from tests.support.service import Bench


def test_all_have_to_approve_in_their_order(api: Bench, bots: Agents) -> None:
    configure(api, agents=agents("one", "two"), review={"reviewers": ["two", "checks", "one"]})
    bots.says = {"one": APPROVE, "two": APPROVE}
    task = review(api, submitted(api))
    assert task.status is S.APPROVED and bots.asked == ["two", "one"], "no checks, no reviewer"
    assert verdicts(api, task) == [(1, "two", "approve", None), (1, "one", "approve", None)]
    told = events(api, EventKind.REVIEWED, EventKind.APPROVED)
    said = ["two", "one", "two, one"]
    assert [each.text for each in told] == [f"approved by {who}" for who in said]
    assert told[0].data["reviewer"] == "two"


def test_the_first_rejection_decides_and_says_why(api: Bench, bots: Agents) -> None:
    configure(api, agents=agents("one", "two"), review={"reviewers": ["one", "two"]})
    bots.says = {"one": REJECT, "two": APPROVE}
    task = review(api, submitted(api))
    assert (task.status, task.rejection_count, bots.asked) == (S.PENDING, 1, ["one"])
    assert task.reason == "- no tests\n- no docs\nfiles: a"
    (told,) = events(api, EventKind.REJECTED)
    assert told.data["reviewer"] == "one" and told.text == task.reason
    bots.says["one"] = APPROVE
    again = review(api, submitted(api, number=2))
    assert again.status is S.APPROVED and bots.asked == ["one", "one", "two"]


def test_a_dispute_waits_for_a_person(api: Bench, bots: Agents) -> None:
    configure(api, agents=agents("one"), review={"reviewers": ["one"]})
    bots.says = {"one": DISPUTE}
    task = review(api, submitted(api))
    assert (task.status, task.reason) == (S.DISPUTED, "cannot be done")
    with pytest.raises(WrongState, match="disputed") as refused:
        reject(api, task)
    assert refused.value.hint is not None and "dispute resolve" in refused.value.hint
    assert approve(api, task).status is S.APPROVED


def test_after_a_crash_nobody_is_asked_again_who_has_answered(api: Bench, bots: Agents) -> None:
    configure(api, agents=agents("one", "two"), review={"reviewers": ["one", "two"]})
    bots.says = {"one": APPROVE, "two": KilledHere()}
    task = submitted(api)
    with pytest.raises(KilledHere):
        review(api, task)
    bots.says["two"] = APPROVE
    assert review(api, task).status is S.APPROVED
    assert bots.asked == ["one", "two", "two"]


class KilledHere(ContainerLost):
    def __init__(self) -> None:
        super().__init__("the controller was killed")


def test_an_approval_of_an_earlier_attempt_is_worth_nothing(api: Bench, bots: Agents) -> None:
    configure(api, agents=agents("one", "two"), review={"reviewers": ["one", "two"]})
    bots.says = {"one": APPROVE, "two": REJECT}
    review(api, submitted(api))
    bots.says["two"] = APPROVE
    assert review(api, submitted(api, number=2)).status is S.APPROVED
    assert bots.asked == ["one", "two", "one", "two"]


def test_no_verdict_is_nobodys_and_bounded(api: Bench, bots: Agents) -> None:
    configure(api, agents=agents("one"), review={"reviewers": ["one"]}, max_attempts_lost=2)
    bots.says = {"one": review_agent.NoVerdict("one gave no verdict: it is empty")}
    task = submitted(api)
    for count, status in ((1, S.REVIEW), (2, S.FAILED)):
        with pytest.raises(review_agent.NoVerdict):
            review(api, task)
        now = api.look(task)
        assert (now.status, now.infrastructure_failures) == (status, count)
        assert now.rejection_count == 0
    assert "one gave no verdict" in (api.look(task).reason or "")
    assert verdicts(api, task) == []
    # What nobody could judge, a person may.
    assert approve(api, task).status is S.APPROVED


def test_a_bug_of_ours_is_bounded_too(api: Bench, bots: Agents) -> None:
    configure(api, agents=agents("one"), review={"reviewers": ["one"]}, max_attempts_lost=2)

    def stumbles() -> Verdict:
        raise ZeroDivisionError

    bots.says = {"one": stumbles}
    task = submitted(api)
    for status in (S.REVIEW, S.FAILED):
        with pytest.raises(ZeroDivisionError):
            review(api, task)
        assert api.look(task).status == status
    assert "a bug in Steroids (ZeroDivisionError)" in (api.look(task).reason or "")


@pytest.mark.parametrize("says", [APPROVE, REJECT, DISPUTE])
@pytest.mark.parametrize("status", [S.APPROVED, S.PENDING, S.SKIPPED])
def test_a_verdict_that_comes_too_late_changes_nothing(
    api: Bench, bots: Agents, says: Verdict, status: S, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person has decided while the agent was still at it: what it says is dropped, and its
    container has no reason to go on."""
    configure(api, agents=agents("one"), review={"reviewers": ["one"]})
    task = submitted(api)
    wanted: list[bool] = []

    def late(
        host: Host, project: OpenProject, row: db.Task, spot: Spot, name: str
    ) -> tuple[Verdict, float]:
        wanted.append(spot.wanted())
        match status:
            case S.APPROVED:
                approve(api, task)
            case S.PENDING:
                reject(api, task)
            case _:
                task_ends.skip(api.host, api.project, task.id)
        wanted.append(spot.wanted())
        return says, 1.0

    monkeypatch.setattr(review_agent, "ask", late)
    assert (review(api, task).status, wanted) == (status, [True, False])
    assert [each[1] for each in verdicts(api, task)] == ["human"] * (status is not S.SKIPPED)


def test_a_late_verdict_on_an_old_attempt_is_not_one_on_the_new(
    api: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(api, agents=agents("one"), review={"reviewers": ["one"]})
    task = submitted(api)
    asked: list[int] = []

    def late(
        host: Host, project: OpenProject, row: db.Task, spot: Spot, name: str
    ) -> tuple[Verdict, float]:
        asked.append(row.current_attempt)
        if len(asked) == 1:
            reject(api, task)
            submitted(api, number=2)
            return APPROVE, 1.0
        return REJECT, 1.0

    monkeypatch.setattr(review_agent, "ask", late)
    assert review(api, task).status is S.PENDING
    assert asked == [1, 2]
    assert [each[:3] for each in verdicts(api, task)] == [
        (1, "human", "reject"),
        (2, "one", "reject"),
    ]


def test_a_script_that_is_only_the_tasks_is_no_reviewer(api: Bench) -> None:
    """It would run what the coder was told to run, and take that for a verdict."""
    configure(api, agents={"one": "script"}, review={"reviewers": ["one"]})
    task = submitted(api)
    with pytest.raises(BadConfig, match="'one' is a script without `run`"):
        review(api, task)
    assert api.look(task).infrastructure_failures == 1 and api.engine.list_owned({}) == []


def test_without_any_reviewer_it_is_approved_as_submitted(api: Bench) -> None:
    configure(api, review={"reviewers": []})
    task = review(api, submitted(api))
    assert task.status is S.APPROVED and verdicts(api, task) == []
    notes = runners.notes(api.host, api.project, None, api.engine.capabilities())
    assert "API has no checks: its tasks are approved as submitted" in notes
    configure(api, agents=agents("one"), review={"reviewers": ["one"]})
    assert runners.notes(api.host, api.project, None, api.engine.capabilities()) == []
