"""A person's word: the reviewer `human`, and whoever overrides the others."""

from pathlib import Path

import pytest

from steroids.errors import SteroidsError, UsageError, WrongState
from steroids.services import disputes, human, landing, reviews, task_ends
from steroids.wire.assignment import Outcome
from steroids.wire.event import EventKind
from steroids.wire.task import TaskStatus as S
from steroids.wire.verdict import Judge, Resolution, Resolve
from tests.support.reviewing import (
    NO,
    REJECT,
    Agents,
    agents,
    approve,
    configure,
    events,
    reject,
    review,
    stored,
    submitted,
    verdicts,
)
from tests.support.service import Bench


def test_a_person_whose_turn_it_is_is_waited_for(api: Bench) -> None:
    configure(api, review={"reviewers": ["checks", "human"]})
    task = review(api, submitted(api))
    assert (task.status, task.awaits) == (S.REVIEW, "human")
    assert reviews.waiting(api.host, api.project) == []
    review(api, task)
    (told,) = events(api, EventKind.AWAITS)
    assert f"steroids tasks diff {task.id[:8]}" in told.text and told.data["reviewer"] == "human"
    done = approve(api, task, "fine")
    assert (done.status, done.awaits) == (S.APPROVED, None)
    assert verdicts(api, task) == [(1, "human", "approve", "Uma User")]
    row = stored(api, task)
    assert not row.overridden and row.approved_tree is not None
    landing.land_all(api.host, api.project, [task.id], lambda each: "fake")
    assert api.look(task).status is S.COMPLETED


def test_after_a_person_the_next_reviewer_is_asked(api: Bench, bots: Agents) -> None:
    configure(api, agents=agents("one"), review={"reviewers": ["human", "one"]})
    bots.says = {"one": REJECT}
    task = review(api, submitted(api))
    assert (approve(api, task).status, bots.asked) == (S.REVIEW, [])
    assert reviews.waiting(api.host, api.project) == [task.id]
    assert review(api, task).status is S.PENDING
    assert [each[1:3] for each in verdicts(api, task)] == [
        ("human", "approve"),
        ("one", "reject"),
    ]
    # Each attempt is a new one to a person as well.
    assert review(api, submitted(api, number=2)).awaits == "human"


def test_a_persons_rejection_is_told_word_for_word(api: Bench) -> None:
    configure(api, review={"reviewers": ["human"]})
    task = reject(api, review(api, submitted(api)))
    assert (task.status, task.rejection_count, task.awaits) == (S.PENDING, 1, None)
    assert task.reason == NO.reason
    assignment = api.claim(api.runner("API"))
    assert assignment is not None and assignment.task is not None
    assert assignment.task.feedback == NO.reason and "Not like this." in assignment.task.prompt
    assert verdicts(api, task) == [(1, "human", "reject", "Uma User")]


def test_who_waits_for_a_person_nobody_asks_any_more_goes_on(api: Bench) -> None:
    configure(api, review={"reviewers": ["human"]})
    task = review(api, submitted(api))
    configure(api, review={"reviewers": ["checks"]})
    assert reviews.waiting(api.host, api.project) == [task.id]
    now = review(api, task)
    assert (now.status, now.awaits) == (S.APPROVED, None)


def test_who_names_an_attempt_does_not_judge_another(api: Bench) -> None:
    configure(api, review={"reviewers": ["human"]})
    reject(api, review(api, submitted(api)))
    task = review(api, submitted(api, number=2))
    for judge in (human.approve, human.reject):
        with pytest.raises(WrongState, match="attempt 2"):
            judge(api.host, api.project, task.id, Judge(reason="x", attempt=1))
    body = Judge(attempt=2)
    assert human.approve(api.host, api.project, task.id, body).status is S.APPROVED


