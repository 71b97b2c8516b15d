"""What became of a task: its attempts, each with its commits and what was said of it."""

from dataclasses import dataclass

from steroids.wire.body import Body
from steroids.wire.commit import Attempt, Commit
from steroids.wire.task import Task
from steroids.wire.verdict import Decision, Given


class Past(Attempt):
    commits: list[Commit]
    """Oldest first; what a rewritten history has lost since is here, too."""


class History(Body):
    task: Task
    attempts: list[Past]
    reverted_by: str | None = None
    """Id of the task that has taken it back, or is about to."""


class Prompt(Body):
    prompt: str


@dataclass(frozen=True)
class Against:
    """What was said against an attempt."""

    by: str | None
    """None: no reviewer, but a program that failed, a conflict, checks of the rebased result."""
    disputed: bool
    reasons: list[str]
    files: list[str]


def who(given: Given) -> str:
    """`security-bot`, or of a person `human (Ann)`."""
    return f"{given.reviewer} ({given.actor})" if given.actor else given.reviewer


def approvers(attempt: Past) -> list[str]:
    """Those whose last word on it is that."""
    last = {each.reviewer: each for each in attempt.verdicts}
    return [who(each) for each in last.values() if each.decision is Decision.APPROVE]


def against(attempt: Past) -> list[Against]:
    """Every verdict that was no approval, and the reason of the attempt's end when that is none
    of theirs."""
    found = [
        Against(who(each), each.decision is Decision.DISPUTE, each.reasons, each.files)
        for each in attempt.verdicts
        if each.decision is not Decision.APPROVE
    ]
    reason = attempt.reason or ""
    if reason and not any(one in reason for each in found for one in each.reasons):
        found.append(Against(None, False, [reason], []))
    return found