def test_a_person_approves_what_others_rejected_and_it_lands(api: Bench, bots: Agents) -> None:
    configure(api, agents=agents("one"), review={"reviewers": ["one"]})
    bots.says = {"one": REJECT}
    task = review(api, submitted(api))
    done = approve(api, task, "good enough")
    assert (done.status, done.reason) == (S.APPROVED, None)
    row = stored(api, task)
    assert row.overridden
    with pytest.raises(WrongState, match="approved already"):
        approve(api, task)
    landing.land_all(api.host, api.project, [task.id], lambda each: "fake")
    assert api.look(task).status is S.COMPLETED and api.origin_log()[0] == "Login"
    for judge in (approve, reject):
        with pytest.raises(WrongState, match="completed"):
            judge(api, task)


def test_an_approved_task_is_sent_back_before_it_lands(api: Bench) -> None:
    task = review(api, submitted(api))
    assert task.status is S.APPROVED
    assert reject(api, task).status is S.PENDING
    landing.land_all(api.host, api.project, [task.id], lambda each: "fake")
    assert api.look(task).status is S.PENDING and "Login" not in api.origin_log()


def test_what_lands_right_now_is_not_sent_back(api: Bench) -> None:
    task = review(api, submitted(api))
    with api.project.landing, pytest.raises(SteroidsError) as refused:
        reject(api, task)
    assert (refused.value.code, refused.value.exit_code) == ("BUSY", 6)
    assert api.look(task).status is S.APPROVED and verdicts(api, task) == []


def test_where_there_is_nothing_to_judge(api: Bench) -> None:
    configure(api, review={"reviewers": ["human"]})
    task = api.task("Login", "API")
    with pytest.raises(WrongState, match="nothing to approve"):
        approve(api, task)
    with pytest.raises(WrongState, match="pending: there is nothing to reject"):
        reject(api, task)
    assignment = api.claim(api.runner("API"))
    assert assignment is not None
    for judge, words in ((approve, "being worked on"), (reject, "in_progress")):
        with pytest.raises(WrongState, match=words):
            judge(api, task)
    # Given back in the middle: what there is was not handed in.
    tip = api.work(assignment, "Half", {"apps/api/half": "1\n"})
    api.submit(api.runner("API"), assignment, tip, outcome=Outcome.STOPPED, reason="stopped")
    with pytest.raises(WrongState, match="not been handed in"):
        approve(api, task)
    with pytest.raises(UsageError, match="needs a reason"):
        reject(api, task, Judge(reason=" \n"))
    task_ends.skip(api.host, api.project, task.id)
    with pytest.raises(WrongState, match="skipped: it cannot be approved"):
        approve(api, task)


def test_what_conflicts_with_the_target_is_not_approved_away(api: Bench) -> None:
    """Its commits are not where the task stands any more: they would be lost."""
    task = review(api, submitted(api))
    assert api.origin is not None
    api.repo.git("fetch", "--quiet", "origin")
    api.repo.git("checkout", "--quiet", "--detach", "origin/main")
    theirs = api.repo.commit("Theirs", {"apps/api/Login": "theirs\n"})
    api.repo.git("push", "--quiet", "origin", f"{theirs}:refs/heads/main")
    landing.land_all(api.host, api.project, [task.id], lambda each: "fake")
    assert api.look(task).landing_failures == 1
    with pytest.raises(WrongState, match="bring them in"):
        approve(api, task)


@pytest.mark.parametrize(
    ("how", "status"),
    [
        (Resolution.APPROVE, S.APPROVED),
        (Resolution.RETRY, S.PENDING),
        (Resolution.SKIP, S.SKIPPED),
    ],
)
def test_a_dispute_is_resolved(api: Bench, how: Resolution, status: S) -> None:
    configure(api, review={"reviewers": ["human"], "max_rejections": 1})
    task = reject(api, review(api, submitted(api)))
    assert (task.status, task.rejection_count) == (S.DISPUTED, 1)
    body = Resolve(how=how, reason="because")
    assert disputes.resolve(api.host, api.project, task.id, body).status is status
    with pytest.raises(WrongState, match="not disputed"):
        disputes.resolve(api.host, api.project, task.id, body)


def test_who_a_person_is_without_a_name_for_git(
    api: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    api.repo.git("config", "--unset", "user.name")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("LOGNAME", "uma")
    assert human.actor(api.project) == "uma"
